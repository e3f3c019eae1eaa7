import Aggregation
import Cryptography
import Federation
import Learning
import Logging
import Privacy
import Provenance
import Registry
import UpdateCodec

extension Fleet {
    /// The digest that names a lattice on the wire and in the log.
    func latticeDigest(_ lattice: Lattice) -> Digest { SHA256.digest(of: lattice.canonicalBytes) }

    /// Charges the budget, adds noise and moves the master weights; then what was made of the updates is durable, with
    /// the phase, and the round has released it.
    ///
    /// - Returns: nil when that is so, otherwise why the round ends.
    func release(_ round: ActiveRound) async throws(Fault) -> AbandonReason? {
        if round.phase == .training {
            try await registry.transition(
                round.at, from: .training, to: .aggregating, counting: Set(round.counted.keys),
                nowUnixMilliseconds: clock.unixMilliseconds, event: nil)
            round.phase = .aggregating
            progress.fire()
        }
        guard round.phase == .aggregating else { return nil }
        // An agent may have shown it since the sum was closed; nothing is spent yet.
        if round.epsilonAfter == nil, let rolledBack {
            return .failed(rolledBack.fault.description)
        }
        if let refusal = try await charge(round) { return .failed(refusal.description) }
        if round.moved == nil { round.moved = try await move(round) }
        if let moved = round.moved { try await release(moved, of: round) }
        round.moved = nil
        return nil
    }

    /// Makes a version of what the round released, and publishes it. It follows from durable bytes alone, so that it is
    /// the same however often a coordinator dies over it.
    ///
    /// The version, whose master weights may be distilled ones, and its phase are one transaction.
    ///
    /// - Returns: nil when a version was published, otherwise why it was refused.
    func seal(_ round: ActiveRound) async throws(Fault) -> AbandonReason? {
        let released = try await released(by: round)
        let distilled = await distilled(released.masterDigest, of: round)
        let candidate = try await candidate(released, distilled, of: round)
        let sealed: SealedModel
        do throws(Fault) {
            sealed = try await self.sealed(candidate)
        } catch {
            guard error.code == .invalid else { throw error }
            return .sealingRefused(error.description)
        }
        try await publish(sealed, of: candidate, in: round)
        return nil
    }

    /// What a round and the distillation after it made, before it is sealed.
    private func candidate(
        _ released: Released, _ distilled: PostRoundDistillation?, of round: ActiveRound
    ) async throws(Fault) -> Candidate {
        let plan = round.plan.plan
        let origin = ModelFacts.RoundFacts(
            at: round.at, lattice: round.lattice, updates: released.updates.root,
            capacity: released.updates.capacity, participation: released.participation,
            distillation: distilled?.trial)
        return Candidate(
            fleet: keys.fleet, plan: plan, planDigest: round.plan.digest,
            version: round.base.version + 1,
            parent: Candidate.Parent(
                model: round.base.modelDigest, version: round.base.version,
                accuracy: round.base.accuracy), origin: .round(origin),
            master: distilled.map { .values($0.parameters) } ?? .stored(released.masterDigest),
            velocityDigest: released.velocityDigest, clippingNorm: released.clippingNorm,
            spend: try await spend(of: round.plan, epsilon: round.epsilonAfter),
            testDirectory: try data(of: plan.id).testDirectory, key: keys.modelKey,
            certificates: keys.signingChain)
    }

    private func publish(
        _ sealed: SealedModel, of candidate: Candidate, in round: ActiveRound
    ) async throws(Fault) {
        let model = try await store(sealed, of: candidate)
        do throws(Fault) {
            try await settleTraffic(of: round)
            try await registry.publish(
                round.at, model: model, nowUnixMilliseconds: clock.unixMilliseconds,
                events: [modelSigned(model, sealed, candidate)])
        } catch {
            // Sealing it again stores it again.
            registry.letGo(of: model.blobs)
            throw error
        }
        serve(model)
        counts[model.plan].models += 1
        round.phase = .published
        plans[round.plan.plan.id]?.serving = model
        var metadata: Logger.Metadata = [
            "round": "\(round.at)", "plan": "\(model.plan)", "version": "\(model.version)",
        ]
        if let norm = model.clippingNorm { metadata["clippingNorm"] = "\(norm)" }
        log.info("version published", metadata: metadata)
        applyRetention(of: model.plan)
        offers.fire()
        progress.fire()
    }

    /// Writes the round's privacy spend into the ledger, before any noise is drawn.
    ///
    /// - Returns: why it may not be spent: rounds of other plans have spent the population's budget since this one began.
    private func charge(_ round: ActiveRound) async throws(Fault) -> Fault? {
        let plan = round.plan.plan
        guard let privacy = plan.privacy, let budget = budget(of: round.plan),
            round.epsilonAfter == nil
        else { return nil }
        if !round.hasReserved {
            if let refusal = budget.refusal() { return refusal }
            // Reserved before it is durable, so that no other plan's round spends the same.
            round.hasReserved = true
            count(1, chargeOf: plan, privacy)
            // Unless another plan is charged at the same time, the transaction finds this remembered.
            _ = budget.afterOneMore()
        }
        round.isBeingCharged = true
        defer { round.isBeingCharged = false }
        do throws(Fault) {
            round.epsilonAfter = try await registry.chargeBudget(
                round.at, plan: plan.id, population: plan.population,
                noiseMultiplier: privacy.noiseMultiplier, samplingRate: privacy.sampling.rate,
                delta: privacy.delta, nowUnix: clock.unixSeconds,
                epsilonAfter: {
                    PrivacyBudget(plan: privacy, charges: Self.charges(in: $0)).afterOneMore()
                }, event: budgetCharged(round.at, plan, privacy))
        } catch {
            // Cancelled before it was charged; or charged before, when the disk did not say so.
            guard error.code == .gone || error.code == .conflict else { throw error }
            round.isBeingCharged = false
            await settleReservation(of: round)
            guard round.epsilonAfter != nil else { throw error }
        }
        return nil
    }

    /// Gives back what an ended round reserved and was not charged, as the ledger says. What nobody knows stays reserved,
    /// until a restart reads the ledger.
    func settleReservation(of round: ActiveRound) async {
        guard round.hasOpenReservation, let stored = try? await registry.round(round.at.round),
            round.hasOpenReservation, let privacy = round.plan.plan.privacy
        else { return }
        if stored.chargedAttempt == round.at.attempt {
            round.epsilonAfter = stored.epsilonAfter
        } else {
            round.hasReserved = false
            count(-1, chargeOf: round.plan.plan, privacy)
        }
    }

    private func count(_ change: Int, chargeOf plan: Plan, _ privacy: PrivacyPlan) {
        plans[plan.id]?.charges += change
        spent[plan.population, default: [:]][PrivacyCharge(of: privacy), default: 0] += change
    }

    /// What the log says of a charge, given the population's total with it.
    private func budgetCharged(
        _ at: RoundAttempt, _ plan: Plan, _ privacy: PrivacyPlan
    ) -> @Sendable (Double) -> FleetEvent {
        { epsilon in
            FleetEvent(
                .budgetCharged,
                [
                    ("plan", .text(plan.id.name)), ("population", .text(plan.population)),
                    ("round", .number(at.round.number)), ("attempt", .number(UInt64(at.attempt))),
                    ("noiseMultiplier", .decimal(privacy.noiseMultiplier)),
                    ("samplingRate", .decimal(privacy.sampling.rate)),
                    ("delta", .decimal(privacy.delta)), ("epsilon", .decimal(epsilon)),
                ])
        }
    }

    /// Adds noise to the sum, and moves the fp32 master weights, and an adaptive clipping norm, by it.
    ///
    /// A wide plan's vectors are what a coordinator needs most memory for: each goes before the next is made.
    private func move(_ round: ActiveRound) async throws(Fault) -> Moved {
        let plan = round.plan.plan
        let (base, lattice) = (round.base, round.lattice)
        let released = try await releasedSum(of: round)
        // Weights and velocity, and room for the version that is made of them.
        let bytes = 12 * plan.parameterCount
        let moved = try await registry.withBlobs(
            "store the weights of round \(round.at)", writing: bytes
        ) { blobs throws(Fault) in
            try released.moved(from: base, plan: plan, lattice: lattice, in: blobs)
        }
        round.releasedSum = nil
        return moved
    }

    /// Adds noise to the sum, once, stores it, once, and lets go of it.
    private func releasedSum(of round: ActiveRound) async throws(Fault) -> ReleasedSum {
        if let released = round.releasedSum { return released }
        let plan = round.plan.plan
        let total = round.total
        let drawNoise = surroundings.randomness.noise
        if round.noised == nil {
            round.noised = try await compute { () throws(Fault) in
                var random = drawNoise()
                return try NoisedSum(closing: try total.taken(), plan: plan, noise: &random)
            }
        }
        guard let noised = round.noised else {
            throw Fault(.internal, "round \(round.at) has no sum")
        }
        let released = try await registry.withBlobs(
            "store the sum of round \(round.at)", writing: 8 * noised.count
        ) { blobs throws(Fault) in
            try ReleasedSum(storing: noised, of: plan, in: blobs)
        }
        round.releasedSum = released
        round.noised = nil
        return released
    }

    /// Makes what a round made durable, with its phase.
    private func release(_ moved: Moved, of round: ActiveRound) async throws(Fault) {
        let plan = round.plan.plan
        let secret = random.bytes(UpdateCommitments.secretBytes)
        let updates = try await commitments(
            to: round.counted.map { ($0.key, $0.value) }, secret: secret, plan: plan)
        var fields: [(String, FleetEvent.Value)] = [
            ("plan", .text(plan.id.name)), ("round", .number(round.at.round.number)),
            ("attempt", .number(UInt64(round.at.attempt))),
            ("aggregate", .text(moved.aggregateDigest.hex)),
            ("master", .text(moved.masterDigest.hex)),
            ("updates", .text(updates.root.hex)), ("capacity", .number(UInt64(updates.capacity))),
        ]
        if let norm = moved.clippingNorm {
            fields.append(("nextClippingNorm", .decimal(Double(norm))))
        }
        try await registry.release(
            round.at, aggregateDigest: moved.aggregateDigest, masterDigest: moved.masterDigest,
            velocityDigest: moved.velocityDigest, nextClippingNorm: moved.clippingNorm,
            participation: plan.privacy == nil
                ? StoredParticipation(examples: round.total.weight, rejected: round.rejected)
                : nil, commitmentSecret: secret, nowUnixMilliseconds: clock.unixMilliseconds,
            event: FleetEvent(.roundSealed, fields))
        round.phase = .sealing
        progress.fire()
    }

    /// What a round has released.
    private struct Released: Sendable {
        let masterDigest: Digest
        let velocityDigest: Digest?
        /// C of the next round, where clipping is adaptive.
        let clippingNorm: Float?
        /// To whose updates the sum is of.
        let updates: UpdateCommitments
        /// Nil in a private plan.
        let participation: ModelFacts.RoundFacts.Participation?
    }

    /// Reads back what a round has released, as a coordinator does that was not there.
    ///
    /// - Throws: `conflict` for a round that an older version of the coordinator released.
    private func released(by round: ActiveRound) async throws(Fault) -> Released {
        let plan = round.plan.plan
        let stored = try await registry.round(round.at.round)
        guard let masterDigest = stored.masterDigest, let secret = stored.commitmentSecret,
            (stored.participation == nil) == (plan.privacy != nil)
        else {
            throw Fault(.conflict, "round \(round.at) was released by another version of Tributary")
        }
        let counted = try await registry.contributions(of: round.at).filter { !$0.isLost }
        let updates = try await commitments(
            to: counted.map { ($0.agent, $0.updateDigest) }, secret: secret.bytes, plan: plan)
        return Released(
            masterDigest: masterDigest, velocityDigest: stored.velocityDigest,
            clippingNorm: stored.nextClippingNorm, updates: updates,
            participation: stored.participation.map {
                ModelFacts.RoundFacts.Participation(
                    agents: counted.count, examples: $0.examples, rejected: $0.rejected)
            })
    }

    /// What says whose updates a sum is of, and tells it to nobody without the secret.
    private func commitments(
        to contributions: [(AgentID, Digest)], secret: [UInt8], plan: Plan
    ) async throws(Fault) -> UpdateCommitments {
        try await compute { () throws(Fault) in
            UpdateCommitments(
                secret: secret, contributions: contributions,
                capacity: UpdateCommitments.capacity(for: plan))
        }
    }
}

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
        let distilled = await distilled(released.master, digest: released.masterDigest, of: round)
        let candidate = try candidate(released, distilled, of: round)
        let sealed: SealedModel
        do throws(Fault) {
            sealed = try await compute { () throws(Fault) in try candidate.sealed() }
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
    ) throws(Fault) -> Candidate {
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
            master: distilled?.parameters ?? released.master, velocity: released.velocity,
            clippingNorm: released.clippingNorm,
            spend: spend(of: round.plan, epsilon: round.epsilonAfter),
            testDirectory: try data(of: plan.id).testDirectory, key: keys.modelKey,
            certificates: keys.signingChain)
    }

    private func publish(
        _ sealed: SealedModel, of candidate: Candidate, in round: ActiveRound
    ) async throws(Fault) {
        let model = try await store(sealed, of: candidate)
        try await settleTraffic(of: round)
        try await registry.publish(
            round.at, model: model, nowUnixMilliseconds: clock.unixMilliseconds,
            events: [modelSigned(model, sealed, candidate)])
        serve(model)
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
        if round.reservedEpsilon == nil {
            if let refusal = budget.refusal() { return refusal }
            // Reserved before it is durable, so that no other plan's round spends the same.
            round.reservedEpsilon = budget.afterOneMore()
            count(1, chargeOf: plan, privacy)
        }
        let epsilon = round.reservedEpsilon ?? budget.epsilon
        round.isBeingCharged = true
        defer { round.isBeingCharged = false }
        do throws(Fault) {
            try await registry.chargeBudget(
                round.at, plan: plan.id, population: plan.population,
                noiseMultiplier: privacy.noiseMultiplier, samplingRate: privacy.sampling.rate,
                delta: privacy.delta, epsilonAfter: epsilon, nowUnix: clock.unixSeconds,
                event: budgetCharged(round, privacy, epsilon: epsilon))
        } catch {
            // Cancelled before it was charged; or charged before, when the disk did not say so.
            guard error.code == .gone || error.code == .conflict else { throw error }
            round.isBeingCharged = false
            await settleReservation(of: round)
            guard round.epsilonAfter != nil else { throw error }
            return nil
        }
        round.epsilonAfter = epsilon
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
            round.reservedEpsilon = nil
            count(-1, chargeOf: round.plan.plan, privacy)
        }
    }

    private func count(_ change: Int, chargeOf plan: Plan, _ privacy: PrivacyPlan) {
        plans[plan.id]?.charges += change
        spent[plan.population, default: [:]][PrivacyCharge(of: privacy), default: 0] += change
    }

    private func budgetCharged(
        _ round: ActiveRound, _ privacy: PrivacyPlan, epsilon: Double
    ) -> FleetEvent {
        FleetEvent(
            .budgetCharged,
            [
                ("plan", .text(round.plan.plan.id.name)),
                ("population", .text(round.plan.plan.population)),
                ("round", .number(round.at.round.number)),
                ("attempt", .number(UInt64(round.at.attempt))),
                ("noiseMultiplier", .decimal(privacy.noiseMultiplier)),
                ("samplingRate", .decimal(privacy.sampling.rate)),
                ("delta", .decimal(privacy.delta)), ("epsilon", .decimal(epsilon)),
            ])
    }

    /// Adds noise to the sum, and moves the fp32 master weights, and an adaptive clipping norm, by it.
    ///
    /// A wide plan's vectors are what a coordinator needs most memory for: each goes before the next is made.
    private func move(_ round: ActiveRound) async throws(Fault) -> Moved {
        let plan = round.plan.plan
        let total = round.total
        let drawNoise = surroundings.randomness.noise
        if round.noised == nil {
            round.noised = try await compute { () throws(Fault) in
                var random = drawNoise()
                return NoisedSum(
                    try aggregate(sum: try total.taken(), plan: plan, noise: &random), of: plan)
            }
        }
        let aggregateDigest = try await putAggregate(of: round)
        guard let noised = round.noised else {
            throw Fault(.internal, "round \(round.at) has no sum")
        }
        let (master, velocity) = try await weights(
            round.base.masterDigest, round.base.velocityDigest, count: plan.parameterCount)
        let moved = try await compute { () throws(Fault) -> Moved in
            var optimizer = ServerOptimizer(plan: plan.server, velocity: velocity)
            var moved = master
            try optimizer.step(master: &moved, average: noised.average)
            return Moved(
                aggregateDigest: aggregateDigest, master: moved, velocity: optimizer.velocity,
                clippingNorm: noised.clippingNorm)
        }
        round.noised = nil
        return moved
    }

    /// Stores the noised sum, once, and lets go of it.
    private func putAggregate(of round: ActiveRound) async throws(Fault) -> Digest {
        if let digest = round.noised?.digest { return digest }
        let digest = try await registry.putBlob(round.noised?.aggregate ?? [])
        round.noised?.digest = digest
        round.noised?.aggregate = []
        return digest
    }

    /// Makes what a round made durable, with its phase.
    private func release(_ moved: Moved, of round: ActiveRound) async throws(Fault) {
        let plan = round.plan.plan
        let secret = random.bytes(UpdateCommitments.secretBytes)
        let updates = try await commitments(
            to: round.counted.map { ($0.key, $0.value) }, secret: secret, plan: plan)
        let aggregateDigest = moved.aggregateDigest
        let masterDigest = try await put(moved.master)
        let velocityDigest = moved.velocity.isEmpty ? nil : try await put(moved.velocity)
        var fields: [(String, FleetEvent.Value)] = [
            ("plan", .text(plan.id.name)), ("round", .number(round.at.round.number)),
            ("attempt", .number(UInt64(round.at.attempt))),
            ("aggregate", .text(aggregateDigest.hex)), ("master", .text(masterDigest.hex)),
            ("updates", .text(updates.root.hex)), ("capacity", .number(UInt64(updates.capacity))),
        ]
        if let norm = moved.clippingNorm {
            fields.append(("nextClippingNorm", .decimal(Double(norm))))
        }
        try await registry.release(
            round.at, aggregateDigest: aggregateDigest, masterDigest: masterDigest,
            velocityDigest: velocityDigest, nextClippingNorm: moved.clippingNorm,
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
        let master: [Float]
        let velocity: [Float]
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
        let (master, velocity) = try await weights(
            masterDigest, stored.velocityDigest, count: plan.parameterCount)
        let counted = try await registry.contributions(of: round.at).filter { !$0.isLost }
        let updates = try await commitments(
            to: counted.map { ($0.agent, $0.updateDigest) }, secret: secret.bytes, plan: plan)
        return Released(
            masterDigest: masterDigest, master: master, velocity: velocity,
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

    /// Master weights and optimiser state from their blobs.
    func weights(
        _ master: Digest, _ velocity: Digest?, count: Int
    ) async throws(Fault) -> (master: [Float], velocity: [Float]) {
        let bytes = try await registry.blob(master)
        var state: [UInt8]?
        if let velocity { state = try await registry.blob(velocity) }
        return try await compute { [state] () throws(Fault) in
            (
                try ParameterBlob.decode(bytes, count: count),
                try state.map { state throws(Fault) in
                    try ParameterBlob.decode(state, count: count)
                } ?? []
            )
        }
    }
}

/// What a round makes of its base version, before that is durable.
struct Moved: Sendable {
    /// The noised sum, a blob.
    let aggregateDigest: Digest
    let master: [Float]
    let velocity: [Float]
    /// C of the next round, where clipping is adaptive.
    let clippingNorm: Float?
}

/// A round's sum with its noise.
struct NoisedSum: Sendable {
    /// As it is stored; empty once it is.
    var aggregate: [UInt8]
    /// Its blob.
    var digest: Digest?
    /// The average change of the parameters.
    let average: [Float]
    /// C of the next round, where clipping is adaptive.
    let clippingNorm: Float?

    init(_ released: RoundAggregate, of plan: Plan) {
        aggregate = ParameterBlob.encode(released.sums)
        average = released.average
        clippingNorm = plan.clipping.adaptive.map { _ in released.nextClippingNorm }
    }
}

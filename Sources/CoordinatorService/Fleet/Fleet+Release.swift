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

    /// Charges the budget, adds noise, moves the master weights, seals and publishes.
    ///
    /// The order is the design's: the charge is durable before noise is drawn; master and aggregate are durable, with the
    /// phase, before anything is derived from them, be it by distillation; the version, whose master weights may be
    /// distilled ones, and its phase are one transaction.
    ///
    /// - Returns: nil when a version was published, otherwise why it was refused.
    func seal(_ round: ActiveRound) async throws(Fault) -> AbandonReason? {
        try await registry.transition(
            round.at, from: .training, to: .aggregating,
            nowUnixMilliseconds: unixMilliseconds(), event: nil)
        round.phase = .aggregating
        progress.fire()
        try await charge(round)
        let (moved, masterDigest) = try await move(round)
        let distilled = await distilled(moved.master, digest: masterDigest, of: round)
        let candidate = try candidate(moved, distilled, of: round)
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
        _ moved: Moved, _ distilled: PostRoundDistillation?, of round: ActiveRound
    ) throws(Fault) -> Candidate {
        let plan = round.plan.plan
        let origin = ModelFacts.RoundFacts(
            at: round.at, lattice: round.lattice, updates: moved.updates.root,
            capacity: moved.updates.capacity,
            participation: plan.privacy == nil
                ? ModelFacts.RoundFacts.Participation(
                    agents: round.sum.count, examples: round.sum.totalWeight,
                    rejected: round.rejected) : nil, distillation: distilled?.trial)
        return Candidate(
            fleet: keys.fleet, plan: plan, planDigest: round.plan.digest,
            version: round.base.version + 1,
            parent: Candidate.Parent(
                model: round.base.modelDigest, version: round.base.version,
                accuracy: round.base.accuracy), origin: .round(origin),
            master: distilled?.parameters ?? moved.master, velocity: moved.velocity,
            clippingNorm: moved.clippingNorm, spend: spend(of: round.plan),
            testDirectory: try data(of: plan.id).testDirectory, key: keys.modelKey,
            certificates: keys.signingChain)
    }

    private func publish(
        _ sealed: SealedModel, of candidate: Candidate, in round: ActiveRound
    ) async throws(Fault) {
        let model = try await store(sealed, of: candidate)
        try await settleTraffic(of: round)
        try await registry.publish(
            round.at, model: model, nowUnixMilliseconds: unixMilliseconds(),
            events: [modelSigned(model, sealed, candidate)])
        serve(model)
        round.phase = .published
        plans[round.plan.plan.id]?.serving = model
        var metadata: Logger.Metadata = [
            "round": "\(round.at)", "plan": "\(model.plan)", "version": "\(model.version)",
        ]
        if let norm = model.clippingNorm { metadata["clippingNorm"] = "\(norm)" }
        log.info("version published", metadata: metadata)
        offers.fire()
        progress.fire()
    }

    /// Writes the round's privacy spend into the ledger, before any noise is drawn.
    private func charge(_ round: ActiveRound) async throws(Fault) {
        guard let privacy = round.plan.plan.privacy, let budget = budget(of: round.plan) else {
            return
        }
        let epsilon = budget.afterOneMore()
        try await registry.chargeBudget(
            round.at, plan: round.plan.plan.id, population: round.plan.plan.population,
            noiseMultiplier: privacy.noiseMultiplier, samplingRate: privacy.sampling.rate,
            delta: privacy.delta, epsilonAfter: epsilon, nowUnix: unixSeconds(),
            event: FleetEvent(
                .budgetCharged,
                [
                    ("plan", .text(round.plan.plan.id.name)),
                    ("population", .text(round.plan.plan.population)),
                    ("round", .number(round.at.round.number)),
                    ("attempt", .number(UInt64(round.at.attempt))),
                    ("noiseMultiplier", .decimal(privacy.noiseMultiplier)),
                    ("samplingRate", .decimal(privacy.sampling.rate)),
                    ("delta", .decimal(privacy.delta)), ("epsilon", .decimal(epsilon)),
                ]))
        plans[round.plan.plan.id]?.charges += 1
        spent[round.plan.plan.population, default: [:]][PrivacyCharge(of: privacy), default: 0] += 1
    }

    /// What a round made of its base version.
    private struct Moved: Sendable {
        let sums: [Int64]
        let master: [Float]
        let velocity: [Float]
        /// C of the next round, where clipping is adaptive.
        let clippingNorm: Float?
        /// To whose updates the sum is of.
        let updates: UpdateCommitments
    }

    /// Releases the noised aggregate and moves the fp32 master weights, and an adaptive clipping norm, by it.
    private func move(
        _ round: ActiveRound
    ) async throws(Fault) -> (moved: Moved, masterDigest: Digest) {
        let plan = round.plan.plan
        let count = plan.parameterCount
        let master = try ParameterBlob.decode(
            try await registry.blob(round.base.masterDigest), count: count)
        var velocity: [Float] = []
        if let digest = round.base.velocityDigest {
            velocity = try ParameterBlob.decode(try await registry.blob(digest), count: count)
        }
        var random = SystemRandom()
        let secret = random.bytes(UpdateCommitments.secretBytes)
        let contributions = try await registry.contributions(of: round.at)
        let sum = round.sum
        let before = velocity
        let drawNoise = randomness.noise
        let moved = try await compute { () throws(Fault) -> Moved in
            var random = drawNoise()
            let released = try aggregate(sum: sum, plan: plan, noise: &random)
            var optimizer = ServerOptimizer(plan: plan.server, velocity: before)
            var moved = master
            try optimizer.step(master: &moved, average: released.average)
            return Moved(
                sums: released.sums, master: moved, velocity: optimizer.velocity,
                clippingNorm: plan.clipping.adaptive.map { _ in released.nextClippingNorm },
                updates: UpdateCommitments(
                    secret: secret,
                    contributions: contributions.map { ($0.agent, $0.updateDigest) },
                    capacity: UpdateCommitments.capacity(for: plan)))
        }
        let masterDigest = try await release(moved, secret: secret, of: round)
        return (moved, masterDigest)
    }

    /// Makes what a round made durable, with its phase.
    ///
    /// - Returns: the blob with the master weights.
    private func release(
        _ moved: Moved, secret: [UInt8], of round: ActiveRound
    ) async throws(Fault) -> Digest {
        let aggregateDigest = try await registry.putBlob(ParameterBlob.encode(moved.sums))
        let masterDigest = try await registry.putBlob(ParameterBlob.encode(moved.master))
        let velocityDigest =
            moved.velocity.isEmpty
            ? nil : try await registry.putBlob(ParameterBlob.encode(moved.velocity))
        var fields: [(String, FleetEvent.Value)] = [
            ("plan", .text(round.plan.plan.id.name)), ("round", .number(round.at.round.number)),
            ("attempt", .number(UInt64(round.at.attempt))),
            ("aggregate", .text(aggregateDigest.hex)), ("master", .text(masterDigest.hex)),
            ("updates", .text(moved.updates.root.hex)),
            ("capacity", .number(UInt64(moved.updates.capacity))),
        ]
        if let norm = moved.clippingNorm {
            fields.append(("nextClippingNorm", .decimal(Double(norm))))
        }
        try await registry.release(
            round.at, aggregateDigest: aggregateDigest, masterDigest: masterDigest,
            velocityDigest: velocityDigest, nextClippingNorm: moved.clippingNorm,
            commitmentSecret: secret, nowUnixMilliseconds: unixMilliseconds(),
            event: FleetEvent(.roundSealed, fields))
        round.phase = .sealing
        progress.fire()
        return masterDigest
    }
}

import Federation
import Logging
import Provenance
import Registry

extension Fleet {
    /// Makes the weights of an older version, or of the newest, the plan's next version, signed with the current key: the
    /// way back after a bad version, or after a key was compromised. No device takes part, and nothing is spent.
    ///
    /// - Throws: `notFound` for an unknown version; `conflict` while rounds of the plan run, or on a state that was set back; `storage` when its weights
    ///   are not to be read.
    func republish(plan id: PlanID, version: UInt64) async throws(Fault) -> StoredModel {
        await beginChange(of: id)
        defer { endChange(of: id) }
        guard let plan = plans[id], let newest = plan.serving else {
            throw Fault(.conflict, "plan \(id) has no model yet")
        }
        try refuseIfRolledBack()
        try refuseWhileBusy(id)
        // Set without a pause after the look, so that no round begins on a version that is no longer the newest.
        republishing.insert(id)
        defer { republishing.remove(id) }
        let source = try await registry.model(id, version: version)
        let candidate = try await candidate(from: source, of: plan, version: newest.version + 1)
        let sealed = try await compute { () throws(Fault) in try candidate.sealed() }
        let model = try await store(sealed, of: candidate)
        try await registry.republish(
            model, event: modelSigned(model, sealed, candidate), nowUnix: unixSeconds())
        serve(model)
        plans[id]?.serving = model
        log.info(
            "version republished",
            metadata: ["plan": "\(id)", "from": "\(version)", "version": "\(model.version)"])
        offers.fire()
        progress.fire()
        return model
    }

    private func refuseWhileBusy(_ id: PlanID) throws(Fault) {
        if let job = jobs.values.first(where: { $0.plan == id && $0.state == .running }) {
            throw Fault(
                .conflict, "plan \(id) is busy with job \(job.id)",
                remedy: "wait until its rounds have ended, or cancel them with `round cancel`")
        }
    }

    private func candidate(
        from source: StoredModel, of plan: PlanRuntime, version: UInt64
    ) async throws(Fault) -> Candidate {
        let count = plan.plan.parameterCount
        let master = try ParameterBlob.decode(
            try await registry.blob(source.masterDigest), count: count)
        var velocity: [Float] = []
        if let digest = source.velocityDigest {
            velocity = try ParameterBlob.decode(try await registry.blob(digest), count: count)
        }
        return Candidate(
            fleet: keys.fleet, plan: plan.plan, planDigest: plan.digest, version: version,
            parent: Candidate.Parent(
                model: source.modelDigest, version: source.version, accuracy: nil),
            origin: .republication, master: master, velocity: velocity,
            clippingNorm: source.clippingNorm, spend: spend(of: plan),
            testDirectory: try data(of: plan.plan.id).testDirectory, key: keys.modelKey,
            certificates: keys.signingChain)
    }
}

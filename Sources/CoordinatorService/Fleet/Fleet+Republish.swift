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
        try await beginCommandedChange(of: id)
        defer { endChange(of: id) }
        guard let plan = plans[id], let newest = plan.serving else {
            throw Fault(.conflict, "plan \(id) has no model yet")
        }
        try refuseIfRolledBack()
        try refuseWhileBusy(id)
        // Set without a pause after the look, so that no round begins on a version that is no longer the newest.
        republishing.insert(id)
        defer {
            republishing.remove(id)
            workChanges.fire()
        }
        let source = try await registry.model(id, version: version)
        guard source.collectedUnix == nil else {
            throw Fault(
                .gone, "the weights of version \(version) of plan \(id) were collected",
                remedy: "republish a version that [retention] of the plan has kept")
        }
        let candidate = try await candidate(
            from: source, of: plan, version: newest.version + 1)
        let sealed = try await sealed(candidate)
        let model = try await store(sealed, of: candidate)
        try await registry.republish(
            model, event: modelSigned(model, sealed, candidate), nowUnix: clock.unixSeconds)
        serve(model)
        counts[id].models += 1
        plans[id]?.serving = model
        log.info(
            "version republished",
            metadata: ["plan": "\(id)", "from": "\(version)", "version": "\(model.version)"])
        applyRetention(of: id)
        offers.fire()
        progress.fire()
        return model
    }

    private func refuseWhileBusy(_ id: PlanID) throws(Fault) {
        // Jobs of a paused plan wait, and may wait for this, too.
        let next =
            hindrance(to: id) == nil
            ? jobs.values.first { $0.plan == id && $0.state == .running }?.id : nil
        if let job = work[id]?.current ?? rounds[id]?.job ?? next {
            throw Fault(
                .conflict, "plan \(id) is busy with job \(job)",
                remedy: "wait until its round has ended and pause the plan, or cancel the job")
        }
    }

    private func candidate(
        from source: StoredModel, of plan: PlanRuntime, version: UInt64
    ) async throws(Fault) -> Candidate {
        Candidate(
            fleet: keys.fleet, plan: plan.plan, planDigest: plan.digest, version: version,
            parent: Candidate.Parent(
                model: source.modelDigest, version: source.version, accuracy: nil),
            origin: .republication, master: .stored(source.masterDigest),
            velocityDigest: source.velocityDigest, clippingNorm: source.clippingNorm,
            spend: try await spend(of: plan),
            testDirectory: try data(of: plan.plan.id).testDirectory, key: keys.modelKey,
            certificates: keys.signingChain)
    }
}

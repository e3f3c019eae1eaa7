import Configuration
import Cryptography
import Federation
import Learning
import Logging
import ModelFormats
import Privacy
import Provenance
import Registry
import Wire

extension Fleet {
    /// Takes a plan's text into service; a new plan's first model is prepared in the background.
    ///
    /// - Throws: `Fault.invalid` with line and column; `conflict` when the plan's model would change shape, or its rounds
    ///   could no longer be accounted for.
    func applyPlan(_ text: [UInt8]) async throws(Fault) -> PlanRecord {
        try refuseIfNotStoring()
        // Noise for a target epsilon takes a while to calibrate.
        let plan = try await compute { () throws(Fault) in
            try PlanFile.parse(text, file: "plan")
        }
        try await beginCommandedChange(of: plan.id)
        defer { endChange(of: plan.id) }
        try await checkChange(to: plan)
        _ = try data(of: plan.id)
        let digest = try await registry.putBlob(text)
        let now = clock.unixSeconds
        let isNew = try await registry.applyPlan(
            plan.id, digest: digest, population: plan.population, title: plan.title, nowUnix: now,
            event: FleetEvent(
                .planApplied, [("plan", .text(plan.id.name)), ("digest", .text(digest.hex))]))
        // Read only now: while the registry worked, a round may have been charged.
        let previous = plans[plan.id]
        if !isNew, let previous, previous.digest == digest,
            previous.state == .ready || isPreparing(previous)
        {
            // The disk may have failed when the text came first.
            try await noteStanding(of: previous)
            try await follow(plan.id)
            return try await record(of: previous)
        }
        let runtime = PlanRuntime(
            plan: plan, digest: digest, textSize: UInt64(text.count), appliedUnix: now,
            state: previous?.serving == nil
                ? .preparing(stage: FirstModel.Stage.teacher.rawValue, progress: 0) : .ready,
            serving: previous?.serving, teacherAccuracy: previous?.teacherAccuracy,
            teacherDigest: previous?.teacher(for: plan),
            firstAccuracy: previous?.firstAccuracy, charges: previous?.charges ?? 0,
            pause: previous?.pause)
        try await takeIntoService(runtime)
        return try await record(of: runtime)
    }

    /// Waits until nobody else writes the plan's text or first model: which shape it has is decided by one at a time.
    func beginChange(of id: PlanID) async {
        while changing.contains(id) {
            await progress.wait(after: progress.generation, seconds: 1)
        }
        changing.insert(id)
    }

    /// The same for a command. Whoever writes now may wait for the disk; who gave the command does not.
    ///
    /// - Throws: `storage` as soon as the storage does not serve.
    func beginCommandedChange(of id: PlanID) async throws(Fault) {
        try refuseIfNotStoring()
        while changing.contains(id) {
            await progress.wait(after: progress.generation, seconds: 1)
            try refuseIfNotStoring()
        }
        changing.insert(id)
    }

    func endChange(of id: PlanID) {
        changing.remove(id)
        progress.fire()
    }

    /// Refuses a text that does not fit the plan's model, the round that is running, or what was already spent.
    private func checkChange(to plan: Plan) async throws(Fault) {
        let begun = try await registry.roundsBegun(plan: plan.id)
        guard let previous = plans[plan.id] else { return }
        let shapes = (
            before: try StudentShape(plan: previous.plan).deployed,
            now: try StudentShape(plan: plan).deployed
        )
        guard previous.serving == nil || shapes.before == shapes.now else {
            throw Fault(
                .conflict,
                "plan \(plan.id) already has a model of shape \(previous.plan.widths), this text says \(plan.widths)",
                remedy: "give the new shape a plan name of its own")
        }
        guard rounds[plan.id] == nil else {
            throw Fault(
                .conflict, "a round of plan \(plan.id) is running",
                remedy: "wait for it, or cancel it with `round cancel`")
        }
        // The budget takes every round of a plan to be like the others; mixed, it would state too little.
        let noises = [previous.plan, plan].map { $0.privacy?.localNoiseMultiplier ?? 0 }
        // Against the coordinator, rounds count that ended before their charge.
        let hasRun =
            previous.charges > 0 || (previous.serving?.version ?? 0) > 0
            || begun > 0 && noises[0] != noises[1]
        guard
            !hasRun
                || previous.plan.privacy.isAccountedLike(plan.privacy)
                    && previous.plan.population == plan.population
        else {
            throw Fault(
                .conflict,
                "rounds of plan \(plan.id) were run with another [privacy] or population",
                remedy: "give the plan with the new one a name of its own")
        }
    }

    /// Loads a stored plan at start.
    func load(_ stored: StoredPlan) async throws(Fault) {
        let text = try await registry.blob(stored.digest)
        let plan = try PlanFile.parse(text, file: "plan \(stored.plan)")
        let models = try await registry.models(stored.plan)
        for model in models { serve(model) }
        let runtime = PlanRuntime(
            plan: plan, digest: stored.digest, textSize: UInt64(text.count),
            appliedUnix: stored.appliedUnix,
            state: models.isEmpty
                ? .preparing(stage: FirstModel.Stage.teacher.rawValue, progress: 0) : .ready,
            serving: models.max { $0.version < $1.version },
            teacherAccuracy: stored.accuracyTeacher, teacherDigest: stored.teacherDigest,
            firstAccuracy: models.first { $0.version == 0 }?.accuracy,
            charges: try await registry.charges(plan: stored.plan), pause: stored.pause)
        try await takeIntoService(runtime)
    }

    /// Serves the text that the registry has made a plan's current one. What it takes to go on with it is begun although
    /// where the plan stands cannot be written down: that is made up for when the same text is applied again.
    private func takeIntoService(_ runtime: PlanRuntime) async throws(Fault) {
        let population = runtime.plan.population
        if spent[population] == nil {
            let ledger = try await registry.ledger(population: population)
            // Another plan of this population may have come, and charged, meanwhile.
            if spent[population] == nil { spent[population] = Self.charges(in: ledger) }
        }
        servedBlobs[runtime.digest] = runtime.plan.id
        plans[runtime.plan.id] = runtime
        var refused: Fault?
        do throws(Fault) { try await noteStanding(of: runtime) } catch { refused = error }
        if isPreparing(runtime) {
            inBackground { await self.prepareFirstModel(of: runtime) }
        }
        applyRetention(of: runtime.plan.id)
        offers.fire()
        progress.fire()
        try await follow(runtime.plan.id)
        if let refused { throw refused }
    }

    /// Writes down where a plan stands, beside its text.
    private func noteStanding(of runtime: PlanRuntime) async throws(Fault) {
        try await registry.setPlanState(
            runtime.plan.id, state: runtime.state.name, detail: runtime.state.detail,
            accuracyTeacher: runtime.teacherAccuracy)
        if let teacher = runtime.teacherDigest {
            try await keepTeacher(teacher, of: runtime.plan.id)
        }
    }

    static func charges(in ledger: [StoredCharge]) -> [PrivacyCharge: Int] {
        ledger.reduce(into: [:]) { counts, row in
            let charge = PrivacyCharge(
                noiseMultiplier: row.noiseMultiplier, samplingRate: row.samplingRate)
            counts[charge, default: 0] += 1
        }
    }

    private func isPreparing(_ plan: PlanRuntime) -> Bool {
        if case .preparing = plan.state { true } else { false }
    }

    /// The directories with the coordinator's own examples for a plan.
    func data(of plan: PlanID) throws(Fault) -> (publicDirectory: String, testDirectory: String) {
        guard let data = configuration.data[plan] else {
            throw Fault(
                .invalid, "coordinator.toml has no [data.\(plan)]",
                remedy:
                    "name the directories with the coordinator's own labelled examples there, then restart the coordinator"
            )
        }
        return data
    }

    /// Trains the teacher, distils the student, signs and publishes version 0.
    private func prepareFirstModel(of plan: PlanRuntime) async {
        let id = plan.plan.id
        do throws(Fault) {
            let data = try data(of: id)
            let seed: UInt64 = random.next()
            let fleet = self
            let first = try await compute { () throws(Fault) in
                try FirstModel.make(
                    plan: plan.plan, publicDirectory: data.publicDirectory,
                    testDirectory: data.testDirectory, seed: seed,
                    progress: { stage, fraction in
                        Task(executorPreference: fleet.surroundings.executor) {
                            await fleet.setPreparation(of: plan, stage, fraction)
                        }
                        return true
                    })
            }
            let candidate = Candidate(
                fleet: keys.fleet, plan: plan.plan, planDigest: plan.digest, version: 0,
                parent: nil, origin: .distillation(teacherAccuracy: first.teacherAccuracy),
                master: .values(first.parameters), velocityDigest: nil, clippingNorm: nil,
                spend: try await spend(of: plan),
                testDirectory: data.testDirectory, key: keys.modelKey,
                certificates: keys.signingChain)
            let sealed = try await sealed(candidate)
            await beginChange(of: id)
            defer { endChange(of: id) }
            guard isAwaited(plan), !Task.isCancelled else { return }
            if let teacher = first.teacher, plan.plan.distillation.postRoundEpochs > 0 {
                try await keep(teacher, of: plan.plan)
            }
            let model = try await store(sealed, of: candidate)
            try await registry.publishFirstModel(
                model, event: modelSigned(model, sealed, candidate), nowUnix: clock.unixSeconds)
            serve(model)
            counts[id].models += 1
            plans[id]?.serving = model
            plans[id]?.state = .ready
            plans[id]?.teacherAccuracy = first.teacherAccuracy
            plans[id]?.firstAccuracy = sealed.accuracy
            try await registry.setPlanState(
                id, state: "ready", detail: "", accuracyTeacher: first.teacherAccuracy)
            log.info("first model published", metadata: ["plan": "\(id)"])
        } catch {
            guard isAwaited(plan), !Task.isCancelled else { return }
            plans[id]?.state = .failed(error.description)
            log.error(
                "the first model failed", metadata: ["plan": "\(id)", "why": "\(error)"])
            try? await registry.setPlanState(
                id, state: "failed", detail: error.description, accuracyTeacher: nil)
        }
        workChanges.fire()
        offers.fire()
        progress.fire()
    }

    /// Whether this text's first model is still wanted; a newer text may have taken its place while it was prepared.
    private func isAwaited(_ plan: PlanRuntime) -> Bool {
        guard let current = plans[plan.plan.id] else { return false }
        return current.digest == plan.digest && isPreparing(current)
    }

    private func setPreparation(of plan: PlanRuntime, _ stage: FirstModel.Stage, _ fraction: Double)
    {
        guard isAwaited(plan) else { return }
        plans[plan.plan.id]?.state = .preparing(stage: stage.rawValue, progress: fraction)
        progress.fire()
    }
}

extension PlanRuntime {
    /// The kept teacher if it is what another text of this plan asks for, too.
    fileprivate func teacher(for other: Plan) -> Digest? {
        let isWanted =
            plan.teacher == other.teacher && plan.data == other.data
            && other.distillation.postRoundEpochs > 0
        return isWanted ? teacherDigest : nil
    }
}

import Federation
import Privacy
import Registry
import Rounds
import Wire

/// What the wire says where a number was not measured or does not apply.
private let notMeasured = -1.0

/// How stored and live state is told to an admin.
extension Fleet {
    /// - Parameter tellsCounts: whether it tells a number that grows with a private round's cohort, the revision.
    func record(
        of plan: PlanRuntime, tellsCounts: Bool = true
    ) async throws(Fault) -> PlanRecord {
        let privacy = plan.plan.privacy
        var fraction = plan.state == .ready ? 1.0 : 0
        if case .preparing(_, let progress) = plan.state { fraction = progress }
        var record = PlanRecord(
            plan: plan.plan.id.name, digest: plan.digest.bytes, title: plan.plan.title,
            state: plan.state.name, detail: plan.state.detail, progress: fraction,
            revision: tellsCounts ? progress.generation : 0,
            parameters: UInt64(plan.plan.parameterCount),
            hasModel: plan.serving != nil, modelVersion: plan.serving?.version ?? 0,
            accuracyTeacher: plan.teacherAccuracy ?? notMeasured,
            accuracyFirst: plan.firstAccuracy ?? notMeasured,
            accuracyLast: plan.serving?.accuracy ?? notMeasured,
            epsilon: budget(of: plan)?.epsilon ?? notMeasured,
            population: plan.plan.population, appliedUnix: plan.appliedUnix,
            noiseMultiplier: privacy?.noiseMultiplier ?? 0, delta: privacy?.delta ?? 0,
            clippingNorm: Double(plan.clippingNorm ?? plan.plan.clipping.norm),
            localNoiseMultiplier: privacy?.localNoiseMultiplier ?? 0,
            localEpsilon: try await localEpsilon(of: plan) ?? 0)
        describeWork(of: plan, in: &record)
        return record
    }

    /// The plan's schedule, queue and pause.
    private func describeWork(of plan: PlanRuntime, in record: inout PlanRecord) {
        let id = plan.plan.id
        record.pausedUnix = plan.pause?.unix ?? 0
        record.pausedReason = plan.pause?.reason ?? ""
        record.everySeconds = plan.plan.schedule?.everySeconds ?? 0
        record.readyAgents = UInt32(clamping: plan.plan.schedule?.readyAgents ?? 0)
        record.agentsReady = UInt32(clamping: readyAgents(for: plan))
        record.jobsOpen = UInt32(clamping: jobs.values.count { $0.plan == id })
        guard let work = work[id] else { return }
        record.waitsFor = whatHolds(id)
        if plan.plan.schedule != nil, work.current == nil {
            record.nextRoundSeconds = work.schedule.due.seconds(since: clock.now)
        }
    }

    /// - Parameter tellsPresence: whether it tells when the agent was last seen, to the second: who is not heard while a
    ///   private round trains is likely to be in it. Otherwise it is as the registry has it, which is written now and then.
    func record(
        of agent: StoredAgent, refusal: StoredRefusal?, tellsPresence: Bool
    ) -> AgentRecord {
        let seenUnix = tellsPresence ? presence[agent.id]?.seenUnix ?? 0 : 0
        return AgentRecord(
            agent: agent.id.name, state: agent.revokedUnix == nil ? "active" : "revoked",
            enrolledUnix: agent.enrolledUnix,
            lastSeenUnix: max(agent.lastSeenUnix, seenUnix),
            version: agent.version, cpuFeatures: agent.cpuFeatures, memoryKib: agent.memoryKiB,
            certificateExpiresUnix: agent.certificateExpiresUnix,
            revokedReason: agent.revokedReason,
            plans: agent.plans.map { stored in
                let isPrivate = plans[stored.plan]?.plan.privacy != nil
                return AgentPlanRecord(
                    plan: stored.plan.name,
                    // Whatever a device has told.
                    examples: isPrivate ? min(stored.examples, 1) : stored.examples,
                    unreadable: isPrivate ? 0 : stored.unreadable,
                    modelVersion: stored.modelVersion ?? 0, hasModel: stored.modelVersion != nil,
                    withheld: isPrivate)
            }, trustSetVersion: agent.trustSetVersion,
            refusal: refusal.map {
                "\($0.plan) version \($0.version): \($0.reason)"
            } ?? "", unavailable: presence[agent.id]?.unavailable ?? "")
    }

    /// - Parameter tellsCounts: whether how many agents took part may be told although the plan is private: to its
    ///   curator, who watches.
    func record(of round: StoredRound, tellsCounts: Bool = false) -> RoundRecord {
        let live = rounds.values.first { $0.at == round.at }
        let counts = live?.machine.counts ?? (selected: round.selected, reported: round.reported)
        let ended = round.endedUnixMilliseconds ?? clock.unixMilliseconds
        let isPrivate = plans[round.plan]?.plan.privacy != nil
        // The cohort's size stays secret, and so does what it can be counted from.
        let withheld = isPrivate && !tellsCounts
        return RoundRecord(
            round: round.at.round.number, attempt: round.at.attempt, plan: round.plan.name,
            phase: round.phase.rawValue, reason: round.reason,
            startedUnix: round.startedUnixMilliseconds / 1000,
            seconds: Double(ended - min(ended, round.startedUnixMilliseconds)) / 1000,
            selected: withheld ? 0 : UInt32(counts.selected),
            reported: withheld ? 0 : UInt32(counts.reported),
            modelVersion: round.publishedVersion ?? round.baseVersion,
            published: round.publishedVersion != nil, accuracy: round.accuracy ?? notMeasured,
            epsilon: isPrivate ? round.epsilonAfter ?? 0 : notMeasured,
            bytesIn: withheld ? 0 : round.bytesIn + (live?.bytesIn ?? 0),
            bytesOut: withheld
                ? 0 : round.bytesOut + (live == nil ? 0 : bytesOut[round.plan] ?? 0),
            clippingNorm: Double(round.clippingNorm ?? 0), withheld: withheld,
            history: round.history.map {
                PhaseRecord(phase: $0.phase.rawValue, unixMilliseconds: $0.unixMilliseconds)
            }, distillation: round.distillation.map(DistillationRecord.init))
    }

    func record(of model: StoredModel) -> ModelRecord {
        ModelRecord(
            model: ModelRef(model), round: model.round.number,
            accuracy: model.accuracy ?? notMeasured, createdUnix: model.createdUnix,
            parentVersion: model.parentVersion ?? 0, hasParent: model.parentVersion != nil,
            distillation: model.distillation.map(DistillationRecord.init),
            collectedUnix: model.collectedUnix ?? 0)
    }

    /// How the wire names where a job stands, and why.
    func standing(of job: StoredJob) -> (state: String, detail: String) {
        let live = jobs[job.job]
        guard job.state == JobRuntime.State.running.rawValue, live?.state ?? .running == .running
        else { return (live?.state.rawValue ?? job.state, live?.detail ?? job.detail) }
        let plan = job.plan
        guard work[plan]?.current != job.job, rounds[plan]?.job != job.job else {
            return ("running", work[plan]?.waitsFor ?? "")
        }
        let before = jobs.values.count {
            $0.plan == plan && $0.state == .running && $0.id < job.job
        }
        guard before == 0 else {
            return ("queued", before == 1 ? "after another job" : "after \(before) other jobs")
        }
        return hindrance(to: plan).map { ("queued", $0) } ?? ("running", "")
    }

    /// A job with the rounds it started, oldest first.
    ///
    /// - Parameters:
    ///   - afterRound: of the rounds only those with higher numbers.
    ///   - tellsCounts: as in `record(of:)`.
    func jobRecord(
        _ id: UInt64, afterRound: UInt64 = 0, tellsCounts: Bool
    ) async throws(Fault) -> JobRecord {
        // Read before the state, so that a change after it is seen by the next watch.
        let revision = tellsCounts ? progress.generation : 0
        let stored = try await registry.job(id)
        let rounds = try await registry.rounds(
            job: id, after: RoundID(afterRound), limit: Self.pageRows)
        let page = frameful(rounds, Self.size) { record(of: $0, tellsCounts: tellsCounts) }
        let (state, detail) = standing(of: stored)
        let spent = try await spending(of: stored, isOpen: state == "running" || state == "queued")
        let waiting = presence.values.count { $0.readiness[stored.plan] != nil }
        return JobRecord(
            job: id, plan: stored.plan.name, roundsWanted: UInt32(stored.rounds),
            roundsDone: UInt32(jobs[id]?.roundsDone ?? stored.roundsDone),
            state: state, detail: detail, revision: revision, rounds: page.items,
            agentsWaiting: UInt32(waiting),
            epsilon: spent?.epsilon ?? notMeasured, delta: spent?.delta ?? 0,
            noiseMultiplier: spent?.noiseMultiplier ?? 0,
            agentsForEpsilon4: spent?.agentsForEpsilon4 ?? 0, moreRounds: page.hasMore,
            createdUnix: stored.createdUnix)
    }

    /// What a job's population has spent: as it stands, or as it stood when the job had ended; nil without privacy.
    private func spending(
        of job: StoredJob, isOpen: Bool
    ) async throws(Fault) -> (
        epsilon: Double, delta: Double, noiseMultiplier: Double, agentsForEpsilon4: UInt32
    )? {
        guard let plan = plans[job.plan], let privacy = plan.plan.privacy else { return nil }
        func agents(_ rounds: Int) -> UInt32 {
            UInt32(clamping: agentsForEpsilon(4, plan: privacy, rounds: max(1, rounds)))
        }
        guard !isOpen else {
            return (
                budget(of: plan)?.epsilon ?? 0, privacy.delta, privacy.noiseMultiplier,
                agents(plan.charges)
            )
        }
        let last = try await registry.lastCharge(ofJob: job.job, population: plan.plan.population)
        let isOwn = last?.charge.plan == job.plan
        return (
            last?.charge.epsilonAfter ?? 0, last?.charge.delta ?? privacy.delta,
            isOwn ? last?.charge.noiseMultiplier ?? 0 : privacy.noiseMultiplier,
            agents(last?.charges ?? 0)
        )
    }
}

extension DistillationRecord {
    init(_ trial: DistillationTrial) {
        self.init(
            accuracyBefore: trial.accuracyBefore, accuracyAfter: trial.accuracyAfter,
            accepted: trial.isAccepted)
    }
}

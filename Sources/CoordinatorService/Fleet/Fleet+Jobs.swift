import Federation
import Privacy
import Registry
import Rounds
import Wire

// The queue: what asks for rounds, and what ends them early.

extension Fleet {
    /// The most jobs of one plan that may wait.
    private static let longestQueue = 1000

    /// Queues `rounds` rounds of a plan, once for one idempotency key; they start at once when nothing is in their way.
    ///
    /// - Throws: `notFound`, `conflict` when the plan has no model yet, `exhausted` when the privacy budget does not
    ///   allow a first round or too many jobs wait, `storage` while the state directory takes nothing new.
    func startRounds(_ request: RoundStart) async throws(Fault) -> JobRecord {
        let plan = try plan(named: request.plan)
        guard case .ready = plan.state, plan.serving != nil else {
            throw Fault(
                .conflict, "plan \(plan.plan.id) is \(plan.state.name)",
                remedy: "`tributary-coordinator plan show \(plan.plan.id)` says more")
        }
        guard (1...100_000).contains(request.rounds) else {
            throw Fault(.invalid, "rounds must be 1 to 100000", remedy: "set --rounds")
        }
        guard !request.idempotencyKey.hasPrefix(JobRuntime.scheduledPrefix) else {
            throw Fault(
                .invalid, "keys that begin with \(JobRuntime.scheduledPrefix) are the schedules'",
                remedy: "use another idempotency key")
        }
        try refuseIfNotStoring()
        guard jobs.values.count(where: { $0.plan == plan.plan.id }) < Self.longestQueue else {
            throw Fault(
                .exhausted, "\(Self.longestQueue) jobs of plan \(plan.plan.id) wait already",
                remedy: "`tributary-coordinator job list --open` shows them, `job cancel` ends one")
        }
        let (id, isNew) = try await registry.createJob(
            plan: plan.plan.id, rounds: Int(request.rounds),
            idempotencyKey: request.idempotencyKey, nowUnix: clock.unixSeconds,
            event: { job in
                FleetEvent(
                    .roundsRequested,
                    [
                        ("job", .number(job)), ("plan", .text(request.plan)),
                        ("rounds", .number(UInt64(request.rounds))),
                    ])
            })
        guard isNew else { return try await jobRecord(id, tellsCounts: true) }
        do throws(Fault) {
            try refuseIfRolledBack()
            if let refusal = budget(of: plan)?.refusal() { throw refusal }
        } catch {
            try await registry.setJob(
                id, state: JobRuntime.State.failed.rawValue, detail: error.description,
                roundsDone: 0)
            throw error
        }
        take(JobRuntime(id: id, plan: plan.plan.id, roundsWanted: Int(request.rounds)))
        return try await jobRecord(id, tellsCounts: true)
    }

    /// Lets a job that the registry holds wait for its turn.
    func take(_ job: JobRuntime) {
        jobs[job.id] = job
        workChanges.fire()
        progress.fire()
    }

    /// Goes on with the jobs that a stop or a crash left unfinished, after their rounds were taken up, and begins to
    /// follow the plans' schedules.
    ///
    /// How far a job is, its rounds tell: they are durable before the job's own row is.
    func resumeJobs() async throws(Fault) {
        for stored in try await registry.openJobs() {
            let outcome = try await registry.outcome(ofJob: stored.job)
            jobs[stored.job] = JobRuntime(
                id: stored.job, plan: stored.plan, roundsWanted: stored.rounds,
                roundsDone: outcome.published)
            if let reason = outcome.abandoned {
                let isCancelled = reason.hasPrefix(AbandonReason.cancelled(by: "").description)
                try await end(stored.job, isCancelled ? .cancelled : .failed, reason)
            } else if outcome.published >= stored.rounds {
                try await end(stored.job, .finished, "")
            }
        }
        followsPlans = true
        for plan in plans.keys.sorted(by: { $0.name < $1.name }) { try await follow(plan) }
    }

    /// Cancels a round at any phase before its version is published, and with it the rest of its job.
    func cancelRound(_ request: RoundCancel, by who: String) async throws(Fault) {
        guard let round = rounds.values.first(where: { $0.at.round.number == request.round })
        else {
            throw Fault(
                .conflict, "round \(request.round) is not running",
                remedy: "`tributary-coordinator round list` shows the rounds")
        }
        try await cancel(round, by: try words(who, request.reason))
    }

    /// Ends a job, and abandons its round if one is in flight: what that was charged stays charged.
    ///
    /// - Throws: `notFound`; `conflict` when it has ended.
    func cancelJob(_ request: JobCancel, by who: String) async throws(Fault) {
        let words = try words(who, request.reason)
        let detail = AbandonReason.cancelled(by: words).description
        let plan = try await registry.job(request.job).plan
        try await registry.cancelJob(
            request.job, detail: detail, nowUnix: clock.unixSeconds,
            event: FleetEvent(
                .jobCancelled,
                [("job", .number(request.job)), ("plan", .text(plan.name)), ("by", .text(words))]))
        jobs[request.job] = nil
        if let round = rounds[plan], round.job == request.job {
            // Refused when it ends just now, by itself.
            try? await cancel(round, by: words)
        } else {
            // Or the plan's schedule would ask for the next at once.
            work[plan]?.schedule.roundFailed(at: clock.now)
        }
        workChanges.fire()
        progress.fire()
    }

    private func words(_ who: String, _ reason: String) throws(Fault) -> String {
        try checkReason(reason)
        return reason.isEmpty ? who : "\(who): \(reason)"
    }

    /// Reasons stand in leaves and in answers, in which there is no room for more.
    func checkReason(_ reason: String) throws(Fault) {
        guard reason.utf8.count <= 1000 else {
            throw Fault(
                .invalid, "the reason has \(reason.utf8.count) bytes", remedy: "write at most 1000")
        }
    }

    /// Ends a job that no round of is in flight any more.
    func end(_ id: UInt64, _ state: JobRuntime.State, _ detail: String) async throws(Fault) {
        guard let job = jobs[id], job.state == .running else { return }
        defer {
            workChanges.fire()
            progress.fire()
        }
        do throws(Fault) {
            // Durable first: who hears that it has ended finds it so in every list.
            try await registry.setJob(
                id, state: state.rawValue, detail: detail, roundsDone: job.roundsDone)
            jobs[id] = nil
        } catch {
            // Should the registry refuse, it is said from memory.
            jobs[id]?.state = state
            jobs[id]?.detail = detail
            throw error
        }
    }

    /// The privacy budget of a plan's population as it stands; nil without privacy.
    func budget(of plan: PlanRuntime) -> PrivacyBudget? {
        plan.plan.privacy.map {
            PrivacyBudget(plan: $0, charges: spent[plan.plan.population] ?? [:])
        }
    }
}

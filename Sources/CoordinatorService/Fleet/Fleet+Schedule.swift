import Federation
import Logging
import Privacy
import Registry
import Rounds
import Wire

// One driver a plan: it runs the plan's jobs in order, a round at a time, and asks for rounds when the plan's schedule
// does.

extension Fleet {
    /// Begins to drive a plan, or to follow its new text.
    func follow(_ id: PlanID) async throws(Fault) {
        guard followsPlans, let plan = plans[id] else { return }
        if work[id] == nil {
            let last = try await registry.lastRoundStart(of: id)
            // The wall clock may have jumped meanwhile: what it says only shortens the first wait, within one period.
            let age = last.map { Double(clock.unixMilliseconds) / 1000 - Double($0) / 1000 }
            guard work[id] == nil else { return }
            work[id] = PlanWork(
                schedule: RoundSchedule(
                    plan: plan.plan.schedule, secondsSinceLast: age, now: clock.now))
            inBackground { await self.drive(id) }
        }
        work[id]?.schedule.plan = plans[id]?.plan.schedule
        workChanges.fire()
    }

    private func drive(_ id: PlanID) async {
        while !Task.isCancelled {
            let ticket = workChanges.generation
            let seconds = await step(id)
            if seconds > 0 { await workChanges.wait(after: ticket, seconds: seconds) }
        }
    }

    /// Does what is next for a plan: a round, a scheduled job, or nothing.
    ///
    /// - Returns: how long to wait, unless something changes.
    @inline(never)
    private func step(_ id: PlanID) async -> Double {
        let unfinished = rounds[id]?.job
        let next = jobs.values.filter { $0.plan == id && $0.state == .running }.map(\.id).min()
        guard let job = unfinished ?? next else { return await scheduled(id) }
        // A round in flight goes on, whatever keeps others from starting.
        guard unfinished != nil || hindrance(to: id) == nil else { return hindered(id) }
        work[id]?.current = job
        work[id]?.waitsFor = ""
        if unfinished == nil { work[id]?.schedule.roundStarts(at: clock.now) }
        progress.fire()
        let seconds = await run(job, of: id)
        work[id]?.current = nil
        progress.fire()
        return seconds
    }

    /// Why no round of the plan may start now; nil: one may.
    func hindrance(to id: PlanID) -> String? {
        guard let plan = plans[id] else { return "there is no such plan" }
        guard plan.serving != nil, plan.state == .ready else {
            return "the plan is \(plan.state.name)"
        }
        if let pause = plan.pause {
            return pause.reason.isEmpty
                ? "the plan is paused" : "the plan is paused: \(pause.reason)"
        }
        if let rolledBack { return rolledBack.fault.description }
        if let refusal = storage.refusal { return refusal.description }
        return republishing.contains(id) ? "a version of the plan is being republished" : nil
    }

    /// What the plan waits for is told as it is when somebody asks.
    private func hindered(_ id: PlanID) -> Double {
        work[id]?.waitsFor = ""
        progress.fire()
        return PlanWork.longestWait
    }

    /// Why no round of a plan starts although one is wanted; empty: one runs, or none is wanted.
    func whatHolds(_ id: PlanID) -> String {
        guard rounds[id] == nil, let work = work[id], work.current == nil,
            plans[id]?.plan.schedule != nil || jobs.values.contains(where: { $0.plan == id })
        else { return work[id]?.waitsFor ?? "" }
        return hindrance(to: id) ?? work.waitsFor
    }

    private func waits(_ id: PlanID, for why: String) {
        guard work[id]?.waitsFor != why else { return }
        work[id]?.waitsFor = why
        progress.fire()
    }

    /// Runs one round of a job and ends the job when it was the last.
    ///
    /// - Returns: how long to wait before the plan's next step.
    private func run(_ id: UInt64, of plan: PlanID) async -> Double {
        do throws(Fault) {
            let reason = try await runRound(job: id, plan: plan)
            // Whoever hears that the job has ended finds the plan free.
            work[plan]?.current = nil
            work[plan]?.refused = ""
            try await settle(id, of: plan, reason)
            return 0
        } catch {
            return await settle(id, of: plan, failure: error)
        }
    }

    private func settle(
        _ id: UInt64, of plan: PlanID, _ reason: AbandonReason?
    ) async throws(Fault) {
        switch reason {
        case nil:
            work[plan]?.schedule.roundPublished()
            jobs[id]?.roundsDone += 1
            guard let job = jobs[id] else { return }
            guard job.roundsDone < job.roundsWanted else { return try await end(id, .finished, "") }
            try await registry.setJob(
                id, state: JobRuntime.State.running.rawValue, detail: "",
                roundsDone: job.roundsDone)
            progress.fire()
        case .some(let reason):
            work[plan]?.schedule.roundFailed(at: clock.now)
            let isCancelled = if case .cancelled = reason { true } else { false }
            try await end(id, isCancelled ? .cancelled : .failed, reason.description)
        }
    }

    /// What becomes of a job whose round could not be run.
    private func settle(_ id: UInt64, of plan: PlanID, failure: Fault) async -> Double {
        // The next start goes on with it.
        guard !Task.isCancelled else { return PlanWork.longestWait }
        // What came between, as a pause while the round was being opened, is waited for.
        if rounds[plan] == nil, failure.code == .conflict, hindrance(to: plan) != nil { return 0 }
        // What the disk refused is tried again: the round did nothing wrong.
        if failure.code == .storage {
            if work[plan]?.refused != failure.description {
                log.error("job waits", metadata: ["job": "\(id)", "why": "\(failure)"])
            }
            work[plan]?.refused = failure.description
            waits(plan, for: failure.description)
            return PlanWork.storageWait
        }
        log.error("job failed", metadata: ["job": "\(id)", "why": "\(failure)"])
        work[plan]?.schedule.roundFailed(at: clock.now)
        try? await end(id, .failed, failure.description)
        return 0
    }

    /// Follows the plan's schedule while no job waits.
    ///
    /// - Returns: how long to wait; 0 when it asked for a round.
    private func scheduled(_ id: PlanID) async -> Double {
        guard let plan = plans[id], let schedule = work[id]?.schedule, schedule.plan != nil else {
            waits(id, for: "")
            return PlanWork.longestWait
        }
        guard hindrance(to: id) == nil else { return hindered(id) }
        let now = clock.now
        let ready = schedule.plan?.readyAgents == nil ? 0 : readyAgents(for: plan)
        switch schedule.decide(ready: ready, now: now) {
        case .onRequest:
            waits(id, for: "")
            return PlanWork.longestWait
        case .wait(let until):
            waits(id, for: "")
            return min(until.seconds(since: now), PlanWork.longestWait)
        case .waitForAgents(let ready, let wanted):
            waits(id, for: "\(ready) of \(wanted) agents are ready")
            return PlanWork.agentsWait
        case .start:
            if let refusal = budgetRefusal(of: plan) {
                waits(id, for: refusal)
                return PlanWork.longestWait
            }
            return await startScheduled(id)
        }
    }

    /// Why the budget allows no further round, worked out once: near the limit that takes a while.
    private func budgetRefusal(of plan: PlanRuntime) -> String? {
        let id = plan.plan.id
        let charges = (spent[plan.plan.population] ?? [:]).values.reduce(0, +)
        if let known = work[id]?.refusal, known.charges == charges, known.text == plan.digest {
            return known.words
        }
        let words = budget(of: plan)?.refusal()?.description
        work[id]?.refusal = words.map { ($0, charges, plan.digest) }
        return words
    }

    /// Asks for one round. The idempotency key says after which job, so that a crash anywhere here starts it once.
    private func startScheduled(_ id: PlanID) async -> Double {
        do throws(Fault) {
            let last = try await registry.lastJob(of: id)
            let (job, isNew) = try await registry.createJob(
                plan: id, rounds: 1,
                idempotencyKey: "\(JobRuntime.scheduledPrefix)after-job-\(last)",
                nowUnix: clock.unixSeconds,
                event: { job in
                    FleetEvent(
                        .roundsRequested,
                        [
                            ("job", .number(job)), ("plan", .text(id.name)), ("rounds", .number(1)),
                            ("by", .text("schedule")),
                        ])
                })
            work[id]?.schedule.roundStarts(at: clock.now)
            if isNew { take(JobRuntime(id: job, plan: id, roundsWanted: 1)) }
            return 0
        } catch {
            log.error(
                "a scheduled round did not start", metadata: ["plan": "\(id)", "why": "\(error)"])
            waits(id, for: error.description)
            return PlanWork.storageWait
        }
    }

    // MARK: Pauses

    /// Lets no further round of a plan start; one in flight goes on.
    ///
    /// - Throws: `notFound`; `conflict` when it is paused already; `invalid` for too long a reason.
    func pausePlan(_ request: PlanPause, by who: String) async throws(Fault) -> PlanRecord {
        try checkReason(request.reason)
        let pause = StoredPause(unix: clock.unixSeconds, reason: request.reason)
        return try await setPause(
            pause, of: request.plan,
            event: FleetEvent(
                .planPaused,
                [
                    ("plan", .text(request.plan)), ("by", .text(who)),
                    ("reason", .text(request.reason)),
                ]))
    }

    /// Ends a pause.
    ///
    /// - Throws: `notFound`; `conflict` when it is not paused.
    func resumePlan(_ request: PlanResume, by who: String) async throws(Fault) -> PlanRecord {
        try await setPause(
            nil, of: request.plan,
            event: FleetEvent(
                .planResumed, [("plan", .text(request.plan)), ("by", .text(who))]))
    }

    private func setPause(
        _ pause: StoredPause?, of name: String, event: FleetEvent
    ) async throws(Fault) -> PlanRecord {
        let id = try plan(named: name).plan.id
        try await beginCommandedChange(of: id)
        defer { endChange(of: id) }
        try await registry.setPause(id, pause, nowUnix: clock.unixSeconds, event: event)
        plans[id]?.pause = pause
        log.notice(
            "a plan was \(pause == nil ? "resumed" : "paused")", metadata: ["plan": "\(id)"])
        workChanges.fire()
        return try await record(of: try plan(named: name))
    }

    // MARK: Readiness

    /// Agents that are here, take work and have data for the plan's text.
    func readyAgents(for plan: PlanRuntime) -> Int {
        let now = clock.now
        return presence.values.count {
            $0.isHere(at: now) && $0.unavailable.isEmpty
                && $0.readiness[plan.plan.id]?.isReady(forPlan: plan.digest) == true
        }
    }
}

import Federation
import Logging
import Privacy
import Registry
import Rounds
import UpdateCodec
import Wire

extension Fleet {
    /// Starts `rounds` rounds of a plan, once for one idempotency key.
    ///
    /// - Throws: `notFound`, `conflict` when the plan has no model yet or is busy, `exhausted` when the privacy budget
    ///   does not allow a first round.
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
        let (id, isNew) = try await registry.createJob(
            plan: plan.plan.id, rounds: Int(request.rounds),
            idempotencyKey: request.idempotencyKey, nowUnix: unixSeconds(),
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
            if let busy = jobs.values.first(where: {
                $0.plan == plan.plan.id && $0.state == .running
            }) {
                throw Fault(
                    .conflict, "plan \(plan.plan.id) is busy with job \(busy.id)",
                    remedy: "watch it with `round start`'s idempotency key, or cancel its round")
            }
            guard !republishing.contains(plan.plan.id) else {
                throw Fault(
                    .conflict, "a version of plan \(plan.plan.id) is being republished",
                    remedy: "try again in a moment")
            }
            try refuseIfRolledBack()
            if let refusal = budget(of: plan)?.refusal() { throw refusal }
        } catch {
            try await registry.setJob(
                id, state: JobRuntime.State.failed.rawValue, detail: error.description,
                roundsDone: 0)
            throw error
        }
        jobs[id] = JobRuntime(
            id: id, plan: plan.plan.id, roundsWanted: Int(request.rounds))
        inBackground { await self.run(job: id) }
        return try await jobRecord(id, tellsCounts: true)
    }

    /// Cancels a round at any phase before its sum is closed, and with it the rest of its job.
    func cancelRound(_ request: RoundCancel, by who: String) throws(Fault) {
        guard let round = rounds.values.first(where: { $0.at.round.number == request.round })
        else {
            throw Fault(
                .conflict, "round \(request.round) is not running",
                remedy: "`tributary-coordinator round list` shows the rounds")
        }
        guard round.machine.cancel() else {
            throw Fault(
                .conflict, "round \(request.round) is already \(round.phase.rawValue)",
                remedy: "its budget is charged; let it finish")
        }
        round.cancelledBy = request.reason.isEmpty ? who : "\(who): \(request.reason)"
        round.events.fire()
    }

    /// The privacy budget of a plan's population as it stands; nil without privacy.
    func budget(of plan: PlanRuntime) -> PrivacyBudget? {
        plan.plan.privacy.map {
            PrivacyBudget(plan: $0, charges: spent[plan.plan.population] ?? [:])
        }
    }

    private func run(job id: UInt64) async {
        do throws(Fault) {
            while let job = jobs[id], job.roundsDone < job.roundsWanted, !Task.isCancelled {
                switch try await runRound(job: id, plan: job.plan) {
                case nil: jobs[id]?.roundsDone += 1
                case .cancelled(let who): try await end(id, .cancelled, "cancelled by \(who)")
                case .some(let reason): try await end(id, .failed, reason.description)
                }
                guard jobs[id]?.state == .running else { return }
                try await registry.setJob(
                    id, state: JobRuntime.State.running.rawValue, detail: "",
                    roundsDone: jobs[id]?.roundsDone ?? 0)
                progress.fire()
            }
            try await end(id, Task.isCancelled ? .failed : .finished, "")
        } catch {
            log.error("job failed", metadata: ["job": "\(id)", "why": "\(error)"])
            // The registry may be what failed; the daemon lives on and says so in memory.
            try? await end(id, .failed, error.description)
        }
    }

    private func end(_ id: UInt64, _ state: JobRuntime.State, _ detail: String) async throws(Fault)
    {
        jobs[id]?.state = state
        jobs[id]?.detail = detail
        progress.fire()
        try await registry.setJob(
            id, state: state.rawValue, detail: detail, roundsDone: jobs[id]?.roundsDone ?? 0)
    }

    /// Runs one round from selection to publication.
    ///
    /// - Returns: nil when a version was published, otherwise why not.
    private func runRound(job: UInt64, plan id: PlanID) async throws(Fault) -> AbandonReason? {
        guard let plan = plans[id], let base = plan.serving else {
            return .failed("plan \(id) has no model")
        }
        if let refusal = budget(of: plan)?.refusal() { return .failed(refusal.description) }
        try refuseIfRolledBack()
        let round = try await open(plan: plan, base: base, job: job)
        defer { if rounds[id] === round { rounds[id] = nil } }
        do throws(Fault) {
            var reason = try await collect(round)
            try refuseIfRolledBack()
            if reason == nil { reason = try await seal(round) }
            if let reason { try await abandon(round, reason) }
            return reason
        } catch {
            // What failed may be the registry itself; a restart abandons the round then.
            if !round.phase.isFinal { try? await abandon(round, .failed(publicWords(for: error))) }
            throw error
        }
    }

    private func open(
        plan: PlanRuntime, base: StoredModel, job: UInt64
    ) async throws(Fault) -> ActiveRound {
        let clippingNorm = plan.clippingNorm
        let lattice = Lattice(
            plan: plan.plan, clippingNorm: clippingNorm, rotationSeed: randomness.rotationSeed())
        let latticeID = latticeDigest(lattice)
        let at = try await registry.startRound(
            plan: plan.plan.id, job: job, baseVersion: base.version,
            rotationSeed: lattice.rotationSeed, latticeID: latticeID, clippingNorm: clippingNorm,
            nowUnixMilliseconds: unixMilliseconds(),
            event: { at in
                FleetEvent(
                    .roundStarted,
                    [
                        ("plan", .text(plan.plan.id.name)), ("digest", .text(plan.digest.hex)),
                        ("round", .number(at.round.number)), ("base", .number(base.version)),
                        ("lattice", .text(latticeID.hex)),
                    ])
            })
        // Who is known to follow the plan is durable, so that a restart does not shrink the population.
        let population = try await registry.agents().filter { agent in
            !agent.isRevoked
                && agent.plans.contains {
                    $0.plan == plan.plan.id && $0.planDigest == plan.digest && $0.examples > 0
                }
        }
        let round = ActiveRound(
            at: at, job: job, plan: plan, base: base, lattice: lattice, latticeID: latticeID,
            population: Set(population.map(\.id)), now: clock.now)
        rounds[plan.plan.id] = round
        log.info(
            "round opened",
            metadata: [
                "round": "\(at)", "plan": "\(plan.plan.id)",
                "clippingNorm": "\(lattice.clippingNorm)",
            ])
        offers.fire()
        progress.fire()
        return round
    }

    /// Waits until the round's sum is closed.
    ///
    /// - Returns: nil when it is to be aggregated, otherwise why the round ends.
    private func collect(_ round: ActiveRound) async throws(Fault) -> AbandonReason? {
        var wasFull = false
        while true {
            let ticket = round.events.generation
            let now = clock.now
            switch round.machine.advance(now: now) {
            case .wait(let until):
                guard !Task.isCancelled else { return .coordinatorRestarted }
                // A place that a lapsed or declined agent left goes to one that waits in its check-in.
                if wasFull, round.machine.hasFreePlace { offers.fire() }
                wasFull = !round.machine.hasFreePlace
                await round.events.wait(after: ticket, seconds: until.seconds(since: now))
            case .beginTraining:
                try await registry.transition(
                    round.at, from: .selecting, to: .training,
                    nowUnixMilliseconds: unixMilliseconds(), event: nil)
                round.phase = .training
                progress.fire()
            case .aggregate: return nil
            case .abandon(let reason): return reason
            case .finished: return .cancelled(by: round.cancelledBy ?? "an admin")
            }
        }
    }

    /// Moves the round's traffic into the registry, before its last phase, so that whoever sees the end sees all of it.
    func settleTraffic(of round: ActiveRound) async throws(Fault) {
        let incoming = round.bytesIn
        let outgoing = bytesOut.removeValue(forKey: round.plan.plan.id) ?? 0
        round.bytesIn = 0
        try await registry.addTraffic(round.at, bytesIn: incoming, bytesOut: outgoing)
    }

    func abandon(_ round: ActiveRound, _ reason: AbandonReason) async throws(Fault) {
        try await settleTraffic(of: round)
        try await registry.abandon(
            round.at, reason: reason.description, nowUnixMilliseconds: unixMilliseconds(),
            event: roundAbandoned(round.at, reason: reason.description))
        round.phase = .abandoned
        log.warning(
            "round abandoned", metadata: ["round": "\(round.at)", "why": "\(reason)"])
        offers.fire()
        progress.fire()
    }
}

/// What the log, which others read, says of a failure: paths of this machine stay here.
private func publicWords(for fault: Fault) -> String {
    switch fault.code {
    case .storage, .internal: "\(fault.code) failure; the coordinator's own log says more"
    default: fault.description
    }
}

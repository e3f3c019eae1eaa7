import Federation

/// What the agent knows in every state, and the decisions that need nothing else.
struct SessionMemory {
    let timing: SessionTiming
    let follows: Set<PlanID>
    var random: SeededRandom
    var trustSetVersion: UInt64
    /// Encoded updates on disk, at most one a plan.
    var pending: [PlanID: PendingUpdate]
    /// Whether one of them was not offered over this connection.
    var isKeepingBack = false
    var adoptedPlans: [PlanID: Digest] = [:]
    var adoptedModels: [PlanID: Digest] = [:]
    /// Plan texts found unfit: not tried again until the trust set changes.
    var unfit: Set<Digest> = []
    var refusals: [ModelReference: ModelRefusal] = [:]
    /// The place that the agent had when it was killed or cut short, until the coordinator gives it again or it is given up.
    var interrupted: RoundAssignment?
    /// Connections that broke while it was being given up.
    var brokenForsakes = 0
    /// Whether a check-in has been answered; until then the device does not know its plans and has nothing to wait for.
    var hasCheckedIn = false
    var retries: BackOff
    var declines: BackOff
    var renewals: BackOff
    /// When to ask for a new certificate again, after asking for one.
    var renewalAfter: MonotonicInstant?

    init(
        timing: SessionTiming, follows: Set<PlanID>, trustSetVersion: UInt64,
        pending: [PendingUpdate], adopted: [PlanID: Digest], interrupted: RoundAssignment?,
        random: SeededRandom
    ) {
        self.timing = timing
        self.follows = follows
        self.trustSetVersion = trustSetVersion
        self.pending = Dictionary(pending.map { ($0.plan, $0) }) { _, last in last }
        adoptedPlans = adopted
        // An update of that round says more than that it was begun.
        if let interrupted, self.pending[interrupted.plan]?.at.round != interrupted.at.round {
            self.interrupted = interrupted
        }
        self.random = random
        retries = BackOff(first: timing.firstRetrySeconds, cap: timing.retryCapSeconds)
        declines = retries
        renewals = BackOff(
            first: timing.firstRenewalRetrySeconds, cap: timing.renewalRetryCapSeconds)
    }

    // MARK: Connecting and checking in

    /// Closes the connection and tries again later: slowly when the coordinator refuses this agent itself.
    mutating func disconnect(after fault: Fault, now: MonotonicInstant) -> Transition {
        let delay =
            fault.refusesAgent ? retries.slow(random: &random) : retries.next(random: &random)
        return Transition(
            .waiting(connected: false, then: []),
            .wait(until: now.advanced(bySeconds: delay), keepingConnection: false))
    }

    /// A restarted coordinator may have lost an update that it had accepted, and gives its round more time than this device
    /// was told; so each one is probed again.
    mutating func connected(now: MonotonicInstant) -> Transition {
        isKeepingBack = false
        let updates = pending.values.sorted { $0.at.round < $1.at.round }
        return proceed(Agenda(tasks: updates.map(SessionTask.submit), then: .checkIn), now: now)
    }

    mutating func checkIn() -> Transition {
        Transition(
            .checkingIn,
            .checkIn(
                waitSeconds: hasCheckedIn && interrupted == nil ? timing.checkInWaitSeconds : 0))
    }

    /// Turns the answer into an agenda: first what the work depends on, then the work (its lease is running), then the
    /// models to predict with, and what can wait: reports and a new certificate.
    mutating func checkedIn(_ answer: CheckInAnswer, now: MonotonicInstant) -> Transition {
        retries.reset()
        hasCheckedIn = true
        var tasks: [SessionTask] = []
        let followed = answer.plans.filter { follows.contains($0.plan) }
        for standing in followed {
            if let update = pending[standing.plan], let serving = standing.serving,
                serving.version > update.baseVersion
            {
                tasks.append(.discard(update))
            }
        }
        if answer.trustSetVersion > trustSetVersion {
            tasks.append(.updateTrustSet(version: answer.trustSetVersion))
        }
        let unread = followed.filter { adoptedPlans[$0.plan] != $0.text.digest }
        tasks += unread.map(SessionTask.adoptPlan)
        if let lost = lostPlace(answer, unread: unread) { tasks.insert(lost, at: 0) }
        let then: Agenda.Then
        switch answer.next {
        case .work(let assignment):
            let work = task(for: assignment, after: tasks, now: now)
            if case .work = work, let reason = answer.networkRefusal {
                tasks.append(.forsake(assignment, reason: reason))
            } else {
                tasks.append(work)
            }
            then = .checkIn
        case .comeBack(let seconds): then = pause(seconds: seconds, now: now)
        }
        for case let model? in followed.map(\.serving)
        where answer.networkRefusal == nil && adoptedModels[model.plan] != model.model.digest {
            tasks.append(.adoptModel(model))
        }
        tasks += reports(named: followed.compactMap(\.serving), answer.next)
        if isTimeToRenew(answer, now: now) { tasks.append(.renewCertificate) }
        return proceed(Agenda(tasks: tasks, then: then), now: now)
    }

    /// The place that was held when the agent was killed or cut short: the coordinator gives it again, or it is given up at once, so that
    /// the round need not wait for it.
    private mutating func lostPlace(
        _ answer: CheckInAnswer, unread: [PlanStanding]
    ) -> SessionTask? {
        guard let place = interrupted else { return nil }
        let reason: String
        switch (answer.next, answer.unavailable) {
        case (.work(let assignment), _) where assignment.at.round == place.at.round:
            interrupted = nil
            return nil
        case (.work, _): reason = "it was given other work"
        case (.comeBack, let unavailable?): reason = unavailable
        case (.comeBack, nil):
            // The coordinator only gives work for a plan whose text this device has.
            let isUnread = unread.contains { standing in
                standing.plan == place.plan && !unfit.contains(standing.text.digest)
            }
            if isUnread { return nil }
            reason = "the coordinator did not give it its place again"
        }
        interrupted = nil
        return .forsake(place, reason: "the agent was interrupted and cannot go on: \(reason)")
    }

    /// A later attempt at a round whose update exists gets that update again: rounding it anew would reveal more.
    private func task(
        for assignment: RoundAssignment, after tasks: [SessionTask], now: MonotonicInstant
    ) -> SessionTask {
        guard var update = pending[assignment.plan], update.at.round == assignment.at.round,
            update.latticeID == assignment.latticeID,
            update.baseVersion == assignment.base.version, !tasks.contains(.discard(update))
        else { return .work(Grant(assignment: assignment, at: now)) }
        update.at = assignment.at
        update.submitToken = assignment.submitToken
        return .readdress(update)
    }

    /// The coordinator spreads its fleet; a tenth more on top keeps agents that it answered together from returning together.
    private mutating func pause(seconds: Double, now: MonotonicInstant) -> Agenda.Then {
        let shortest = max(seconds, timing.shortestPauseSeconds)
        let spread = shortest + (longestSpread(of: shortest) - shortest) * random.unitInterval()
        return .pause(until: now.advanced(bySeconds: spread))
    }

    private func longestSpread(of seconds: Double) -> Double { seconds * 1.1 }

    // MARK: The agenda

    /// Begins the next task, or what follows the last.
    mutating func proceed(_ agenda: Agenda, now: MonotonicInstant) -> Transition {
        var agenda = agenda
        while !agenda.tasks.isEmpty {
            let task = agenda.tasks.removeFirst()
            if case .adoptPlan(let standing) = task, unfit.contains(standing.text.digest) {
                continue
            }
            if let refusal = task.model.flatMap({ refusals[$0] }), now < refusal.until {
                guard case .work(let grant) = task else { continue }
                return decline(grant.assignment, agenda, because: refusal.fault, now: now)
            }
            return begin(task, agenda)
        }
        switch agenda.then {
        case .checkIn: return checkIn()
        case .pause(let until):
            let connected =
                !isKeepingBack && until.seconds(since: now) <= timing.longestConnectedPauseSeconds
            return Transition(
                .waiting(connected: connected, then: []),
                .wait(until: until, keepingConnection: connected))
        }
    }

    private func begin(_ task: SessionTask, _ agenda: Agenda) -> Transition {
        var blobs = task.blobs
        guard !blobs.isEmpty else { return perform(task, agenda) }
        let first = blobs.removeFirst()
        return Transition(
            .obtaining(.init(task: task, rest: blobs, agenda: agenda)),
            .obtain(first))
    }

    func obtained(_ work: SessionState.Obtaining) -> Transition {
        var work = work
        guard !work.rest.isEmpty else { return perform(work.task, work.agenda) }
        let next = work.rest.removeFirst()
        return Transition(.obtaining(work), .obtain(next))
    }

    private func perform(_ task: SessionTask, _ agenda: Agenda) -> Transition {
        let action: AgentAction
        switch task {
        case .submit(let update): return probe(update, agenda)
        case .readdress(let update): action = .readdress(update)
        case .discard(let update): action = .discard(update)
        case .updateTrustSet: action = .updateTrustSet
        case .renewCertificate: action = .renewCertificate
        case .reportRefusal(let model, let reason):
            action = .reportRefusal(model, reason: reason)
        case .adoptPlan(let standing): action = .adoptPlan(standing)
        case .adoptModel(let model): action = .adoptModel(model)
        case .work(let grant): action = .prepare(grant.assignment)
        case .forsake(let assignment, let reason): action = .decline(assignment, reason: reason)
        }
        return Transition(.performing(.init(task: task, agenda: agenda)), action)
    }

    /// What a task's success means.
    mutating func performed(
        _ work: SessionState.Performing, now: MonotonicInstant
    ) -> Transition {
        var work = work
        switch work.task {
        case .submit(let update): return probe(update, work.agenda)
        case .readdress(let update):
            pending[update.plan] = update
            return probe(update, work.agenda)
        case .discard(let update): pending[update.plan] = nil
        case .updateTrustSet(let version):
            trustSetVersion = version
            unfit = []
            for model in refusals.keys { refusals[model]?.until = now }
        case .renewCertificate:
            putOffRenewal(now: now)
            return Transition(.connecting, .connect)
        case .reportRefusal(let model, _): refusals[model]?.isSettled = true
        case .adoptPlan(let standing): adoptedPlans[standing.plan] = standing.text.digest
        case .adoptModel(let model):
            adoptedModels[model.plan] = model.model.digest
            // Told to come back at once, with news that is taken in now: the next round may be open, and this is no busy loop.
            if case .pause(let until) = work.agenda.then,
                until.seconds(since: now) <= longestSpread(of: timing.shortestPauseSeconds)
            {
                work.agenda.then = .checkIn
            }
        case .work(let grant): return train(grant, work.agenda)
        case .forsake: break
        }
        return proceed(work.agenda, now: now)
    }

    /// A task that cannot be done is left out; an assignment is declined, so that the round need not wait for it.
    mutating func abandon(
        _ task: SessionTask, _ agenda: Agenda, because fault: Fault, now: MonotonicInstant
    ) -> Transition {
        switch task {
        case .work(let grant):
            return decline(grant.assignment, agenda, because: fault, now: now)
        case .readdress(let update): return probe(update, agenda)
        case .renewCertificate: putOffRenewal(now: now)
        case .reportRefusal(let model, _): refusals[model]?.isSettled = true
        case .submit, .discard, .updateTrustSet, .adoptPlan, .adoptModel, .forsake: break
        }
        return proceed(agenda, now: now)
    }

    /// As `abandon`, after the task itself failed: what cannot be adopted now could not be adopted again either.
    mutating func failed(
        _ work: SessionState.Performing, because fault: Fault, now: MonotonicInstant
    ) -> Transition {
        switch work.task {
        case .adoptPlan(let standing) where fault.isLasting: unfit.insert(standing.text.digest)
        case .adoptModel(let model) where fault.isLasting:
            remember(model, fault, isSettled: true, now: now)
        default: break
        }
        return abandon(work.task, work.agenda, because: fault, now: now)
    }

    /// Repeated declines are spaced like failed connections: a device that cannot train must not spin.
    mutating func decline(
        _ assignment: RoundAssignment, _ agenda: Agenda, because fault: Fault, now: MonotonicInstant
    ) -> Transition {
        var agenda = agenda
        agenda.then = .pause(
            until: now.advanced(bySeconds: declines.next(random: &random)))
        return Transition(
            .declining(agenda), .decline(assignment, reason: fault.description))
    }

    private func train(_ grant: Grant, _ agenda: Agenda) -> Transition {
        Transition(
            .training(
                .init(
                    grant: grant, agenda: agenda,
                    dueAt: heartbeatDue(
                        leaseSeconds: grant.assignment.leaseSeconds, renewedAt: grant.at),
                    lost: nil)),
            .train(grant.assignment))
    }

    /// When to send the next heartbeat for a lease.
    func heartbeatDue(leaseSeconds: Double, renewedAt: MonotonicInstant) -> MonotonicInstant {
        renewedAt.advanced(
            bySeconds: max(leaseSeconds, timing.shortestLeaseSeconds) * timing.heartbeatPartOfLease)
    }
}

extension Fault {
    /// Whether the coordinator will not talk to this agent at all, whatever it asks.
    var refusesAgent: Bool { code == .forbidden || code == .unauthenticated }

    /// Whether trying the same thing again would fail again.
    var isLasting: Bool {
        switch code {
        case .invalid, .untrusted, .conflict, .notFound, .gone, .forbidden, .unauthenticated: true
        case .unavailable, .exhausted, .storage, .internal: false
        }
    }
}

package import Federation

/// One attempt at one round, from the opened selection window to the moment its sum is closed.
///
/// Sans-IO: the shell tells it what happened and when, then calls `advance` until it answers `wait`. Coins, leases and
/// deadlines are decided here; sockets, storage and arithmetic are elsewhere.
package struct RoundMachine: ~Copyable {
    /// What the shell does next; every answer but `wait` is given once.
    package enum Step: Sendable, Equatable {
        /// Nothing before this instant unless an event comes first.
        case wait(until: MonotonicInstant)
        /// The selection window closed: record phase `training`.
        case beginTraining
        /// The sum is closed: record phase `aggregating`, then release it.
        case aggregate
        /// Record phase `abandoned`.
        case abandon(AbandonReason)
        /// The round already closed.
        case finished
    }

    /// What an agent that checks in is told.
    package enum Offer: Sendable, Equatable {
        /// It has a place; seconds to the report deadline, which comes sooner when selection ends early.
        case assign(reportSeconds: Double)
        /// Its coin said no, it was withdrawn, or there is no place left.
        case passedOver
        /// It has already reported or declined.
        case resolved
        /// The round takes no more agents.
        case closed
    }

    /// Every phase works on the same cohort, so only the deadlines belong to the phase.
    private enum Phase {
        case selecting(ends: MonotonicInstant)
        case training(deadline: MonotonicInstant, latest: MonotonicInstant)
        case closed
    }

    package let rules: SelectionRules
    private var cohort: Cohort
    private var phase: Phase

    /// An upload that moved within this many seconds of the deadline is not late.
    package static let uploadPatienceSeconds = 10.0

    /// Opens the selection window.
    ///
    /// - Parameter population: agents known to follow the plan; when all have been asked, selection need not wait.
    package init(rules: SelectionRules, population: Set<AgentID>, now: MonotonicInstant) {
        self.rules = rules
        cohort = Cohort(population: population)
        phase = .selecting(ends: now.advanced(bySeconds: rules.selectionSeconds))
    }

    /// Goes on with a round whose coordinator was restarted.
    ///
    /// Whoever holds a place keeps it, for a lease to come back in; what was counted has to come again, since the sum died
    /// with its process. A deadline of this boot stands, but for that lease.
    package init(resuming past: PastRound, rules: SelectionRules, now: MonotonicInstant) {
        self.rules = rules
        cohort = Cohort(population: past.population)
        for agent in past.passedOver { cohort.passOver(agent) }
        let leaseEnds = now.advanced(bySeconds: rules.leaseSeconds)
        for agent in past.members { cohort.set(agent, to: .training(leaseEnds: leaseEnds)) }
        switch past.phase {
        case .selecting(let ends):
            phase = .selecting(
                ends: ends.map { max($0, leaseEnds) }
                    ?? now.advanced(bySeconds: rules.selectionSeconds))
        case .training(let end):
            let deadline =
                end.map { max($0, leaseEnds) } ?? now.advanced(bySeconds: rules.reportSeconds)
            phase = .training(
                deadline: deadline, latest: deadline.advanced(bySeconds: rules.reportSeconds))
        case .closed(let reported):
            for agent in reported { cohort.set(agent, to: .reported) }
            phase = .closed
        }
    }

    /// When the present phase ends at the latest, unless an upload moves then; nil once the round is closed.
    package var deadline: MonotonicInstant? {
        switch phase {
        case .selecting(let ends): ends
        case .training(let deadline, _): deadline
        case .closed: nil
        }
    }

    /// Members selected and updates counted so far.
    package var counts: (selected: Int, reported: Int) { (cohort.members.count, cohort.reported) }

    /// Where `agent` stands; nil when it has no place in this round.
    package func standing(of agent: AgentID) -> Cohort.Standing? { cohort.members[agent] }

    /// Whether the round still takes updates.
    package var isOpen: Bool {
        if case .closed = phase { false } else { true }
    }

    /// Whether the selection window is open.
    package var isSelecting: Bool {
        if case .selecting = phase { true } else { false }
    }

    /// Whether an agent that has not been asked yet may still join, so that its coin is worth drawing.
    package var takesNewMembers: Bool {
        switch phase {
        case .selecting: true
        // A private round draws no coin after its window; otherwise a lapsed place may be given again.
        case .training: !rules.isPrivate
        case .closed: false
        }
    }

    /// Whether an agent that asks now could get a place; agents that wait should then be asked.
    package var hasFreePlace: Bool {
        takesNewMembers && rules.places.map { cohort.holdingPlaces < $0 } ?? true
    }

    /// An agent is ready to take part; `coin` is its stored coin. The first coin counts: one that said no stays no.
    ///
    /// A member that comes again, because it restarted, gets its own place again.
    package mutating func offer(
        to agent: AgentID, coin: Bool, now: MonotonicInstant
    ) -> Offer {
        let reportSeconds: Double
        switch phase {
        case .selecting(let ends): reportSeconds = ends.seconds(since: now) + rules.reportSeconds
        // Past the deadline only uploads that move are waited for; nobody begins.
        case .training(let deadline, _) where now < deadline:
            reportSeconds = deadline.seconds(since: now)
        case .training, .closed: return .closed
        }
        if let standing = cohort.members[agent] {
            if standing.isResolved { return .resolved }
        } else {
            guard takesNewMembers else { return .closed }
            guard cohort.mayJoin(agent) else { return .passedOver }
            guard coin else {
                cohort.passOver(agent)
                return .passedOver
            }
            guard hasFreePlace else { return .passedOver }
        }
        let leaseEnds = now.advanced(bySeconds: rules.leaseSeconds)
        cohort.set(agent, to: .training(leaseEnds: leaseEnds))
        return .assign(reportSeconds: reportSeconds)
    }

    /// The agent is alive and at work. Returns whether its update is still wanted.
    package mutating func heartbeat(from agent: AgentID, now: MonotonicInstant) -> Bool {
        let leaseEnds = now.advanced(bySeconds: rules.leaseSeconds)
        return change(agent) { standing in
            // An upload under way stays one, or the deadline would no longer follow it.
            if case .uploading = standing { standing } else { .training(leaseEnds: leaseEnds) }
        }
    }

    /// A piece of the agent's upload arrived. Returns whether its update is still wanted.
    package mutating func uploadMoved(from agent: AgentID, now: MonotonicInstant) -> Bool {
        // What counts as moving at the deadline must not have lapsed before it.
        let leaseEnds = now.advanced(
            bySeconds: max(rules.leaseSeconds, Self.uploadPatienceSeconds))
        return change(agent) { _ in .uploading(lastMoved: now, leaseEnds: leaseEnds) }
    }

    /// The agent's update was checked and added. Returns false when the round no longer counts it.
    package mutating func reported(by agent: AgentID) -> Bool {
        change(agent) { _ in .reported }
    }

    /// The agent gave up, or its update was refused: that removes the agent, never the round.
    package mutating func declined(by agent: AgentID) {
        _ = change(agent) { _ in .declined }
    }

    /// The agent was revoked: it is neither asked nor waited for.
    package mutating func withdraw(_ agent: AgentID) { cohort.withdraw(agent) }

    /// Closes the round without a sum. Returns false when it is already closed.
    package mutating func cancel() -> Bool {
        let wasOpen = isOpen
        phase = .closed
        return wasOpen
    }

    /// Moves on as far as the time and the reports allow.
    package mutating func advance(now: MonotonicInstant) -> Step {
        switch phase {
        case .selecting(let ends):
            if !rules.isPrivate { cohort.lapse(at: now) }
            return leaveSelection(ends: ends, now: now)
        case .training(let deadline, let latest):
            if !rules.isPrivate { cohort.lapse(at: now) }
            return leaveTraining(deadline: deadline, latest: latest, now: now)
        case .closed: return .finished
        }
    }

    /// Changes a member that has not resolved yet; false when there is none or the round is closed.
    private mutating func change(
        _ agent: AgentID, _ next: (Cohort.Standing) -> Cohort.Standing
    ) -> Bool {
        guard isOpen, let standing = cohort.members[agent], !standing.isResolved else {
            return false
        }
        cohort.set(agent, to: next(standing))
        return true
    }

    private mutating func leaveSelection(ends: MonotonicInstant, now: MonotonicInstant) -> Step {
        let selected = cohort.holdingPlaces
        let enough = selected >= rules.minimum
        // A private round has neither target nor places, so that no coin decides when its window closes.
        let full = rules.places.map { selected >= $0 } ?? false
        guard now >= ends || enough && (full || hasTarget || cohort.everyoneAsked) else {
            return .wait(until: ends)
        }
        guard enough else {
            phase = .closed
            return .abandon(.tooFewSelected(got: selected, minimum: rules.minimum))
        }
        let deadline = now.advanced(bySeconds: rules.reportSeconds)
        phase = .training(
            deadline: deadline, latest: deadline.advanced(bySeconds: rules.reportSeconds))
        return .beginTraining
    }

    /// Whether as many updates as wanted have been counted.
    private var hasTarget: Bool { rules.target.map { cohort.reported >= $0 } ?? false }

    /// Whether no update is under way and no free place can be given to an agent that is known.
    private var isExhausted: Bool {
        cohort.allResolved && cohort.reported >= rules.minimum
            && (rules.isPrivate || cohort.unasked.isEmpty)
    }

    private mutating func leaveTraining(
        deadline: MonotonicInstant, latest: MonotonicInstant, now: MonotonicInstant
    ) -> Step {
        if hasTarget || isExhausted {
            phase = .closed
            return .aggregate
        }
        guard now >= deadline else {
            // Leases do not lapse in a private round: it waits for everyone it selected.
            guard !rules.isPrivate, let lease = cohort.nextLeaseEnd else {
                return .wait(until: deadline)
            }
            return .wait(until: min(deadline, lease))
        }
        // Progress-aware: while an upload moves, the deadline follows it, at most once again as far.
        if let moved = cohort.lastUploadMoved {
            let patience = min(latest, moved.advanced(bySeconds: Self.uploadPatienceSeconds))
            if now < patience { return .wait(until: patience) }
        }
        phase = .closed
        return cohort.reported >= rules.minimum
            ? .aggregate
            : .abandon(.tooFewReports(got: cohort.reported, minimum: rules.minimum))
    }
}

import Federation

// What a failure means in each state: it costs the task, the connection, or the agent's place in the round.

extension SessionMemory {
    /// The connection failed in `state`, or the coordinator will not talk to this agent.
    mutating func connectionFailed(
        _ fault: Fault, in state: consuming SessionState, now: MonotonicInstant
    ) -> Transition {
        switch consume state {
        case .performing(let work): broken(off: work.task, now: now)
        default: break
        }
        return disconnect(after: fault, now: now)
    }

    /// The owner cut `state` short; no back-off, since nothing is wrong.
    mutating func interrupted(in state: consuming SessionState) -> Transition {
        switch consume state {
        case .obtaining(let work): keepPlace(of: work.task)
        case .performing(let work): keepPlace(of: work.task)
        case .training(let work): interrupted = work.grant.assignment
        case .encoding(let work): interrupted = work.grant.assignment
        default: break
        }
        return Transition(.connecting, .connect)
    }

    /// The place that `task` is about is to be given again, or given back.
    private mutating func keepPlace(of task: SessionTask) {
        switch task {
        case .work(let grant): interrupted = grant.assignment
        case .forsake(let assignment, _): interrupted = assignment
        default: break
        }
    }

    /// The coordinator refused what the agent asked in `state`.
    mutating func refused(
        _ fault: Fault, in state: consuming SessionState, now: MonotonicInstant
    ) -> Transition {
        if fault.refusesAgent { return connectionFailed(fault, in: state, now: now) }
        switch consume state {
        case .obtaining(let work):
            return abandon(work.task, work.agenda, because: fault, now: now)
        case .performing(let work):
            return abandon(work.task, work.agenda, because: fault, now: now)
        case .submitting(let work) where fault.isLasting:
            return discard(work)
        case .declining(let agenda):
            return proceed(agenda, now: now)
        default:
            return disconnect(after: fault, now: now)
        }
    }

    /// This device could not do what `state` asked for.
    mutating func failedLocally(
        _ fault: Fault, in state: consuming SessionState, now: MonotonicInstant
    ) -> Transition {
        switch consume state {
        case .obtaining(let work):
            return abandon(work.task, work.agenda, because: fault, now: now)
        case .performing(let work):
            return failed(work, because: fault, now: now)
        case .training(let work):
            return giveUp(work.grant, work.agenda, lost: work.lost, because: fault, now: now)
        case .encoding(let work):
            return giveUp(work.grant, work.agenda, lost: work.lost, because: fault, now: now)
        case .submitting(let work) where fault.code != .storage:
            return discard(work)
        case .declining(let agenda):
            return proceed(agenda, now: now)
        default:
            // A disk that cannot be read now may be again: an update is kept until its round is over.
            return disconnect(after: fault, now: now)
        }
    }

    /// Where there is nobody to tell now, the next check-in gives the place back, or takes it up again.
    private mutating func giveUp(
        _ grant: Grant, _ agenda: Agenda, lost: Fault?, because fault: Fault, now: MonotonicInstant
    ) -> Transition {
        if let lost {
            interrupted = grant.assignment
            return disconnect(after: lost, now: now)
        }
        return decline(grant.assignment, agenda, because: fault, now: now)
    }

    /// An event that `state` does not have.
    mutating func outOfOrder(
        _ event: String, in state: consuming SessionState, now: MonotonicInstant
    ) -> Transition {
        _ = consume state
        return disconnect(after: Fault(.internal, "the event \(event) came out of order"), now: now)
    }
}

package import Federation

/// Decides what the agent does next; it sees no socket, file or clock.
///
/// The caller performs one action at a time, beginning with `firstAction`, and reports how it ended through the event that
/// the action names; the answer is the next action. While `.train` runs, the caller reports progress and obeys the
/// `TrainingStep` it gets. An event that does not belong to the state is a defect of the caller: the machine closes the
/// connection and starts over, so that a device in the field lives on.
///
/// The machine holds no bytes: blobs, parameters and encoded updates stay with the caller.
package struct AgentSessionMachine: ~Copyable {
    private var state: SessionState
    private var memory: SessionMemory

    /// What to do first.
    package static let firstAction = AgentAction.connect

    /// - Parameters:
    ///   - follows: the plans the device has data for; others that the coordinator names are ignored.
    ///   - trustSetVersion: of the stored trust set.
    ///   - pending: encoded updates found on disk.
    ///   - adopted: digests of the plans' texts that are in use already.
    ///   - interrupted: the assignment that was being worked on when the agent was killed.
    ///   - random: for jitter.
    package init(
        timing: SessionTiming = SessionTiming(), follows: Set<PlanID>, trustSetVersion: UInt64,
        pending: [PendingUpdate], adopted: [PlanID: Digest] = [:],
        interrupted: RoundAssignment? = nil, random: SeededRandom
    ) {
        state = .connecting
        memory = SessionMemory(
            timing: timing, follows: follows, trustSetVersion: trustSetVersion, pending: pending,
            adopted: adopted, interrupted: interrupted, random: random)
    }

    private init(state: consuming SessionState, memory: SessionMemory) {
        self.state = state
        self.memory = memory
    }

    // MARK: Successes

    /// The pause that `.wait` asked for is over.
    package mutating func waited(now: MonotonicInstant) -> AgentAction {
        step { state, memory in
            switch consume state {
            case .waiting(connected: true, let tasks):
                memory.proceed(Agenda(tasks: tasks, then: .checkIn), now: now)
            case .waiting(connected: false, _): Transition(.connecting, .connect)
            case let other: memory.outOfOrder("waited", in: other, now: now)
            }
        }
    }

    /// The connection stands and the coordinator is authenticated.
    package mutating func connected(now: MonotonicInstant) -> AgentAction {
        step { state, memory in
            switch consume state {
            case .connecting: memory.connected(now: now)
            case let other: memory.outOfOrder("connected", in: other, now: now)
            }
        }
    }

    /// The coordinator answered the check-in.
    package mutating func checkedIn(
        _ answer: CheckInAnswer, now: MonotonicInstant
    ) -> AgentAction {
        step { state, memory in
            switch consume state {
            case .checkingIn: memory.checkedIn(answer, now: now)
            case let other: memory.outOfOrder("checkedIn", in: other, now: now)
            }
        }
    }

    /// The blob is in the cache.
    package mutating func obtained(now: MonotonicInstant) -> AgentAction {
        step { state, memory in
            switch consume state {
            case .obtaining(let work): memory.obtained(work)
            case let other: memory.outOfOrder("obtained", in: other, now: now)
            }
        }
    }

    /// The plan is understood. With `readinessChanged` (there is data now where there was none) the agent checks in again at
    /// once, so that the coordinator can count on it.
    package mutating func planAdopted(
        readinessChanged: Bool, now: MonotonicInstant
    ) -> AgentAction {
        step { state, memory in
            switch consume state {
            case .performing(var work):
                guard case .adoptPlan = work.task else {
                    return memory.outOfOrder("planAdopted", in: .performing(work), now: now)
                }
                if readinessChanged { work.agenda.then = .checkIn }
                return memory.performed(work, now: now)
            case let other: return memory.outOfOrder("planAdopted", in: other, now: now)
            }
        }
    }

    /// The trust set held now has this version; when there is a newer one still, the next check-in leads to it. With
    /// `renewalIsDue` (another authority issues certificates now) the certificate is renewed without waiting for that.
    package mutating func trustSetUpdated(
        to version: UInt64, renewalIsDue: Bool = false, now: MonotonicInstant
    ) -> AgentAction {
        step { state, memory in
            switch consume state {
            case .performing(var work):
                guard case .updateTrustSet = work.task else {
                    return memory.outOfOrder("trustSetUpdated", in: .performing(work), now: now)
                }
                work.task = .updateTrustSet(version: version)
                if renewalIsDue { memory.renewAfter(&work.agenda, now: now) }
                return memory.performed(work, now: now)
            case let other: return memory.outOfOrder("trustSetUpdated", in: other, now: now)
            }
        }
    }

    /// The action that has no more telling event succeeded.
    package mutating func done(now: MonotonicInstant) -> AgentAction {
        step { state, memory in
            switch consume state {
            case .performing(let work) where !work.task.hasOwnEvent:
                memory.performed(work, now: now)
            case .declining(let agenda): memory.proceed(agenda, now: now)
            case let other: memory.outOfOrder("done", in: other, now: now)
            }
        }
    }

    /// The encoded update and its header are on disk.
    package mutating func encoded(_ update: PendingUpdate, now: MonotonicInstant) -> AgentAction {
        step { state, memory in
            switch consume state {
            case .encoding(let work): memory.encoded(update, work, now: now)
            case let other: memory.outOfOrder("encoded", in: other, now: now)
            }
        }
    }

    /// The coordinator answered a probe, a header or a finish.
    package mutating func answered(_ verdict: SubmitVerdict, now: MonotonicInstant) -> AgentAction {
        step { state, memory in
            switch consume state {
            case .submitting(let work): memory.answered(verdict, work, now: now)
            case let other: memory.outOfOrder("answered", in: other, now: now)
            }
        }
    }

    /// The owner does not want the update on this network: it stays, and the next connection offers it again.
    package mutating func keptBack(now: MonotonicInstant) -> AgentAction {
        step { state, memory in
            switch consume state {
            case .submitting(let work): memory.keptBack(work, now: now)
            case let other: memory.outOfOrder("keptBack", in: other, now: now)
            }
        }
    }

    /// The chunk is on its way.
    package mutating func sent(now: MonotonicInstant) -> AgentAction {
        step { state, memory in
            switch consume state {
            case .submitting(let work): memory.sent(work, now: now)
            case let other: memory.outOfOrder("sent", in: other, now: now)
            }
        }
    }

    // MARK: Training

    /// All epochs are done.
    package mutating func trained(now: MonotonicInstant) -> AgentAction {
        step { state, memory in
            switch consume state {
            case .training(let work):
                Transition(
                    .encoding(.init(grant: work.grant, agenda: work.agenda, lost: work.lost)),
                    .encode(work.grant.assignment))
            case let other: memory.outOfOrder("trained", in: other, now: now)
            }
        }
    }

    /// Training ended early, as `.stop` asked.
    package mutating func trainingStopped(now: MonotonicInstant) -> AgentAction {
        step { state, memory in
            switch consume state {
            case .training(let work):
                if let lost = work.lost { return memory.disconnect(after: lost, now: now) }
                return memory.proceed(work.agenda, now: now)
            case let other: return memory.outOfOrder("trainingStopped", in: other, now: now)
            }
        }
    }

    /// Training has come this far, from 0 to 1.
    package mutating func trainingProgressed(
        _ progress: Double, now: MonotonicInstant
    ) -> TrainingStep {
        duringTraining { work, _ in
            if now >= work.grant.deadline { return .stop }
            if now < work.dueAt { return .carryOn }
            return work.lost == nil ? .heartbeat(progress: progress) : .reconnect
        }
    }

    /// The coordinator answered the heartbeat.
    package mutating func heartbeatAnswered(
        wanted: Bool, leaseSeconds: Double, now: MonotonicInstant
    ) -> TrainingStep {
        duringTraining { work, memory in
            work.dueAt = memory.heartbeatDue(leaseSeconds: leaseSeconds, renewedAt: now)
            return wanted ? .carryOn : .stop
        }
    }

    /// The heartbeat failed: the connection broke, or the coordinator answered with a failure.
    ///
    /// A broken connection does not end training: the update can still arrive before the deadline.
    package mutating func heartbeatFailed(
        _ fault: Fault, connectionLost: Bool, now: MonotonicInstant
    ) -> TrainingStep {
        duringTraining { work, memory in
            if connectionLost || fault.refusesAgent {
                work.lost = fault
            }
            work.dueAt = now.advanced(bySeconds: memory.retries.next(random: &memory.random))
            return !connectionLost && fault.isLasting ? .stop : .carryOn
        }
    }

    /// The connection that `.reconnect` asked for stands.
    package mutating func reconnected(progress: Double, now: MonotonicInstant) -> TrainingStep {
        duringTraining { work, _ in
            work.lost = nil
            return .heartbeat(progress: progress)
        }
    }

    /// There is still no connection.
    package mutating func reconnectFailed(
        _ fault: Fault, now: MonotonicInstant
    ) -> TrainingStep {
        duringTraining { work, memory in
            work.lost = fault
            work.dueAt = now.advanced(bySeconds: memory.retries.next(random: &memory.random))
            return .carryOn
        }
    }

    // MARK: The owner

    /// The device's owner wants something else than before. What was at hand is cut short and the connection is closed; the next
    /// check-in says how the device stands now, and a place that was held is taken up again or given back with it.
    package mutating func interrupted(now: MonotonicInstant) -> AgentAction {
        step { state, memory in memory.interrupted(in: state) }
    }

    // MARK: Failures

    /// The connection could not be made or broke, or the peer broke the protocol.
    package mutating func connectionFailed(
        _ fault: Fault, now: MonotonicInstant
    ) -> AgentAction {
        step { state, memory in memory.connectionFailed(fault, in: state, now: now) }
    }

    /// The model that `.adoptModel` or `.prepare` is about does not pass: its signature, its proof, its version or its
    /// contents. It is reported once and then left alone for a while.
    package mutating func modelRefused(_ fault: Fault, now: MonotonicInstant) -> AgentAction {
        step { state, memory in
            switch consume state {
            case .performing(let work): memory.modelRefused(work, because: fault, now: now)
            case let other: memory.outOfOrder("modelRefused", in: other, now: now)
            }
        }
    }

    /// The coordinator answered with a failure and the connection still stands.
    package mutating func refused(_ fault: Fault, now: MonotonicInstant) -> AgentAction {
        step { state, memory in memory.refused(fault, in: state, now: now) }
    }

    /// The action failed on this device: storage, verification, data, training.
    package mutating func failedLocally(_ fault: Fault, now: MonotonicInstant) -> AgentAction {
        step { state, memory in memory.failedLocally(fault, in: state, now: now) }
    }

    // MARK: Keeping the state

    /// The one place that takes the state and puts the next one back.
    private mutating func step(
        _ decide: (consuming SessionState, inout SessionMemory) -> Transition
    ) -> AgentAction {
        var memory = memory
        let transition = decide(consume state, &memory)
        let action = transition.action
        self = AgentSessionMachine(state: transition.state, memory: memory)
        return action
    }

    /// Lets `decide` change the training state; any other state has no training to go on with.
    private mutating func duringTraining(
        _ decide: (inout SessionState.Training, inout SessionMemory) -> TrainingStep
    ) -> TrainingStep {
        var memory = memory
        switch consume state {
        case .training(var work):
            let result = decide(&work, &memory)
            self = AgentSessionMachine(state: .training(work), memory: memory)
            return result
        case let other:
            self = AgentSessionMachine(state: other, memory: memory)
            return .stop
        }
    }
}

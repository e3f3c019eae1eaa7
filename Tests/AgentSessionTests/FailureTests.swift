import AgentSession
import Federation
import Testing

/// Every state a machine can be in, with a way there.
enum Situation: CaseIterable {
    case connecting, checkingIn, waitingConnected, waitingAlone, obtainingPlan, adoptingPlan
    case obtainingWork, preparing, training, encoding, probing, sending, declining

    func machine() -> AgentSessionMachine {
        let now = Example.time(0)
        switch self {
        case .connecting: return newMachine()
        case .checkingIn: return AgentSessionTests.checkingIn()
        case .training: return AgentSessionTests.training()
        case .probing: return AgentSessionTests.probing()
        case .waitingConnected, .waitingAlone:
            var machine = AgentSessionTests.checkingIn()
            _ = machine.checkedIn(
                Example.comeBack(self == .waitingConnected ? 5 : 500), now: now)
            return machine
        case .obtainingPlan, .adoptingPlan:
            var machine = AgentSessionTests.checkingIn()
            _ = machine.checkedIn(
                Example.comeBack(5, plans: [Example.standing(serving: nil)]), now: now)
            if self == .adoptingPlan { _ = machine.obtained(now: now) }
            return machine
        case .obtainingWork, .preparing, .declining:
            var machine = AgentSessionTests.checkingIn()
            _ = machine.checkedIn(Example.work(), now: now)
            if self == .obtainingWork { return machine }
            for _ in 0..<3 { _ = machine.obtained(now: now) }
            if self == .declining { _ = machine.failedLocally(Fault(.storage, "full"), now: now) }
            return machine
        case .encoding:
            var machine = AgentSessionTests.training()
            _ = machine.trained(now: now)
            return machine
        case .sending:
            var machine = AgentSessionTests.probing()
            _ = machine.answered(.wanted(offset: 0), now: now)
            _ = machine.answered(.wanted(offset: 0), now: now)
            return machine
        }
    }
}

@Suite("Failures")
struct FailureTests {
    @Test(
        "a lost connection, in any state, means a pause without one and a new one",
        arguments: Situation.allCases)
    func lostConnection(_ situation: Situation) throws {
        var machine = situation.machine()
        let action = machine.connectionFailed(Example.broken, now: Example.time(1))
        let wait = try #require(pause(action, from: 1))
        #expect(wait.seconds < 0.5 && !wait.keepingConnection)
        let next = machine.waited(now: Example.time(2))
        #expect(next == .connect)
    }

    @Test("a revoked agent, in any state, retries slowly", arguments: Situation.allCases)
    func revoked(_ situation: Situation) throws {
        var machine = situation.machine()
        let action = machine.refused(Example.revoked, now: Example.time(1))
        let wait = try #require(pause(action, from: 1))
        #expect(wait.seconds >= 30 && wait.seconds < 60 && !wait.keepingConnection)
    }

    @Test("a handshake that the coordinator ends because of the certificate is retried slowly")
    func certificateRefused() throws {
        var machine = newMachine()
        let action = machine.connectionFailed(
            Fault(.unauthenticated, "certificate of another fleet"), now: Example.time(0))
        #expect(try #require(pause(action, from: 0)).seconds >= 30)
    }

    @Test("repeated failures are spaced further apart, and a check-in resets the spacing")
    func growing() throws {
        var machine = newMachine()
        var longest = 0.0
        for _ in 0..<40 {
            let action = machine.connectionFailed(Example.broken, now: Example.time(0))
            longest = max(longest, try #require(pause(action, from: 0)).seconds)
            _ = machine.waited(now: Example.time(100))
        }
        #expect(longest > 30 && longest < 60)
        _ = machine.connected(now: Example.time(0))
        _ = machine.checkedIn(Example.comeBack(5), now: Example.time(0))
        let action = machine.connectionFailed(Example.broken, now: Example.time(0))
        #expect(try #require(pause(action, from: 0)).seconds < 0.5)
    }

    @Test(
        "an assignment that cannot be met is declined with the reason",
        arguments: [
            Situation.obtainingWork, .preparing, .training, .encoding,
        ])
    func declines(_ situation: Situation) throws {
        var machine = situation.machine()
        let fault = Fault(.untrusted, "no trusted key signed it", remedy: "look at the keys")
        let action = machine.failedLocally(fault, now: Example.time(1))
        #expect(
            action
                == .decline(
                    Example.assignment(),
                    reason: "no trusted key signed it; look at the keys"))
        let next = machine.done(now: Example.time(1))
        let wait = try #require(pause(next, from: 1))
        #expect(wait.seconds < 0.5 && wait.keepingConnection)
        let checkIn = machine.waited(now: Example.time(2))
        #expect(checkIn == .checkIn(waitSeconds: 60))
    }

    @Test("an assignment whose blobs the coordinator no longer has is declined")
    func missingBlob() {
        var machine = Situation.obtainingWork.machine()
        let action = machine.refused(Fault(.notFound, "no such blob"), now: Example.time(1))
        #expect(action == .decline(Example.assignment(), reason: "no such blob"))
    }

    @Test("a device that declines again and again does so ever less often")
    func repeatedDeclines() throws {
        var machine = checkingIn()
        var longest = 0.0
        for _ in 0..<40 {
            _ = machine.checkedIn(Example.work(), now: Example.time(0))
            _ = machine.failedLocally(Fault(.storage, "full"), now: Example.time(0))
            let action = machine.done(now: Example.time(0))
            longest = max(longest, try #require(pause(action, from: 0)).seconds)
            let next = machine.waited(now: Example.time(100))
            if next == .connect { _ = machine.connected(now: Example.time(100)) }
        }
        #expect(longest > 30)
    }

    @Test("training that fails without a connection gives its place back with the next one")
    func failsOffline() {
        var machine = training()
        _ = machine.heartbeatFailed(Example.broken, connectionLost: true, now: Example.time(5))
        let action = machine.failedLocally(Fault(.storage, "gone"), now: Example.time(6))
        #expect(pause(action, from: 6)?.keepingConnection == false)
        #expect(machine.waited(now: Example.time(8)) == .connect)
        #expect(machine.connected(now: Example.time(8)) == .checkIn(waitSeconds: 0))
        var answer = Example.comeBack(5)
        answer.unavailable = "its owner has paused this device"
        guard
            case .decline(Example.assignment(), let reason) = machine.checkedIn(
                answer, now: Example.time(8))
        else {
            Issue.record("the place was kept")
            return
        }
        #expect(reason.hasSuffix("its owner has paused this device"))
    }

    @Test("a decline that is refused, or that cannot be sent, is left at that")
    func declineRefused() {
        for attempt in 0..<2 {
            var machine = Situation.declining.machine()
            let fault = Fault(.gone, "the round is over")
            let action =
                attempt == 0
                ? machine.refused(fault, now: Example.time(1))
                : machine.failedLocally(fault, now: Example.time(1))
            #expect(pause(action, from: 1)?.keepingConnection == true)
        }
    }

    @Test("a submission that is refused for good is discarded, one refused for now is kept")
    func refusedSubmission() {
        for (code, discards) in [
            (Fault.Code.gone, true), (.notFound, true), (.invalid, true), (.unavailable, false),
            (.exhausted, false), (.internal, false),
        ] {
            var machine = probing()
            let action = machine.refused(Fault(code, "no"), now: Example.time(5))
            #expect((action == .discard(Example.update())) == discards)
            if !discards {
                _ = machine.waited(now: Example.time(8))
                let probe = machine.connected(now: Example.time(8))
                #expect(probe == .probe(Example.update()))
            }
        }
    }

    @Test(
        "an update that cannot be read now is kept and offered again, one that does not fit a message is not"
    )
    func unreadableUpdate() throws {
        var machine = Situation.sending.machine()
        let action = machine.failedLocally(Fault(.storage, "bad sector"), now: Example.time(5))
        #expect(try #require(pause(action, from: 5)).keepingConnection == false)
        _ = machine.waited(now: Example.time(8))
        #expect(machine.connected(now: Example.time(8)) == .probe(Example.update()))

        var unfit = Situation.sending.machine()
        let discarded = unfit.failedLocally(Fault(.exhausted, "too long"), now: Example.time(5))
        #expect(discarded == .discard(Example.update()))
    }

    @Test("a plan that cannot be adopted does not stop the agent")
    func unfitPlan() {
        var machine = Situation.adoptingPlan.machine()
        let action = machine.failedLocally(Fault(.invalid, "unknown key"), now: Example.time(1))
        #expect(pause(action, from: 1)?.keepingConnection == true)
    }

    @Test(
        "an event out of order closes the connection and starts over", arguments: Situation.allCases
    )
    func outOfOrder(_ situation: Situation) throws {
        let now = Example.time(0)
        var actions: [AgentAction] = []
        func attempt(
            allowed: [Situation], _ event: (inout AgentSessionMachine) -> AgentAction
        ) {
            guard !allowed.contains(situation) else { return }
            var machine = situation.machine()
            actions.append(event(&machine))
        }
        attempt(allowed: [.waitingConnected, .waitingAlone]) { $0.waited(now: now) }
        attempt(allowed: [.connecting]) { $0.connected(now: now) }
        attempt(allowed: [.checkingIn]) { $0.checkedIn(Example.comeBack(5), now: now) }
        attempt(allowed: [.obtainingPlan, .obtainingWork]) { $0.obtained(now: now) }
        attempt(allowed: [.adoptingPlan]) { $0.planAdopted(readinessChanged: true, now: now) }
        attempt(allowed: []) { $0.trustSetUpdated(to: 2, now: now) }
        attempt(allowed: [.preparing, .declining]) { $0.done(now: now) }
        attempt(allowed: [.training]) { $0.trained(now: now) }
        attempt(allowed: [.training]) { $0.trainingStopped(now: now) }
        attempt(allowed: [.encoding]) { $0.encoded(Example.update(), now: now) }
        attempt(allowed: [.probing]) { $0.answered(.accepted, now: now) }
        attempt(allowed: [.sending]) { $0.sent(now: now) }
        #expect(actions.count >= 10)
        for action in actions {
            #expect(try #require(pause(action, from: 0)).keepingConnection == false)
        }
    }
}

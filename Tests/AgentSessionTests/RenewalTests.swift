import AgentSession
import Federation
import Testing

@Suite("Renewal of the certificate")
struct RenewalTests {
    private var due: CheckInAnswer {
        var answer = Example.comeBack(5)
        answer.renewalIsDue = true
        return answer
    }

    /// A machine that is about to renew, at time 0.
    private func renewing() -> AgentSessionMachine {
        var machine = checkingIn()
        _ = machine.checkedIn(due, now: Example.time(0))
        return machine
    }

    /// Checks in again at `seconds`, on a new connection if there is none.
    private func nextCheckIn(
        _ machine: inout AgentSessionMachine, _ answer: CheckInAnswer, at seconds: Double
    ) -> AgentAction {
        let now = Example.time(seconds)
        if machine.waited(now: now) == .connect { _ = machine.connected(now: now) }
        return machine.checkedIn(answer, now: now)
    }

    @Test("a certificate that is due is renewed, and the agent connects with the new one at once")
    func renews() {
        var machine = checkingIn()
        #expect(machine.checkedIn(due, now: Example.time(0)) == .renewCertificate)
        #expect(machine.done(now: Example.time(0)) == .connect)
        #expect(machine.connected(now: Example.time(0)) == .checkIn(waitSeconds: 60))
        let action = machine.checkedIn(Example.comeBack(5), now: Example.time(1))
        #expect(pause(action, from: 1) != nil)
    }

    @Test("work comes first: an assignment's lease is running")
    func workFirst() {
        var machine = checkingIn()
        var answer = Example.work()
        answer.renewalIsDue = true
        #expect(machine.checkedIn(answer, now: Example.time(0)) == .obtain(Example.text))
        for _ in 0..<3 { _ = machine.obtained(now: Example.time(0)) }
        #expect(machine.done(now: Example.time(0)) == .train(Example.assignment()))
        _ = machine.trained(now: Example.time(1))
        _ = machine.encoded(Example.update(), now: Example.time(1))
        #expect(machine.answered(.accepted, now: Example.time(2)) == .renewCertificate)
    }

    @Test("a trust set by which another authority issues has it renewed at once, and once")
    func newAuthority() {
        for isDue in [false, true] {
            var machine = checkingIn()
            var answer = isDue ? due : Example.comeBack(5)
            answer.trustSetVersion = 2
            #expect(machine.checkedIn(answer, now: Example.time(0)) == .updateTrustSet)
            let renewal = machine.trustSetUpdated(
                to: 2, renewalIsDue: true, now: Example.time(0))
            #expect(renewal == .renewCertificate)
            let next = machine.refused(Fault(.invalid, "no"), now: Example.time(0))
            #expect(pause(next, from: 0) != nil)
        }
    }

    @Test("one that fails costs nothing else and is tried again, ever less often")
    func backsOff() {
        let failures: [(inout AgentSessionMachine, MonotonicInstant) -> AgentAction] = [
            { $0.refused(Fault(.invalid, "no"), now: $1) },
            { $0.failedLocally(Fault(.storage, "full"), now: $1) },
            { $0.connectionFailed(Example.broken, now: $1) },
            { $0.refused(Example.revoked, now: $1) },
        ]
        for fail in failures {
            var machine = renewing()
            var attempts = 1
            _ = fail(&machine, Example.time(0))
            for second in stride(from: 20.0, to: 20_000, by: 20) {
                if nextCheckIn(&machine, due, at: second) == .renewCertificate {
                    attempts += 1
                    _ = fail(&machine, Example.time(second))
                }
            }
            #expect((8...60).contains(attempts), "\(attempts)")
        }
    }

    @Test("a new certificate that is due again at once is no loop")
    func noLoop() {
        var machine = renewing()
        var attempts = 1
        var action = AgentAction.renewCertificate
        for second in 1...2_000 {
            let now = Example.time(Double(second))
            if action == .renewCertificate {
                #expect(machine.done(now: now) == .connect)
                _ = machine.connected(now: now)
                action = machine.checkedIn(due, now: now)
            } else {
                action = nextCheckIn(&machine, due, at: Double(second))
            }
            if action == .renewCertificate { attempts += 1 }
        }
        #expect((5...40).contains(attempts), "\(attempts)")
    }

    @Test("the back-off starts anew once a certificate is no longer due")
    func resets() {
        var machine = renewing()
        for second in stride(from: 0.0, to: 20_000, by: 20) {
            _ = machine.refused(Fault(.invalid, "no"), now: Example.time(second))
            _ = nextCheckIn(&machine, due, at: second + 10)
        }
        _ = machine.refused(Fault(.invalid, "no"), now: Example.time(20_000))
        _ = nextCheckIn(&machine, Example.comeBack(5), at: 20_010)
        #expect(nextCheckIn(&machine, due, at: 20_020) == .renewCertificate)
    }
}

import AgentSession
import Federation
import Testing

@Suite("A session that the device's owner cuts short")
struct OwnerTests {
    private let paused = "its owner has paused this device"

    /// The answer to a check-in of a paused device.
    private var answer: CheckInAnswer {
        var answer = Example.comeBack(5, plans: [Example.standing(serving: nil)])
        answer.unavailable = paused
        answer.networkRefusal = paused
        return answer
    }

    @Test("connects again at once, without a back-off, from wherever it was")
    func atOnce() {
        var machine = newMachine()
        #expect(machine.interrupted(now: Example.time(0)) == .connect)
        machine = checkingIn()
        #expect(machine.interrupted(now: Example.time(0)) == .connect)
        machine = checkingIn()
        _ = machine.checkedIn(Example.comeBack(20), now: Example.time(0))
        #expect(machine.interrupted(now: Example.time(1)) == .connect)
    }

    @Test("gives a place back with its next check-in when it was fetching the model for it")
    func fetching() {
        var machine = checkingIn()
        let standing = Example.standing(serving: nil)
        var action = machine.checkedIn(Example.work(plans: [standing]), now: Example.time(0))
        if case .obtain = action { action = machine.obtained(now: Example.time(0)) }
        _ = machine.planAdopted(readinessChanged: false, now: Example.time(0))
        #expect(machine.interrupted(now: Example.time(1)) == .connect)
        // It does not wait for work there.
        #expect(machine.connected(now: Example.time(1)) == .checkIn(waitSeconds: 0))
        guard
            case .decline(Example.assignment(), let reason) = machine.checkedIn(
                answer, now: Example.time(1))
        else {
            Issue.record("the place was kept")
            return
        }
        #expect(reason.contains(paused))
    }

    @Test("takes its place up again when it was resumed in the meantime")
    func resumed() {
        var machine = training()
        #expect(machine.interrupted(now: Example.time(1)) == .connect)
        #expect(machine.connected(now: Example.time(1)) == .checkIn(waitSeconds: 0))
        let again = Example.assignment(attempt: 2)
        var action = machine.checkedIn(Example.work(again), now: Example.time(1))
        for _ in 0..<3 {
            if case .obtain = action { action = machine.obtained(now: Example.time(1)) }
        }
        #expect(action == .prepare(again))
    }

    @Test("keeps an update that was being sent, and offers it with the next connection")
    func sending() {
        var machine = probing()
        #expect(machine.interrupted(now: Example.time(6)) == .connect)
        #expect(machine.connected(now: Example.time(6)) == .probe(Example.update()))
        // A paused device keeps it back then.
        #expect(machine.keptBack(now: Example.time(6)) == .checkIn(waitSeconds: 60))
    }
}

import AgentSession
import Federation
import Testing

@Suite("On a network that the owner keeps free of models and updates")
struct MeteredTests {
    private func metered(_ answer: CheckInAnswer) -> CheckInAnswer {
        var answer = answer
        answer.networkRefusal = "wwan0 is metered"
        return answer
    }

    @Test("an update that is kept back does not keep the device from checking in")
    func checksIn() {
        var machine = newMachine(pending: [Example.update()])
        let probe = machine.connected(now: Example.time(0))
        let next = machine.keptBack(now: Example.time(0))
        #expect(probe == .probe(Example.update()))
        #expect(next == .checkIn(waitSeconds: 0))
    }

    @Test("it is offered again over the next connection, which the next pause makes way for")
    func offeredAgain() {
        var machine = probing()
        let checkIn = machine.keptBack(now: Example.time(5))
        #expect(checkIn == .checkIn(waitSeconds: 60))
        let pausing = machine.checkedIn(metered(Example.comeBack(5)), now: Example.time(5))
        #expect(pause(pausing, from: 5)?.keepingConnection == false)
        let connect = machine.waited(now: Example.time(12))
        let again = machine.connected(now: Example.time(12))
        #expect(connect == .connect && again == .probe(Example.update()))
        _ = machine.answered(.accepted, now: Example.time(12))
        let usual = machine.checkedIn(Example.comeBack(5), now: Example.time(12))
        #expect(pause(usual, from: 12)?.keepingConnection == true)
    }

    @Test("keeping an update back outside a submission is out of order")
    func outOfOrder() {
        var machine = checkingIn()
        let action = machine.keptBack(now: Example.time(0))
        #expect(pause(action, from: 0)?.keepingConnection == false)
    }

    @Test("plans are fetched, models are not until the network may be used for them")
    func models() {
        var machine = checkingIn()
        let now = Example.time(0)
        let answer = Example.comeBack(5, plans: [Example.standing(serving: 3)])
        let text = machine.checkedIn(metered(answer), now: now)
        _ = machine.obtained(now: now)
        let pausing = machine.planAdopted(readinessChanged: false, now: now)
        #expect(text == .obtain(Example.text) && pause(pausing, from: 0) != nil)
        _ = machine.waited(now: Example.time(6))
        let later = machine.checkedIn(answer, now: Example.time(6))
        #expect(later == .obtain(Example.model(3).model))
    }

    @Test("a place that comes nevertheless is given back before its model is fetched")
    func work() {
        var machine = checkingIn()
        let action = machine.checkedIn(metered(Example.work()), now: Example.time(0))
        guard case .decline(let assignment, let reason) = action else {
            Issue.record("\(action)")
            return
        }
        #expect(assignment == Example.assignment() && reason.contains("wwan0 is metered"))
    }
}

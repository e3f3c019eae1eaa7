import AgentSession
import Federation
import Testing

@Suite("Refused models")
struct RefusedModelTests {
    private let forged = Fault(.untrusted, "the signature is wrong", remedy: "ask the curator")
    private var report: AgentAction {
        .reportRefusal(Example.model(3), reason: "the signature is wrong; ask the curator")
    }

    private func offer(_ version: UInt8 = 3) -> CheckInAnswer {
        Example.comeBack(5, plans: [Example.standing(serving: version)])
    }

    /// A machine that follows the plan and verifies version 3, at time 0.
    private func adopting() -> AgentSessionMachine {
        var machine = checkingIn()
        _ = machine.checkedIn(offer(), now: Example.time(0))
        _ = machine.obtained(now: Example.time(0))
        _ = machine.planAdopted(readinessChanged: false, now: Example.time(0))
        for _ in 0..<2 { _ = machine.obtained(now: Example.time(0)) }
        return machine
    }

    /// A machine that refused version 3 at time 0 and waits.
    private func refusing() -> AgentSessionMachine {
        var machine = adopting()
        _ = machine.modelRefused(forged, now: Example.time(0))
        _ = machine.done(now: Example.time(0))
        return machine
    }

    /// What follows when the machine, waiting, is offered a model at `seconds`.
    private func offered(
        _ answer: CheckInAnswer, to machine: inout AgentSessionMachine, at seconds: Double
    ) -> AgentAction {
        _ = machine.waited(now: Example.time(seconds))
        return machine.checkedIn(answer, now: Example.time(seconds))
    }

    @Test("a model that is refused is reported, and then the agent goes on")
    func reported() {
        var machine = adopting()
        #expect(machine.modelRefused(forged, now: Example.time(0)) == report)
        #expect(pause(machine.done(now: Example.time(0)), from: 0)?.keepingConnection == true)
    }

    @Test("it is neither fetched nor verified nor reported again while it is offered")
    func remembered() {
        var machine = refusing()
        for round in 1...5 {
            let action = offered(offer(), to: &machine, at: Double(round) * 10)
            #expect(pause(action, from: Double(round) * 10) != nil)
        }
    }

    @Test("another version, and the same one with another signature, get a chance of their own")
    func others() {
        var machine = refusing()
        #expect(
            offered(offer(4), to: &machine, at: 10) == .obtain(Example.model(4).model))
        machine = refusing()
        var standing = Example.standing(serving: 3)
        standing.serving?.signature.digest = Example.digest(77)
        let again = Example.comeBack(5, plans: [standing])
        #expect(offered(again, to: &machine, at: 10) == .obtain(Example.model(3).model))
    }

    @Test("after an hour it is looked at again, and not reported a second time")
    func secondLook() {
        var machine = refusing()
        #expect(
            offered(offer(), to: &machine, at: 4_000) == .obtain(Example.model(3).model))
        for _ in 0..<2 { _ = machine.obtained(now: Example.time(4_000)) }
        let action = machine.modelRefused(forged, now: Example.time(4_000))
        #expect(pause(action, from: 4_000) != nil)
    }

    @Test("a new trust set brings a second look at once")
    func newTrustSet() {
        var machine = refusing()
        var answer = offer()
        answer.trustSetVersion = 2
        #expect(offered(answer, to: &machine, at: 10) == .updateTrustSet)
        let action = machine.trustSetUpdated(to: 2, now: Example.time(10))
        #expect(action == .obtain(Example.model(3).model))
    }

    @Test("an assignment on a refused model is reported and declined, the next one declined unread")
    func assignment() {
        var machine = Situation.preparing.machine()
        #expect(machine.modelRefused(forged, now: Example.time(0)) == report)
        let decline = AgentAction.decline(
            Example.assignment(), reason: "the signature is wrong; ask the curator")
        #expect(machine.done(now: Example.time(0)) == decline)
        _ = machine.done(now: Example.time(0))
        #expect(offered(Example.work(), to: &machine, at: 10) == decline)
    }

    @Test("a report that the coordinator refuses, or that cannot be sent, is left at that")
    func reportRefused() {
        for attempt in 0..<2 {
            var machine = adopting()
            _ = machine.modelRefused(forged, now: Example.time(0))
            let fault = Fault(.invalid, "what is this?")
            let action =
                attempt == 0
                ? machine.refused(fault, now: Example.time(1))
                : machine.failedLocally(fault, now: Example.time(1))
            #expect(pause(action, from: 1)?.keepingConnection == true)
            #expect(pause(offered(offer(), to: &machine, at: 10), from: 10) != nil)
        }
    }

    @Test("a report that breaks the connection is tried on the next two, and no more")
    func reportBreaks() {
        var machine = adopting()
        #expect(machine.modelRefused(forged, now: Example.time(0)) == report)
        for attempt in 1...3 {
            let now = Example.time(Double(attempt) * 100)
            _ = machine.connectionFailed(Example.broken, now: now)
            _ = machine.waited(now: now)
            _ = machine.connected(now: now)
            let action = machine.checkedIn(offer(), now: now)
            if attempt < 3 {
                #expect(action == report)
            } else {
                #expect(pause(action, from: 300) != nil)
            }
        }
    }

    @Test("a fault of this device is no refusal of the model")
    func localFault() {
        var machine = adopting()
        let action = machine.failedLocally(Fault(.storage, "full"), now: Example.time(0))
        #expect(pause(action, from: 0) != nil)
        #expect(offered(offer(), to: &machine, at: 10) == .obtain(Example.model(3).model))
    }

    @Test("a refusal out of order starts over", arguments: [Situation.checkingIn, .training])
    func outOfOrder(_ situation: Situation) {
        var machine = situation.machine()
        let action = machine.modelRefused(forged, now: Example.time(0))
        #expect(pause(action, from: 0)?.keepingConnection == false)
    }
}

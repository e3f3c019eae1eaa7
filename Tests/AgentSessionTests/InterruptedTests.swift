import AgentSession
import Federation
import Testing

@Suite("An agent that was killed")
struct InterruptedTests {
    private let assignment = Example.assignment()

    /// A machine that was killed while it worked, and has sent its first check-in at time 0.
    private func restarted(
        pending: [PendingUpdate] = [], knowsPlan: Bool = true
    ) -> AgentSessionMachine {
        var machine = AgentSessionMachine(
            follows: [Example.plan, Example.other], trustSetVersion: 1, pending: pending,
            adopted: knowsPlan ? [Example.plan: Example.text.digest] : [:],
            interrupted: assignment, random: SeededRandom(seed: 1))
        _ = machine.connected(now: Example.time(0))
        return machine
    }

    private var standing: PlanStanding { Example.standing(serving: nil) }

    @Test("it takes up its place when the coordinator gives it again")
    func resumes() {
        for attempt in 1...2 {
            var machine = restarted()
            let again = Example.assignment(attempt: UInt32(attempt))
            var action = machine.checkedIn(
                Example.work(again, plans: [standing]), now: Example.time(0))
            for _ in 0..<3 {
                if case .obtain = action { action = machine.obtained(now: Example.time(0)) }
            }
            #expect(action == .prepare(again))
            #expect(machine.done(now: Example.time(0)) == .train(again))
        }
    }

    @Test("it gives its place up at once when it may not go on, and says why")
    func unavailable() {
        var machine = restarted()
        var answer = Example.comeBack(5, plans: [standing])
        answer.unavailable = "the load is 9.5"
        let action = machine.checkedIn(answer, now: Example.time(0))
        #expect(
            action
                == .decline(
                    assignment,
                    reason: "the agent was interrupted and cannot go on: the load is 9.5"))
        let next = machine.done(now: Example.time(0))
        #expect(pause(next, from: 0)?.keepingConnection == true)
    }

    @Test("it gives its place up at once when the coordinator has no work, or other work, for it")
    func otherWork() throws {
        for answer in [
            Example.comeBack(5, plans: [standing]), Example.comeBack(5),
            Example.work(Example.assignment(round: 8), plans: [standing]),
        ] {
            var machine = restarted()
            let action = machine.checkedIn(answer, now: Example.time(0))
            guard case .decline(assignment, let reason) = action else {
                Issue.record("\(action) is no decline")
                continue
            }
            #expect(reason.hasPrefix("the agent was interrupted and cannot go on: "))
            // Once is enough.
            var next = machine.done(now: Example.time(0))
            if case .wait = next { next = machine.waited(now: Example.time(9)) }
            if next == .checkIn(waitSeconds: 60) {
                let later = machine.checkedIn(
                    Example.comeBack(5, plans: [standing]), now: Example.time(10))
                #expect(pause(later, from: 10) != nil)
            }
        }
    }

    @Test("it keeps its place while it does not know its plan yet, and asks without waiting")
    func learnsItsPlan() {
        var machine = restarted(knowsPlan: false)
        let obtain = machine.checkedIn(
            Example.comeBack(0, plans: [standing]), now: Example.time(0))
        #expect(obtain == .obtain(Example.text))
        _ = machine.obtained(now: Example.time(0))
        let checkIn = machine.planAdopted(readinessChanged: true, now: Example.time(0))
        #expect(checkIn == .checkIn(waitSeconds: 0))
        let again = machine.checkedIn(
            Example.work(assignment, plans: [standing]), now: Example.time(1))
        #expect(again == .obtain(Example.text))
    }

    @Test("a place whose update is on disk already is not given up")
    func encodedInTime() {
        var machine = AgentSessionMachine(
            follows: [Example.plan], trustSetVersion: 1, pending: [Example.update()],
            adopted: [Example.plan: Example.text.digest], interrupted: assignment,
            random: SeededRandom(seed: 1))
        #expect(machine.connected(now: Example.time(0)) == .probe(Example.update()))
        _ = machine.answered(.accepted, now: Example.time(0))
        let action = machine.checkedIn(
            Example.comeBack(5, plans: [standing]), now: Example.time(0))
        #expect(pause(action, from: 0) != nil)
    }

    @Test(
        "a decline that the coordinator refuses is left at that; one that the connection takes away too"
    )
    func declineFails() throws {
        var machine = restarted()
        _ = machine.checkedIn(Example.comeBack(5, plans: [standing]), now: Example.time(0))
        let action = machine.refused(Fault(.gone, "the round is over"), now: Example.time(0))
        #expect(pause(action, from: 0)?.keepingConnection == true)

        var broken = restarted()
        _ = broken.checkedIn(Example.comeBack(5, plans: [standing]), now: Example.time(0))
        let retry = broken.connectionFailed(Example.broken, now: Example.time(0))
        #expect(pause(retry, from: 0)?.keepingConnection == false)
        _ = broken.waited(now: Example.time(1))
        _ = broken.connected(now: Example.time(1))
        let again = broken.checkedIn(Example.comeBack(5, plans: [standing]), now: Example.time(1))
        #expect(again == .decline(assignment, reason: try #require(reason(again))))
    }

    private func reason(_ action: AgentAction) -> String? {
        if case .decline(_, let reason) = action { reason } else { nil }
    }
}

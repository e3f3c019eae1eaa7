import Federation
import Rounds
import Testing

@Suite("A plan's schedule")
struct RoundScheduleTests {
    private let start = MonotonicInstant(nanoseconds: 5_000_000_000)

    private func at(_ seconds: Double) -> MonotonicInstant { start.advanced(bySeconds: seconds) }

    private func schedule(
        every: Double? = nil, ready: Int? = nil, secondsSinceLast: Double? = nil
    ) -> RoundSchedule {
        RoundSchedule(
            plan: SchedulePlan(everySeconds: every, readyAgents: ready),
            secondsSinceLast: secondsSinceLast, now: start)
    }

    @Test("of a plan without one starts nothing by itself")
    func onRequest() {
        let schedule = RoundSchedule(plan: nil, secondsSinceLast: nil, now: start)
        #expect(schedule.decide(ready: 1000, now: at(1e9)) == .onRequest)
    }

    @Test("starts a plan's first round at once, and the next a period after the start of the last")
    func every() {
        var schedule = schedule(every: 60)
        #expect(schedule.decide(ready: 0, now: start) == .start)
        schedule.roundStarts(at: start)
        #expect(schedule.decide(ready: 9, now: start) == .wait(until: at(60)))
        // However long the round took.
        schedule.roundPublished()
        #expect(schedule.decide(ready: 9, now: at(59)) == .wait(until: at(60)))
        #expect(schedule.decide(ready: 0, now: at(60)) == .start)
        #expect(schedule.decide(ready: 0, now: at(600)) == .start)
    }

    @Test("waits for enough agents, however many there were before")
    func readyAgents() {
        let schedule = schedule(ready: 3)
        #expect(schedule.decide(ready: 2, now: at(100)) == .waitForAgents(ready: 2, wanted: 3))
        #expect(schedule.decide(ready: 3, now: at(101)) == .start)
        #expect(schedule.decide(ready: 0, now: at(102)) == .waitForAgents(ready: 0, wanted: 3))
    }

    @Test("with a period and a number of agents starts only when both hold")
    func both() {
        var schedule = schedule(every: 60, ready: 3)
        schedule.roundStarts(at: start)
        #expect(schedule.decide(ready: 3, now: at(30)) == .wait(until: at(60)))
        #expect(schedule.decide(ready: 2, now: at(61)) == .waitForAgents(ready: 2, wanted: 3))
        #expect(schedule.decide(ready: 3, now: at(62)) == .start)
    }

    @Test("counts from a round that somebody asked for, too")
    func requested() {
        var schedule = schedule(every: 60)
        schedule.roundStarts(at: at(50))
        #expect(schedule.decide(ready: 0, now: at(60)) == .wait(until: at(110)))
    }

    @Test("after a restart counts what the wall clock says of the last round")
    func restart() {
        #expect(schedule(every: 60, secondsSinceLast: 20).due == at(40))
        #expect(schedule(every: 60, secondsSinceLast: 60).due == start)
    }

    @Test(
        "after a jump of the wall clock waits at least nothing and at most a period",
        arguments: [(-86_400.0, 60.0), (86_400, 0), (.infinity, 0), (-.infinity, 60)])
    func clockJump(age: Double, wait: Double) {
        #expect(schedule(every: 60, secondsSinceLast: age).due == at(wait))
    }

    @Test("of another text counts what was waited under the one before")
    func newText() {
        var schedule = schedule(every: 60)
        schedule.roundStarts(at: start)
        schedule.plan = SchedulePlan(everySeconds: 20, readyAgents: nil)
        #expect(schedule.due == at(20))
        schedule.plan = nil
        #expect(schedule.decide(ready: 0, now: at(500)) == .onRequest)
        schedule.plan = SchedulePlan(everySeconds: 3600, readyAgents: nil)
        #expect(schedule.decide(ready: 0, now: at(500)) == .wait(until: at(3600)))
    }

    @Test(
        "whose rounds fail waits longer after each, up to an hour, and as before once one succeeds")
    func failures() {
        var schedule = schedule(ready: 1)
        var now = start
        var pauses: [Double] = []
        for _ in 0..<12 {
            schedule.roundStarts(at: now)
            schedule.roundFailed(at: now)
            pauses.append(schedule.due.seconds(since: now))
            now = schedule.due
        }
        #expect(pauses.prefix(4) == [10, 20, 40, 80])
        #expect(pauses.last == RoundSchedule.longestPause)
        schedule.roundPublished()
        schedule.roundFailed(at: now)
        #expect(schedule.due.seconds(since: now) == RoundSchedule.firstPause)
    }

    @Test("with a period longer than the pause after a failure keeps to its period")
    func failureWithinPeriod() {
        var schedule = schedule(every: 60)
        schedule.roundStarts(at: start)
        schedule.roundFailed(at: at(5))
        #expect(schedule.due == at(60))
        schedule.roundFailed(at: at(55))
        #expect(schedule.due == at(75))
    }
}

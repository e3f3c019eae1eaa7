import AgentSession
import Federation
import Testing

@Suite("Connecting and checking in")
struct CheckInTests {
    @Test("an agent connects first, then checks in without waiting: it does not know its plans yet")
    func first() {
        #expect(AgentSessionMachine.firstAction == .connect)
        var machine = newMachine()
        let action = machine.connected(now: Example.time(0))
        #expect(action == .checkIn(waitSeconds: 0))
    }

    @Test("later check-ins wait for work")
    func longPoll() {
        var machine = checkingIn()
        let pausing = machine.checkedIn(Example.comeBack(5), now: Example.time(0))
        let action = machine.waited(now: Example.time(6))
        #expect(pause(pausing, from: 0)?.keepingConnection == true)
        #expect(action == .checkIn(waitSeconds: 60))
    }

    @Test("come back in 5 seconds means 5 seconds and at most a tenth more")
    func comeBack() throws {
        for seed in 0..<50 as Range<UInt64> {
            var machine = newMachine(seed: seed)
            _ = machine.connected(now: Example.time(0))
            let action = machine.checkedIn(Example.comeBack(5), now: Example.time(3))
            let wait = try #require(pause(action, from: 3))
            #expect(wait.seconds >= 5 && wait.seconds <= 5.5)
        }
    }

    @Test("come back in 0 seconds is no busy loop")
    func comeBackAtOnce() throws {
        var machine = checkingIn()
        let action = machine.checkedIn(Example.comeBack(0), now: Example.time(0))
        #expect(try #require(pause(action, from: 0)).seconds >= 0.1)
    }

    @Test("the connection is closed for a long pause, and opened again after it")
    func longPause() throws {
        var machine = checkingIn()
        let action = machine.checkedIn(Example.comeBack(600), now: Example.time(0))
        let wait = try #require(pause(action, from: 0))
        #expect(wait.seconds >= 600 && !wait.keepingConnection)
        let next = machine.waited(now: Example.time(660))
        #expect(next == .connect)
    }

    @Test("a plan that is new is fetched and adopted, then its serving model")
    func adopts() {
        var machine = checkingIn()
        let standing = Example.standing(serving: 3)
        let now = Example.time(0)
        var actions = [machine.checkedIn(Example.comeBack(5, plans: [standing]), now: now)]
        actions.append(machine.obtained(now: now))
        actions.append(machine.planAdopted(readinessChanged: false, now: now))
        actions.append(machine.obtained(now: now))
        actions.append(machine.obtained(now: now))
        #expect(
            actions == [
                .obtain(Example.text), .adoptPlan(standing), .obtain(Example.model(3).model),
                .obtain(Example.model(3).signature), .adoptModel(Example.model(3)),
            ])
        let last = machine.done(now: now)
        #expect(pause(last, from: 0) != nil)
    }

    @Test(
        "told to come back at once with a new version, it does; told so with nothing new, it pauses"
    )
    func comesBackAtOnce() {
        var machine = checkingIn()
        let now = Example.time(0)
        let answer = Example.comeBack(0, plans: [Example.standing(serving: 3)])
        _ = machine.checkedIn(answer, now: now)
        _ = machine.obtained(now: now)
        _ = machine.planAdopted(readinessChanged: false, now: now)
        _ = machine.obtained(now: now)
        _ = machine.obtained(now: now)
        let adopted = machine.done(now: now)
        #expect(adopted == .checkIn(waitSeconds: 60))
        let nothingNew = machine.checkedIn(answer, now: now)
        #expect(pause(nothingNew, from: 0).map { $0.seconds >= 0.1 } == true)
    }

    @Test("a version that is refused is no reason to come back at once")
    func pausesAfterRefusal() {
        var machine = checkingIn()
        let now = Example.time(0)
        _ = machine.checkedIn(
            Example.comeBack(0, plans: [Example.standing(serving: 3)]), now: now)
        _ = machine.obtained(now: now)
        _ = machine.planAdopted(readinessChanged: false, now: now)
        _ = machine.obtained(now: now)
        _ = machine.obtained(now: now)
        let refused = machine.failedLocally(Fault(.storage, "the disk is full"), now: now)
        #expect(pause(refused, from: 0) != nil)
    }

    @Test("what is adopted is not fetched again, a new version is")
    func adoptsOnce() {
        var machine = checkingIn()
        let now = Example.time(0)
        _ = machine.checkedIn(
            Example.comeBack(5, plans: [Example.standing(serving: 3)]), now: now)
        _ = machine.obtained(now: now)
        _ = machine.planAdopted(readinessChanged: false, now: now)
        _ = machine.obtained(now: now)
        _ = machine.obtained(now: now)
        _ = machine.done(now: now)
        _ = machine.waited(now: Example.time(6))
        let same = machine.checkedIn(
            Example.comeBack(5, plans: [Example.standing(serving: 3)]), now: Example.time(6))
        #expect(pause(same, from: 6) != nil)
        _ = machine.waited(now: Example.time(12))
        let newer = machine.checkedIn(
            Example.comeBack(5, plans: [Example.standing(serving: 4)]), now: Example.time(12))
        #expect(newer == .obtain(Example.model(4).model))
    }

    @Test("an agent that has data now, and had none, checks in at once")
    func readinessChanged() {
        var machine = checkingIn()
        let now = Example.time(0)
        _ = machine.checkedIn(
            Example.comeBack(60, plans: [Example.standing(serving: nil)]), now: now)
        _ = machine.obtained(now: now)
        let action = machine.planAdopted(readinessChanged: true, now: now)
        #expect(action == .checkIn(waitSeconds: 60))
    }

    @Test("plans that the agent does not follow are ignored")
    func strangers() {
        var machine = checkingIn()
        let stranger = PlanStanding(
            plan: Example.other, text: Example.text, serving: Example.model(1, of: Example.other))
        let action = machine.checkedIn(
            Example.comeBack(5, plans: [stranger]), now: Example.time(0))
        #expect(pause(action, from: 0) != nil)
    }

    @Test("a newer trust set is fetched before anything that it might have to verify")
    func trustSet() {
        var machine = checkingIn()
        let now = Example.time(0)
        let answer = Example.comeBack(
            5, plans: [Example.standing(serving: 3)], trustSet: 2)
        let first = machine.checkedIn(answer, now: now)
        let second = machine.trustSetUpdated(to: 2, now: now)
        #expect(first == .updateTrustSet)
        #expect(second == .obtain(Example.text))
    }

    @Test("a trust set that is still not the newest, or could not be fetched, is asked for again")
    func trustSetBehind() {
        for fails in [false, true] {
            var machine = checkingIn()
            let answer = Example.comeBack(5, trustSet: 9)
            _ = machine.checkedIn(answer, now: Example.time(0))
            let next =
                fails
                ? machine.failedLocally(Fault(.untrusted, "not signed"), now: Example.time(0))
                : machine.trustSetUpdated(to: 5, now: Example.time(0))
            #expect(pause(next, from: 0) != nil)
            _ = machine.waited(now: Example.time(6))
            let again = machine.checkedIn(answer, now: Example.time(6))
            #expect(again == .updateTrustSet)
        }
    }

    @Test("an older or equal trust set version is left alone")
    func oldTrustSet() {
        var machine = checkingIn()
        let action = machine.checkedIn(
            Example.comeBack(5, trustSet: 0), now: Example.time(0))
        #expect(pause(action, from: 0) != nil)
    }

    @Test("a model found unfit is not verified again until the trust set changes")
    func unfit() {
        var machine = checkingIn()
        let plans = [Example.standing(serving: 3)]
        func refuseModel(_ machine: inout AgentSessionMachine, now: MonotonicInstant) {
            _ = machine.obtained(now: now)
            _ = machine.obtained(now: now)
            _ = machine.failedLocally(Fault(.untrusted, "no trusted key"), now: now)
        }
        _ = machine.checkedIn(Example.comeBack(5, plans: plans), now: Example.time(0))
        _ = machine.obtained(now: Example.time(0))
        _ = machine.planAdopted(readinessChanged: false, now: Example.time(0))
        refuseModel(&machine, now: Example.time(0))
        _ = machine.waited(now: Example.time(6))

        let again = machine.checkedIn(Example.comeBack(5, plans: plans), now: Example.time(6))
        #expect(pause(again, from: 6) != nil)
        _ = machine.waited(now: Example.time(12))

        _ = machine.checkedIn(
            Example.comeBack(5, plans: plans, trustSet: 2), now: Example.time(12))
        let retried = machine.trustSetUpdated(to: 2, now: Example.time(12))
        #expect(retried == .obtain(Example.model(3).model))
    }

    @Test("a model that could not be stored is tried again at the next check-in")
    func storageTrouble() {
        var machine = checkingIn()
        let plans = [Example.standing(serving: 3)]
        _ = machine.checkedIn(Example.comeBack(5, plans: plans), now: Example.time(0))
        _ = machine.obtained(now: Example.time(0))
        _ = machine.planAdopted(readinessChanged: false, now: Example.time(0))
        _ = machine.obtained(now: Example.time(0))
        _ = machine.obtained(now: Example.time(0))
        _ = machine.failedLocally(Fault(.storage, "the disk is full"), now: Example.time(0))
        _ = machine.waited(now: Example.time(6))
        let again = machine.checkedIn(Example.comeBack(5, plans: plans), now: Example.time(6))
        #expect(again == .obtain(Example.model(3).model))
    }
}

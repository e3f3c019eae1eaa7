import AgentSession
import Federation
import Testing

@Suite("Training")
struct TrainingTests {
    @Test("an assignment's blobs are fetched, then it is prepared, trained and encoded")
    func order() {
        var machine = checkingIn()
        let assignment = Example.assignment()
        let now = Example.time(0)
        var actions = [machine.checkedIn(Example.work(), now: now)]
        for _ in 0..<3 { actions.append(machine.obtained(now: now)) }
        actions.append(machine.done(now: now))
        actions.append(machine.trained(now: Example.time(4)))
        actions.append(machine.encoded(Example.update(), now: Example.time(4)))
        #expect(
            actions == [
                .obtain(Example.text), .obtain(Example.model(3).model),
                .obtain(Example.model(3).signature), .prepare(assignment), .train(assignment),
                .encode(assignment), .probe(Example.update()),
            ])
    }

    @Test("work comes before the models to predict with, and a check-in follows both")
    func workFirst() {
        var machine = checkingIn()
        let now = Example.time(0)
        let first = machine.checkedIn(
            Example.work(plans: [Example.standing(serving: 4)]), now: now)
        #expect(first == .obtain(Example.text))
        _ = machine.obtained(now: now)
        let work = machine.planAdopted(readinessChanged: false, now: now)
        #expect(work == .obtain(Example.text))
        for _ in 0..<3 { _ = machine.obtained(now: now) }
        _ = machine.done(now: now)
        _ = machine.trained(now: now)
        _ = machine.encoded(Example.update(), now: now)
        let model = machine.answered(.accepted, now: now)
        #expect(model == .obtain(Example.model(4).model))
        _ = machine.obtained(now: now)
        _ = machine.obtained(now: now)
        let last = machine.done(now: now)
        #expect(last == .checkIn(waitSeconds: 60))
    }

    @Test("a heartbeat is due before half the lease has passed, and again after each answer")
    func heartbeats() {
        var machine = training()
        let early = machine.trainingProgressed(0.1, now: Example.time(3))
        #expect(early == .carryOn)
        let due = machine.trainingProgressed(0.2, now: Example.time(4.5))
        #expect(due == .heartbeat(progress: 0.2))
        let answered = machine.heartbeatAnswered(
            wanted: true, leaseSeconds: 20, now: Example.time(4.6))
        #expect(answered == .carryOn)
        let later = machine.trainingProgressed(0.4, now: Example.time(9))
        #expect(later == .carryOn)
        let next = machine.trainingProgressed(0.5, now: Example.time(14))
        #expect(next == .heartbeat(progress: 0.5))
    }

    @Test("a lease of no time is no flood of heartbeats")
    func noLease() {
        var machine = training()
        _ = machine.heartbeatAnswered(wanted: true, leaseSeconds: 0, now: Example.time(1))
        let early = machine.trainingProgressed(0.2, now: Example.time(1.3))
        #expect(early == .carryOn)
        let due = machine.trainingProgressed(0.3, now: Example.time(1.5))
        #expect(due == .heartbeat(progress: 0.3))
    }

    @Test(
        "the lease runs from the assignment, so a slow download makes the first heartbeat due at once"
    )
    func leaseFromGrant() {
        var machine = checkingIn()
        _ = machine.checkedIn(Example.work(), now: Example.time(0))
        for _ in 0..<3 { _ = machine.obtained(now: Example.time(8)) }
        _ = machine.done(now: Example.time(8))
        let step = machine.trainingProgressed(0, now: Example.time(8))
        #expect(step == .heartbeat(progress: 0))
    }

    @Test("an update that is no longer wanted is not trained to the end")
    func unwanted() {
        var machine = training()
        _ = machine.trainingProgressed(0.5, now: Example.time(5))
        let step = machine.heartbeatAnswered(
            wanted: false, leaseSeconds: 10, now: Example.time(5))
        #expect(step == .stop)
        let action = machine.trainingStopped(now: Example.time(5))
        #expect(action == .checkIn(waitSeconds: 60))
    }

    @Test("training stops at the report deadline")
    func deadline() {
        var machine = training()
        let step = machine.trainingProgressed(0.5, now: Example.time(60))
        #expect(step == .stop)
    }

    @Test(
        "a heartbeat that the coordinator answers with gone stops training, one it cannot serve does not"
    )
    func refusedHeartbeats() {
        for (code, expected) in [
            (Fault.Code.gone, TrainingStep.stop), (.notFound, .stop), (.unavailable, .carryOn),
            (.exhausted, .carryOn),
        ] {
            var machine = training()
            let step = machine.heartbeatFailed(
                Fault(code, "refused"), connectionLost: false, now: Example.time(5))
            #expect(step == expected)
        }
    }

    @Test("a revoked agent stops training and comes back slowly")
    func revoked() throws {
        var machine = training()
        let step = machine.heartbeatFailed(
            Example.revoked, connectionLost: false, now: Example.time(5))
        #expect(step == .stop)
        let action = machine.trainingStopped(now: Example.time(5))
        let wait = try #require(pause(action, from: 5))
        #expect(wait.seconds >= 30 && !wait.keepingConnection)
    }

    @Test("training goes on without a connection, and reconnects")
    func reconnects() {
        var machine = training()
        let lost = machine.heartbeatFailed(
            Example.broken, connectionLost: true, now: Example.time(5))
        #expect(lost == .carryOn)
        let retry = machine.trainingProgressed(0.5, now: Example.time(6))
        #expect(retry == .reconnect)
        let failed = machine.reconnectFailed(Example.broken, now: Example.time(6))
        #expect(failed == .carryOn)
        let again = machine.trainingProgressed(0.6, now: Example.time(9))
        #expect(again == .reconnect)
        let back = machine.reconnected(progress: 0.6, now: Example.time(9))
        #expect(back == .heartbeat(progress: 0.6))
        _ = machine.heartbeatAnswered(wanted: true, leaseSeconds: 10, now: Example.time(9))
        _ = machine.trained(now: Example.time(10))
        let action = machine.encoded(Example.update(), now: Example.time(10))
        #expect(action == .probe(Example.update()))
    }

    @Test(
        "an update finished without a connection is persisted first and probed after reconnecting")
    func finishedOffline() throws {
        var machine = training()
        _ = machine.heartbeatFailed(Example.broken, connectionLost: true, now: Example.time(5))
        let encode = machine.trained(now: Example.time(6))
        #expect(encode == .encode(Example.assignment()))
        let waiting = machine.encoded(Example.update(), now: Example.time(6))
        #expect(try #require(pause(waiting, from: 6)).keepingConnection == false)
        let connect = machine.waited(now: Example.time(8))
        #expect(connect == .connect)
        let probe = machine.connected(now: Example.time(8))
        #expect(probe == .probe(Example.update()))
    }

    @Test("reports about training in another state ask to stop and change nothing")
    func notTraining() {
        var machine = checkingIn()
        let steps = [
            machine.trainingProgressed(0.5, now: Example.time(0)),
            machine.heartbeatAnswered(wanted: true, leaseSeconds: 9, now: Example.time(0)),
            machine.heartbeatFailed(Example.broken, connectionLost: true, now: Example.time(0)),
            machine.reconnected(progress: 0.5, now: Example.time(0)),
            machine.reconnectFailed(Example.broken, now: Example.time(0)),
        ]
        #expect(steps.allSatisfy { $0 == .stop })
        let action = machine.checkedIn(Example.comeBack(5), now: Example.time(0))
        #expect(pause(action, from: 0)?.keepingConnection == true)
    }
}

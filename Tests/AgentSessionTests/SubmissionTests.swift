import AgentSession
import Federation
import Testing

@Suite("Submitting")
struct SubmissionTests {
    @Test("probe, header, chunks of at most 256 KiB, finish, check in")
    func complete() {
        var machine = probing()
        let update = Example.update()
        let now = Example.time(5)
        var actions = [machine.answered(.wanted(offset: 0), now: now)]
        actions.append(machine.answered(.wanted(offset: 0), now: now))
        for _ in 0..<3 { actions.append(machine.sent(now: now)) }
        actions.append(machine.answered(.accepted, now: now))
        #expect(
            actions == [
                .sendHeader(update),
                .sendChunk(update, offset: 0, count: 262_144),
                .sendChunk(update, offset: 262_144, count: 262_144),
                .sendChunk(update, offset: 524_288, count: 75_712),
                .finish(update), .checkIn(waitSeconds: 60),
            ])
    }

    @Test("an upload goes on where the coordinator says it stopped")
    func resumes() {
        var machine = probing()
        _ = machine.answered(.wanted(offset: 300_000), now: Example.time(5))
        let chunk = machine.answered(.wanted(offset: 300_000), now: Example.time(5))
        #expect(chunk == .sendChunk(Example.update(), offset: 300_000, count: 262_144))
    }

    @Test("a coordinator that has every byte gets the finish at once")
    func nothingMissing() {
        var machine = probing()
        _ = machine.answered(.wanted(offset: 0), now: Example.time(5))
        let action = machine.answered(.wanted(offset: 600_000), now: Example.time(5))
        #expect(action == .finish(Example.update()))
    }

    @Test("an offset beyond the end is a broken peer")
    func beyondTheEnd() {
        var machine = probing()
        _ = machine.answered(.wanted(offset: 0), now: Example.time(5))
        let action = machine.answered(.wanted(offset: 600_001), now: Example.time(5))
        #expect(pause(action, from: 5)?.keepingConnection == false)
    }

    @Test("bytes asked for again at the end are sent, but not for ever")
    func repeats() {
        var machine = probing(size: 10)
        let update = Example.update(size: 10)
        let now = Example.time(5)
        _ = machine.answered(.wanted(offset: 0), now: now)
        _ = machine.answered(.wanted(offset: 0), now: now)
        for _ in 0..<3 {
            _ = machine.sent(now: now)
            let again = machine.answered(.wanted(offset: 4), now: now)
            #expect(again == .sendChunk(update, offset: 4, count: 6))
        }
        _ = machine.sent(now: now)
        let last = machine.answered(.wanted(offset: 4), now: now)
        #expect(pause(last, from: 5)?.keepingConnection == false)
    }

    @Test("accepted and duplicate, at any step, end the submission and keep the update")
    func settled() {
        for verdict in [SubmitVerdict.accepted, .duplicate] {
            for steps in 0..<3 {
                var machine = probing(size: 10)
                advance(&machine, steps: steps)
                let action = machine.answered(verdict, now: Example.time(5))
                #expect(action == .checkIn(waitSeconds: 60))
                _ = machine.connectionFailed(Example.broken, now: Example.time(6))
                _ = machine.waited(now: Example.time(8))
                let probe = machine.connected(now: Example.time(8))
                #expect(probe == .probe(Example.update(size: 10)))
            }
        }
    }

    @Test("gone and rejected, at any step, discard the update for good")
    func discarded() {
        for verdict in [SubmitVerdict.gone, .rejected(.normBound)] {
            for steps in 0..<3 {
                var machine = probing(size: 10)
                advance(&machine, steps: steps)
                let action = machine.answered(verdict, now: Example.time(5))
                #expect(action == .discard(Example.update(size: 10)))
                let next = machine.done(now: Example.time(5))
                #expect(next == .checkIn(waitSeconds: 60))
                _ = machine.connectionFailed(Example.broken, now: Example.time(6))
                _ = machine.waited(now: Example.time(8))
                let checkIn = machine.connected(now: Example.time(8))
                #expect(checkIn == .checkIn(waitSeconds: 60))
            }
        }
    }

    /// 0: probing, 1: the header is out, 2: the end is out.
    private func advance(_ machine: inout AgentSessionMachine, steps: Int) {
        let now = Example.time(5)
        if steps > 0 { _ = machine.answered(.wanted(offset: 0), now: now) }
        if steps > 1 {
            _ = machine.answered(.wanted(offset: 0), now: now)
            _ = machine.sent(now: now)
        }
    }

    @Test(
        "an update is kept until its round is over: it is probed on every connection, however late")
    func persisted() {
        for connectedAt in [1.0, 59, 60, 1_000_000] {
            var machine = newMachine(pending: [Example.update()])
            for connection in 0..<3 {
                let now = Example.time(connectedAt + Double(connection) * 100)
                let probe = machine.connected(now: now)
                #expect(probe == .probe(Example.update()))
                _ = machine.answered(.duplicate, now: now)
                _ = machine.connectionFailed(Example.broken, now: now)
                _ = machine.waited(now: now.advanced(bySeconds: 99))
            }
        }
    }

    @Test(
        "a coordinator that has no room now is asked again after the pause, on the same connection")
    func later() throws {
        for steps in 0..<3 {
            var machine = probing(size: 10)
            advance(&machine, steps: steps)
            let action = machine.answered(.later(seconds: 4), now: Example.time(5))
            let wait = try #require(pause(action, from: 5))
            #expect(wait.seconds >= 4 && wait.seconds < 6 && wait.keepingConnection)
            let again = machine.waited(now: Example.time(11))
            #expect(again == .probe(Example.update(size: 10)))
            let next = machine.answered(.accepted, now: Example.time(11))
            #expect(next == .checkIn(waitSeconds: 60))
        }
    }

    @Test("for a long pause the connection is closed; the next one asks again")
    func muchLater() throws {
        var machine = probing(size: 10)
        let action = machine.answered(.later(seconds: 100), now: Example.time(5))
        let wait = try #require(pause(action, from: 5))
        #expect(wait.seconds >= 100 && wait.seconds < 150 && !wait.keepingConnection)
        #expect(machine.waited(now: Example.time(155)) == .connect)
        #expect(machine.connected(now: Example.time(155)) == .probe(Example.update(size: 10)))
    }

    @Test("agents that are put off together do not come back together")
    func spreadOut() throws {
        var pauses: [Double] = []
        for seed in 0..<200 {
            var machine = newMachine(pending: [Example.update()], seed: UInt64(seed))
            _ = machine.connected(now: Example.time(0))
            let action = machine.answered(.later(seconds: 10), now: Example.time(0))
            pauses.append(try #require(pause(action, from: 0)).seconds)
        }
        for start in 10..<15 {
            let together = pauses.count { Int($0) == start }
            #expect((20...60).contains(together), "\(together) in second \(start)")
        }
    }

    @Test("an update of an earlier attempt is kept over 'later' until the check-in readdresses it")
    func earlierAttempt() throws {
        var machine = newMachine(pending: [Example.update()])
        _ = machine.connected(now: Example.time(100))
        let action = machine.answered(.later(seconds: 0), now: Example.time(100))
        #expect(try #require(pause(action, from: 100)).keepingConnection)
        let checkIn = machine.waited(now: Example.time(101))
        #expect(checkIn == .checkIn(waitSeconds: 0))
        let second = Example.assignment(attempt: 2)
        let readdressed = machine.checkedIn(Example.work(second), now: Example.time(101))
        #expect(readdressed == .readdress(Example.update(second)))
    }

    @Test("after the probe of an update from disk comes the check-in")
    func afterPersisted() {
        var machine = newMachine(pending: [Example.update()])
        _ = machine.connected(now: Example.time(1))
        let action = machine.answered(.duplicate, now: Example.time(1))
        #expect(action == .checkIn(waitSeconds: 0))
    }

    @Test("an update is discarded when a version past its base is served")
    func sealed() {
        for (version, sealed) in [(2, false), (3, false), (4, true)] as [(UInt8, Bool)] {
            var machine = checkingIn(pending: [Example.update()])
            let action = machine.checkedIn(
                Example.comeBack(5, plans: [Example.standing(serving: version)]),
                now: Example.time(0))
            #expect((action == .discard(Example.update())) == sealed)
        }
    }

    @Test("a new attempt at the same round and lattice gets the same bytes, under its new name")
    func newAttempt() {
        var machine = checkingIn(pending: [Example.update()])
        let second = Example.assignment(attempt: 2)
        let action = machine.checkedIn(Example.work(second), now: Example.time(0))
        let expected = Example.update(second)
        #expect(action == .readdress(expected))
        #expect(expected.digest == Example.update().digest)
        let probe = machine.done(now: Example.time(0))
        #expect(probe == .probe(expected))
    }

    @Test("an update that is discarded as sealed is not offered for a new attempt")
    func sealedAndAssigned() {
        var machine = checkingIn(pending: [Example.update()])
        let answer = Example.work(
            Example.assignment(attempt: 2), plans: [Example.standing(serving: 4)])
        let first = machine.checkedIn(answer, now: Example.time(0))
        #expect(first == .discard(Example.update()))
        _ = machine.done(now: Example.time(0))
        _ = machine.obtained(now: Example.time(0))
        let work = machine.planAdopted(readinessChanged: false, now: Example.time(0))
        #expect(work == .obtain(Example.text))
    }

    @Test("another round, lattice or base is trained for anew")
    func otherWork() {
        var otherLattice = Example.assignment()
        otherLattice.latticeID = Example.digest(51)
        var otherBase = Example.assignment()
        otherBase.base = Example.model(4)
        for assignment in [Example.assignment(round: 8), otherLattice, otherBase] {
            var machine = checkingIn(pending: [Example.update()])
            let action = machine.checkedIn(Example.work(assignment), now: Example.time(0))
            #expect(action == .obtain(Example.text))
        }
    }
}

import Federation
import Rounds
import Testing

/// Selection ends at 60 s, reports are due 100 s after it, leases last 30 s.
@Suite("A round whose coordinator was restarted")
struct ResumedRoundTests {
    private func resumed(
        _ phase: PastRound.Phase, members: Range<Int> = 0..<4, passedOver: Range<Int> = 4..<4,
        rules: SelectionRules?, at seconds: Double
    ) throws -> Trial {
        Trial(
            try #require(rules), resuming: phase, members: members, passedOver: passedOver,
            at: seconds)
    }

    @Test("keeps the deadline that it had on this boot of the machine")
    func sameBoot() throws {
        let trial = try resumed(
            .training(deadline: Trial.instant(150)), rules: openRules(), at: 80)
        #expect(trial.deadline == Trial.instant(150))
        #expect(trial.counts == (selected: 4, reported: 0))
        #expect(trial.isOpen)
        #expect(trial.offer(0, at: 90) == .assign(reportSeconds: 60))
    }

    @Test("leaves its agents a lease to come back in, however late it is")
    func oneLease() throws {
        let trial = try resumed(
            .training(deadline: Trial.instant(100)), rules: openRules(), at: 99)
        #expect(trial.advance(at: 99) == .wait(untilSecond: 129))
        #expect(trial.report(0..<2))
        #expect(trial.advance(at: 129) == .aggregate)
    }

    @Test("has its whole time again after another boot, whose clock says nothing of the last")
    func anotherBoot() throws {
        let training = try resumed(.training(deadline: nil), rules: openRules(), at: 5)
        #expect(training.deadline == Trial.instant(105))
        let selecting = try resumed(.selecting(ends: nil), rules: openRules(), at: 5)
        #expect(selecting.deadline == Trial.instant(65))
    }

    @Test("does not count what it had counted until it has come again")
    func countsAnew() throws {
        let trial = try resumed(
            .training(deadline: Trial.instant(150)), rules: openRules(agents: 3), at: 80)
        #expect(trial.advance(at: 80) != .aggregate)
        #expect(trial.report(0..<3))
        #expect(!trial.report(0))
        #expect(trial.advance(at: 81) == .aggregate)
        #expect(trial.counts.reported == 3)
    }

    @Test("gives a place that nobody came back to, to another")
    func reissue() throws {
        let trial = try resumed(
            .training(deadline: Trial.instant(150)), members: 0..<5, rules: openRules(), at: 80)
        #expect(trial.offer(6, at: 81) == .passedOver)
        #expect(trial.heartbeat(0, at: 100))
        _ = trial.advance(at: 110)
        #expect(trial.standing(0) == .training(leaseEnds: Trial.instant(130)))
        #expect(trial.standing(1) == .lapsed)
        #expect(trial.offer(6, at: 111) == .assign(reportSeconds: 39))
        // Who comes late is still welcome.
        #expect(trial.report(1))
    }

    @Test("goes on selecting with the coins that were drawn, and draws none of them again")
    func coins() throws {
        let trial = try resumed(
            .selecting(ends: Trial.instant(60)), members: 0..<2, passedOver: 2..<4,
            rules: privateRules(), at: 20)
        #expect(trial.offer(2, at: 21) == .passedOver)
        #expect(trial.offer(0, at: 21, coin: false) == .assign(reportSeconds: 139))
        #expect(trial.offer(5, at: 22, coin: false) == .passedOver)
        #expect(trial.advance(at: 59) == .wait(untilSecond: 60))
        #expect(trial.advance(at: 60) == .beginTraining)
    }

    @Test("in private waits for everyone it had selected, and releases whoever came")
    func privateRound() throws {
        let trial = try resumed(
            .training(deadline: Trial.instant(150)), rules: privateRules(), at: 80)
        #expect(trial.offer(6, at: 81) == .closed)
        #expect(trial.report(0))
        #expect(trial.advance(at: 120) == .wait(untilSecond: 150))
        #expect(trial.standing(1) == .training(leaseEnds: Trial.instant(110)))
        #expect(trial.advance(at: 150) == .aggregate)
    }

    @Test("asks nobody once its sum is released")
    func released() throws {
        let trial = try resumed(
            .closed(reported: [try #require(AgentID("agent-1"))]), rules: openRules(), at: 80)
        #expect(!trial.isOpen)
        #expect(trial.deadline == nil)
        #expect(trial.counts == (selected: 4, reported: 1))
        #expect(trial.offer(0, at: 81) == .closed)
        #expect(!trial.report(0))
        #expect(trial.advance(at: 81) == .finished)
    }
}

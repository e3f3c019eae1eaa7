import Federation
import Rounds
import Testing

/// Places and minimum of the plan are 4 and 2 here, and a private round ignores both.
@Suite("A private round")
struct PrivateRoundTests {
    private func selecting(agents: Int = 8, known: Int? = nil) throws -> Trial {
        Trial(try #require(privateRules()), agents: agents, known: known)
    }

    /// Training from 0 s with `members` selected of as many known; the deadline is at 100 s.
    private func training(members: Int) throws -> Trial {
        let trial = try selecting(known: members)
        try #require(trial.select(0..<members))
        try #require(trial.advance(at: 0) == .beginTraining)
        return trial
    }

    @Test("gives a place to every agent whose coin says yes, whatever the target")
    func everyYes() throws {
        let trial = try selecting()
        #expect(trial.select(0..<7))
        #expect(trial.advance(at: 1) == .wait(untilSecond: 60))
        #expect(trial.select(7..<8, at: 2))
        #expect(trial.advance(at: 2) == .beginTraining)
        #expect(trial.counts.selected == 8)
    }

    @Test("never asks an agent again whose coin said no")
    func oneCoin() throws {
        let trial = try selecting()
        #expect(trial.offer(0, at: 1, coin: false) == .passedOver)
        #expect(trial.offer(0, at: 2, coin: true) == .passedOver)
        #expect(trial.standing(0) == nil)
    }

    @Test("keeps an agent whose coin said yes, whatever a second coin says")
    func yesStays() throws {
        let trial = try selecting()
        #expect(trial.offer(0, at: 1) == .assign(reportSeconds: 159))
        #expect(trial.offer(0, at: 2, coin: false) == .assign(reportSeconds: 158))
        #expect(trial.counts.selected == 1)
    }

    @Test("closes its window by who was asked, never by what the coins said", arguments: [0, 1, 3])
    func windowIgnoresCoins(yes: Int) throws {
        let trial = try selecting(known: 3)
        for agent in 0..<3 {
            #expect(trial.advance(at: Double(agent)) == .wait(untilSecond: 60))
            _ = trial.offer(agent, at: Double(agent), coin: agent < yes)
        }
        #expect(trial.advance(at: 3) == .beginTraining)
    }

    @Test(
        "keeps its window open to the end when no agent was known at first", arguments: [0, 1, 3])
    func unknownPopulation(yes: Int) throws {
        let trial = try selecting(known: 0)
        for agent in 0..<3 {
            _ = trial.offer(agent, at: 1, coin: agent < yes)
            #expect(trial.advance(at: 1) == .wait(untilSecond: 60))
        }
        #expect(trial.advance(at: 60) == .beginTraining)
    }

    @Test("takes nobody in after its window")
    func noNewMembers() throws {
        let trial = try training(members: 2)
        #expect(!trial.takesNewMembers)
        #expect(trial.offer(3, at: 1) == .closed)
        trial.decline(0)
        #expect(trial.offer(3, at: 2) == .closed)
        #expect(trial.counts.selected == 2)
    }

    @Test("gives a member that restarted its own place again")
    func restarted() throws {
        let trial = try training(members: 2)
        #expect(trial.offer(0, at: 40) == .assign(reportSeconds: 60))
        #expect(trial.report(0))
        #expect(trial.offer(0, at: 41) == .resolved)
    }

    @Test("lets no lease lapse: it waits for everyone it selected")
    func noLapse() throws {
        let trial = try training(members: 2)
        #expect(trial.report(0))
        #expect(trial.advance(at: 99) == .wait(untilSecond: 100))
        #expect(trial.standing(1) == .training(leaseEnds: Trial.instant(30)))
        #expect(trial.report(1))
        #expect(trial.advance(at: 99) == .aggregate)
    }

    @Test("lets no lease lapse in its window either")
    func noLapseWhileSelecting() throws {
        let trial = try selecting()
        #expect(trial.select(0..<2))
        #expect(trial.advance(at: 59) == .wait(untilSecond: 60))
        #expect(trial.standing(0) == .training(leaseEnds: Trial.instant(30)))
    }

    @Test("does not close by count: the target may report and the last is still waited for")
    func noEarlyClose() throws {
        let trial = try training(members: 5)
        #expect(trial.report(0..<4))
        #expect(trial.advance(at: 10) == .wait(untilSecond: 100))
        #expect(trial.report(4))
        #expect(trial.advance(at: 10) == .aggregate)
    }

    @Test("does not close its window when those selected so far have reported")
    func noEarlyCloseWhileSelecting() throws {
        let trial = try selecting()
        #expect(trial.select(0..<4))
        #expect(trial.report(0..<4))
        #expect(trial.advance(at: 10) == .wait(untilSecond: 60))
    }

    @Test("closes when everyone resolved, also when all declined")
    func allDeclined() throws {
        let trial = try training(members: 2)
        trial.decline(0)
        #expect(trial.advance(at: 10) == .wait(untilSecond: 100))
        trial.decline(1)
        #expect(trial.advance(at: 10) == .aggregate)
        #expect(trial.counts.reported == 0)
    }

    @Test("releases at the deadline, also without a single report")
    func deadlineWithoutReports() throws {
        let trial = try training(members: 2)
        #expect(trial.advance(at: 100) == .aggregate)
        #expect(trial.advance(at: 100) == .finished)
    }

    @Test("is aggregated also when nobody was selected")
    func emptyCohort() throws {
        let trial = try selecting()
        #expect(trial.advance(at: 60) == .beginTraining)
        #expect(trial.advance(at: 60) == .aggregate)
        #expect(trial.counts == (selected: 0, reported: 0))
    }

    @Test("follows an upload that moves past the deadline")
    func progressAware() throws {
        let trial = try training(members: 2)
        #expect(trial.upload(0, at: 95))
        #expect(trial.advance(at: 100) == .wait(untilSecond: 105))
        #expect(trial.report(0))
        #expect(trial.advance(at: 105) == .aggregate)
    }
}

import Federation
import Rounds
import Testing

@Suite("The selection window of a round without privacy")
struct SelectionTests {
    @Test("stays open while agents are still to be asked")
    func staysOpen() throws {
        let trial = Trial(try #require(openRules()))
        #expect(trial.advance(at: 0) == .wait(untilSecond: 60))
        #expect(trial.select(0..<4))
        #expect(trial.advance(at: 59.9) == .wait(untilSecond: 60))
        #expect(trial.counts.selected == 4)
    }

    @Test("closes early once every place of the over-selected cohort is taken")
    func closesWhenFull() throws {
        let trial = Trial(try #require(openRules()))
        #expect(trial.select(0..<5))
        #expect(trial.offer(5, at: 1) == .passedOver)
        #expect(trial.standing(5) == nil)
        #expect(trial.advance(at: 1) == .beginTraining)
        #expect(trial.advance(at: 1) == .wait(untilSecond: 30))
    }

    @Test("closes early once everyone known was asked, if they are enough")
    func closesWhenEveryoneAsked() throws {
        let trial = Trial(try #require(openRules()), known: 3)
        #expect(trial.select(0..<2))
        #expect(trial.advance(at: 2) == .wait(untilSecond: 60))
        #expect(trial.select(2..<3, at: 3))
        #expect(trial.advance(at: 3) == .beginTraining)
    }

    @Test("stays open with everyone asked but too few of them")
    func staysOpenWithTooFew() throws {
        let trial = Trial(try #require(openRules()), known: 1)
        #expect(trial.select(0..<1, at: 40))
        #expect(trial.advance(at: 40) == .wait(untilSecond: 60))
        #expect(trial.advance(at: 60) == .abandon(.tooFewSelected(got: 1, minimum: 2)))
        #expect(trial.advance(at: 61) == .finished)
        #expect(!trial.isOpen)
    }

    @Test("stays open when no agent was known at first, since anybody may come")
    func unknownPopulation() throws {
        let trial = Trial(try #require(openRules()), known: 0)
        #expect(trial.select(0..<3, at: 40))
        #expect(trial.advance(at: 40) == .wait(untilSecond: 60))
        #expect(trial.advance(at: 60) == .beginTraining)
    }

    @Test("closes early once the target reported, whoever else may come")
    func closesAtTarget() throws {
        let trial = Trial(try #require(openRules()))
        #expect(trial.select(0..<4))
        #expect(trial.report(0..<4))
        #expect(trial.advance(at: 20) == .beginTraining)
        #expect(trial.advance(at: 20) == .aggregate)
    }

    @Test("does not count agents that declined or fell silent towards the minimum")
    func goneDoNotCount() throws {
        let trial = Trial(try #require(openRules()))
        #expect(trial.select(0..<3))
        trial.decline(0)
        #expect(trial.heartbeat(2, at: 40))
        #expect(trial.advance(at: 60) == .abandon(.tooFewSelected(got: 1, minimum: 2)))
    }

    @Test("gives the place of an agent that declined to another")
    func declinedPlaceIsFree() throws {
        let trial = Trial(try #require(openRules(agents: 2, overSelection: 1)))
        #expect(trial.select(0..<2))
        #expect(trial.offer(2, at: 1) == .passedOver)
        trial.decline(0)
        #expect(trial.offer(2, at: 2) == .assign(reportSeconds: 158))
        #expect(trial.offer(0, at: 3) == .resolved)
    }

    @Test("tells an agent the time to the last possible deadline")
    func reportSeconds() throws {
        let trial = Trial(try #require(openRules()))
        #expect(trial.offer(0, at: 10) == .assign(reportSeconds: 150))
        #expect(trial.select(1..<5, at: 10))
        #expect(trial.advance(at: 10) == .beginTraining)
        #expect(trial.offer(0, at: 30) == .assign(reportSeconds: 80))
    }

    @Test("gives an agent that comes again its own place, also when the cohort is full")
    func comesAgain() throws {
        let trial = Trial(try #require(openRules()))
        #expect(trial.select(0..<5))
        #expect(trial.select(0..<5, at: 5))
        #expect(trial.counts.selected == 5)
        #expect(trial.standing(0) == .training(leaseEnds: Trial.instant(35)))
    }
}

import Federation
import Rounds
import Testing

@Suite("Cancelling a round and withdrawing an agent")
struct CancellationTests {
    @Test("a round is cancelled while it selects, and takes nobody after that")
    func whileSelecting() throws {
        let trial = Trial(try #require(openRules()))
        #expect(trial.select(0..<1))
        #expect(trial.cancel())
        #expect(!trial.isOpen)
        #expect(!trial.takesNewMembers)
        #expect(trial.advance(at: 1) == .finished)
        #expect(trial.offer(0, at: 1) == .closed)
        #expect(trial.offer(1, at: 1) == .closed)
        #expect(!trial.report(0))
        #expect(trial.counts.reported == 0)
    }

    @Test("a round is cancelled while agents train")
    func whileTraining() throws {
        let trial = Trial(try #require(openRules()))
        #expect(trial.select(0..<5))
        #expect(trial.advance(at: 0) == .beginTraining)
        #expect(trial.report(0..<4))
        #expect(trial.cancel())
        #expect(trial.advance(at: 1) == .finished)
        #expect(!trial.heartbeat(4, at: 1))
    }

    @Test("a round is cancelled while its deadline follows an upload")
    func pastTheDeadline() throws {
        let trial = Trial(try #require(privateRules()), known: 1)
        #expect(trial.select(0..<1))
        #expect(trial.advance(at: 0) == .beginTraining)
        #expect(trial.upload(0, at: 99))
        #expect(trial.advance(at: 100) == .wait(untilSecond: 109))
        #expect(trial.cancel())
        #expect(trial.advance(at: 101) == .finished)
    }

    @Test("a round whose sum is closed cannot be cancelled, nor one that was cancelled")
    func afterTheSum() throws {
        let trial = Trial(try #require(privateRules()))
        #expect(trial.advance(at: 60) == .beginTraining)
        #expect(trial.advance(at: 60) == .aggregate)
        #expect(!trial.cancel())
        let cancelled = Trial(try #require(openRules()))
        #expect(cancelled.cancel())
        #expect(!cancelled.cancel())
    }

    @Test("a withdrawn agent is neither waited for nor heard")
    func withdrawnMember() throws {
        let trial = Trial(try #require(privateRules()), known: 2)
        #expect(trial.select(0..<2))
        #expect(trial.advance(at: 0) == .beginTraining)
        #expect(trial.report(0))
        trial.withdraw(1)
        #expect(!trial.report(1))
        #expect(!trial.heartbeat(1, at: 1))
        #expect(trial.offer(1, at: 1) == .resolved)
        #expect(trial.advance(at: 1) == .aggregate)
    }

    @Test("a withdrawn agent that was not asked yet is not asked")
    func withdrawnBeforeAsked() throws {
        let trial = Trial(try #require(openRules()), known: 3)
        #expect(trial.select(0..<2))
        #expect(trial.advance(at: 1) == .wait(untilSecond: 60))
        trial.withdraw(2)
        #expect(trial.offer(2, at: 1) == .passedOver)
        #expect(trial.advance(at: 1) == .beginTraining)
    }

    @Test("an update that was added stays added when its agent is withdrawn")
    func withdrawnAfterReport() throws {
        let trial = Trial(try #require(openRules()))
        #expect(trial.select(0..<5))
        #expect(trial.report(0))
        trial.withdraw(0)
        #expect(trial.standing(0) == .reported)
        #expect(trial.counts.reported == 1)
    }
}

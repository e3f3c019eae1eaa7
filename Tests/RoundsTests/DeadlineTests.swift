import Federation
import Rounds
import Testing

/// The deadline is at 100 s, the latest at 200 s; patience is 10 s.
@Suite("The progress-aware deadline")
struct DeadlineTests {
    private func training(leaseSeconds: Double = 30) throws -> Trial {
        let trial = Trial(try #require(openRules(leaseSeconds: leaseSeconds)), known: 5)
        try #require(trial.select(0..<5))
        try #require(trial.advance(at: 0) == .beginTraining)
        try #require(trial.report(0..<2))
        return trial
    }

    @Test("follows an upload that moves, and counts it")
    func follows() throws {
        let trial = try training()
        #expect(trial.upload(2, at: 95))
        #expect(trial.advance(at: 100) == .wait(untilSecond: 105))
        #expect(trial.upload(2, at: 104))
        #expect(trial.advance(at: 105) == .wait(untilSecond: 114))
        #expect(trial.report(2))
        #expect(trial.advance(at: 105) == .aggregate)
        #expect(trial.counts.reported == 3)
    }

    @Test("passes when the upload stalls")
    func stalls() throws {
        let trial = try training()
        #expect(trial.upload(2, at: 95))
        #expect(trial.advance(at: 104.9) == .wait(untilSecond: 105))
        #expect(trial.advance(at: 105) == .aggregate)
        #expect(!trial.upload(2, at: 105))
    }

    @Test("does not wait for an upload that stalled before it")
    func stalledBefore() throws {
        let trial = try training()
        #expect(trial.upload(2, at: 90))
        #expect(trial.advance(at: 100) == .aggregate)
    }

    @Test("does not wait for an agent that only trains")
    func trainingIsLate() throws {
        let trial = try training()
        #expect(trial.heartbeat(2, at: 99))
        #expect(trial.advance(at: 100) == .aggregate)
    }

    @Test("follows an upload at most once again as far")
    func bounded() throws {
        let trial = try training()
        var now = 0.0
        while now < 195 {
            #expect(trial.upload(2, at: now))
            now += 5
        }
        #expect(trial.advance(at: 195) == .wait(untilSecond: 200))
        #expect(trial.upload(2, at: 199.9))
        #expect(trial.advance(at: 200) == .aggregate)
    }

    @Test("takes a heartbeat during an upload neither for movement nor for its end")
    func heartbeatDuringUpload() throws {
        let trial = try training()
        #expect(trial.upload(2, at: 95))
        #expect(trial.heartbeat(2, at: 99))
        #expect(trial.advance(at: 100) == .wait(untilSecond: 105))
    }

    @Test("holds for an upload also when leases are shorter than the patience")
    func shortLeases() throws {
        let trial = try training(leaseSeconds: 1)
        #expect(trial.upload(2, at: 95))
        #expect(trial.advance(at: 100) == .wait(untilSecond: 105))
    }

    @Test("follows the upload that moved last")
    func lastOfSeveral() throws {
        let trial = try training()
        #expect(trial.upload(2, at: 97))
        #expect(trial.upload(3, at: 93))
        #expect(trial.advance(at: 100) == .wait(untilSecond: 107))
    }
}

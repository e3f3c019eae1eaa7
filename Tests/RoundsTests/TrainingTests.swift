import Federation
import Rounds
import Testing

@Suite("The training phase of a round without privacy")
struct TrainingTests {
    /// A round of target 4, minimum 2 and 5 places, all taken; training began at 0 s and the deadline is at 100 s.
    private func training(agents: Int = 8, known: Int? = nil) throws -> Trial {
        let trial = Trial(try #require(openRules()), agents: agents, known: known)
        try #require(trial.select(0..<5))
        try #require(trial.advance(at: 0) == .beginTraining)
        return trial
    }

    @Test("closes as soon as the target reported and refuses the surplus")
    func closesAtTarget() throws {
        let trial = try training()
        #expect(trial.report(0..<3))
        #expect(trial.advance(at: 10) == .wait(untilSecond: 30))
        #expect(trial.report(3))
        #expect(trial.advance(at: 10) == .aggregate)
        #expect(!trial.report(4))
        #expect(!trial.heartbeat(4, at: 11))
        #expect(!trial.upload(4, at: 11))
        #expect(trial.offer(5, at: 11) == .closed)
        #expect(trial.offer(0, at: 11) == .closed)
        #expect(trial.counts.reported == 4)
        #expect(trial.advance(at: 11) == .finished)
    }

    @Test("counts a report once")
    func countsOnce() throws {
        let trial = try training()
        #expect(trial.report(0))
        #expect(!trial.report(0))
        #expect(!trial.upload(0, at: 1))
        #expect(!trial.heartbeat(0, at: 1))
        trial.decline(0)
        #expect(trial.standing(0) == .reported)
        #expect(trial.offer(0, at: 2) == .resolved)
        #expect(trial.counts.reported == 1)
    }

    @Test("takes nothing from an agent without a place")
    func strangers() throws {
        let trial = try training()
        #expect(!trial.heartbeat(6, at: 1))
        #expect(!trial.upload(6, at: 1))
        #expect(!trial.report(6))
        trial.decline(6)
        #expect(trial.standing(6) == nil)
        #expect(trial.counts.selected == 5)
    }

    @Test("aggregates what came by the deadline if it is the minimum")
    func minimumAtDeadline() throws {
        let trial = try training()
        #expect(trial.report(0..<2))
        #expect(trial.advance(at: 99.9) == .wait(untilSecond: 100))
        #expect(trial.advance(at: 100) == .aggregate)
    }

    @Test("is abandoned at the deadline with less than the minimum, and says so")
    func tooFewReports() throws {
        let trial = try training()
        #expect(trial.report(0))
        #expect(trial.advance(at: 100) == .abandon(.tooFewReports(got: 1, minimum: 2)))
        #expect(trial.advance(at: 100) == .finished)
        #expect(!trial.report(1))
    }

    @Test("closes early when all resolved and nobody known is left to take a free place")
    func nobodyLeft() throws {
        let trial = try training(known: 5)
        #expect(trial.report(0..<2))
        trial.decline(2)
        trial.decline(3)
        #expect(trial.advance(at: 5) == .wait(untilSecond: 30))
        trial.decline(4)
        #expect(trial.advance(at: 5) == .aggregate)
    }

    @Test("waits for agents that were not asked yet when places are free")
    func placesToGive() throws {
        let trial = try training(known: 6)
        #expect(trial.report(0..<2))
        (2..<5).forEach(trial.decline)
        #expect(trial.advance(at: 5) == .wait(untilSecond: 100))
        #expect(trial.takesNewMembers)
        #expect(trial.offer(5, at: 40) == .assign(reportSeconds: 60))
        #expect(trial.report(5))
        #expect(trial.advance(at: 50) == .aggregate)
    }

    @Test("waits to the deadline when all resolved with less than the minimum")
    func allResolvedTooFew() throws {
        let trial = try training(known: 5)
        #expect(trial.report(0))
        (1..<5).forEach(trial.decline)
        #expect(trial.advance(at: 5) == .wait(untilSecond: 100))
        #expect(trial.advance(at: 100) == .abandon(.tooFewReports(got: 1, minimum: 2)))
    }

    @Test("gives a lapsed place to another agent, and still counts the first if it returns")
    func lapsedPlace() throws {
        let trial = try training()
        (1..<5).forEach { #expect(trial.heartbeat($0, at: 20)) }
        #expect(trial.offer(5, at: 29) == .passedOver)
        #expect(trial.advance(at: 29.9) == .wait(untilSecond: 30))
        #expect(trial.advance(at: 30) == .wait(untilSecond: 50))
        #expect(trial.standing(0) == .lapsed)
        #expect(trial.offer(5, at: 31) == .assign(reportSeconds: 69))
        #expect(trial.offer(6, at: 31) == .passedOver)
        #expect(trial.heartbeat(0, at: 32))
        #expect(trial.standing(0) == .training(leaseEnds: Trial.instant(62)))
        #expect(trial.report(0))
        #expect(trial.counts.reported == 1)
    }

    @Test("counts the report of a member whose lease lapsed")
    func lapsedReport() throws {
        let trial = try training()
        #expect(trial.advance(at: 30) == .wait(untilSecond: 100))
        #expect((0..<5).allSatisfy { trial.standing($0) == .lapsed })
        #expect(trial.upload(0, at: 31))
        #expect(trial.report(0..<4))
        #expect(trial.advance(at: 32) == .aggregate)
    }

    @Test("lets the lease of an upload that stalls lapse too")
    func stalledUpload() throws {
        let trial = try training()
        (0..<5).forEach { #expect(trial.upload($0, at: 10)) }
        #expect(trial.advance(at: 10) == .wait(untilSecond: 40))
        #expect(trial.upload(1, at: 30))
        #expect(trial.advance(at: 40) == .wait(untilSecond: 60))
        #expect(trial.standing(0) == .lapsed)
        #expect(trial.offer(5, at: 41) == .assign(reportSeconds: 59))
    }

    @Test("begins with nobody after the deadline")
    func nobodyBeginsLate() throws {
        let trial = try training()
        #expect(trial.advance(at: 30) == .wait(untilSecond: 100))
        #expect(trial.upload(0, at: 98))
        #expect(trial.advance(at: 100) == .wait(untilSecond: 108))
        #expect(trial.offer(5, at: 101) == .closed)
        #expect(trial.offer(0, at: 101) == .closed)
        #expect(trial.advance(at: 101) == .wait(untilSecond: 108))
    }
}

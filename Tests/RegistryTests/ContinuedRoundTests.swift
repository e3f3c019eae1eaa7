import Federation
import Foundation
import GRDB
import Registry
import Testing

@Suite("A round that another process goes on with")
struct ContinuedRoundTests {
    private let scratch: Scratch
    private var registry: Registry { scratch.registry }

    init() throws { scratch = try Scratch() }

    private let deadline = StoredDeadline(
        bootID: "this boot", at: MonotonicInstant(nanoseconds: 7_000_000_000))

    private func code(_ body: (Registry) async throws -> Void) async -> Fault.Code? {
        await faultCode { try await body(registry) }
    }

    private func contribute(
        _ at: RoundAttempt, _ agent: Int, _ update: String = "update"
    ) async throws(Fault) -> Bool {
        try await registry.recordContribution(
            at, agent: agentID(agent), updateDigest: digest(update), bytes: 100)
    }

    private func charge(_ at: RoundAttempt) async throws(Fault) {
        _ = try await registry.chargeBudget(
            at, plan: fashion, population: "people", noiseMultiplier: 1, samplingRate: 1,
            delta: 1e-5, nowUnix: now, epsilonAfter: { _ in Double(at.attempt) },
            event: { _ in event(.budgetCharged, "\(at)") })
    }

    private func collectAgain(_ at: RoundAttempt) async throws(Fault) -> RoundAttempt {
        try await registry.collectAgain(
            at, deadline: deadline, nowUnixMilliseconds: nowMilliseconds + 3,
            event: { event(.roundContinued, "\($0)") })
    }

    @Test("finds its deadline, its coins and what was recorded")
    func past() async throws {
        try await registry.enrolAgents(3)
        let job = try await registry.prepareFashion()
        let at = try await registry.startRound(
            plan: fashion, job: job, baseVersion: 0, rotationSeed: rotationSeed,
            latticeID: digest("lattice"), deadline: deadline, nowUnixMilliseconds: nowMilliseconds,
            event: { event(.roundStarted, "\($0.round)") })
        _ = try await registry.recordCoin(at, agent: agentID(1), selected: true)
        _ = try await registry.recordCoin(at, agent: agentID(2), selected: false)
        _ = try await contribute(at, 1)
        let again = try scratch.reopened()
        let past = try #require(try await again.unfinishedRounds().first)
        #expect(past.at == at && past.job == job && past.rotationSeed == rotationSeed)
        #expect(past.deadline == deadline)
        #expect(try await again.coins(of: at.round) == [agentID(1): true, agentID(2): false])
        let recorded = try await again.contributions(of: at)
        #expect(recorded.map(\.agent) == [agentID(1)] && recorded.map(\.isLost) == [false])
        #expect(recorded.map(\.updateDigest) == [digest("update")])
        let later = StoredDeadline(bootID: "another", at: MonotonicInstant(nanoseconds: 1))
        try await again.postpone(at, to: later)
        #expect(try await registry.round(at.round).deadline == later)
        try await registry.transition(
            at, from: .selecting, to: .training, deadline: deadline,
            nowUnixMilliseconds: nowMilliseconds, event: nil)
        #expect(try await registry.round(at.round).deadline == deadline)
    }

    @Test("takes the same update again, and never another of the same agent")
    func sameUpdate() async throws {
        try await registry.enrolAgents(1)
        let at = try await registry.startFirstRound()
        #expect(try await contribute(at, 1))
        #expect(try await !contribute(at, 1))
        #expect(await code { _ in _ = try await contribute(at, 1, "another") } == .conflict)
        #expect(try await registry.contributions(of: at).map(\.updateDigest) == [digest("update")])
    }

    @Test("marks what is not in its sum, until it comes again")
    func lostUpdates() async throws {
        try await registry.enrolAgents(2)
        let at = try await registry.startFirstRound()
        _ = try await contribute(at, 1)
        _ = try await contribute(at, 2)
        try await registry.transition(
            at, from: .selecting, to: .training, nowUnixMilliseconds: nowMilliseconds, event: nil)
        try await registry.transition(
            at, from: .training, to: .aggregating, counting: [agentID(2)],
            nowUnixMilliseconds: nowMilliseconds, event: nil)
        #expect(try await registry.contributions(of: at).map(\.isLost) == [true, false])
        #expect(try await registry.round(at.round).reported == 1)
        #expect(try await collectAgain(at) == at)
        #expect(try await !contribute(at, 1))
        #expect(try await registry.contributions(of: at).map(\.isLost) == [false, false])
        #expect(try await registry.round(at.round).reported == 2)
    }

    @Test("collects the same attempt again when it was not charged, without a leaf")
    func notCharged() async throws {
        let at = try await registry.startFirstRound()
        try await registry.gather(at)
        let before = try await registry.eventCount()
        #expect(try await collectAgain(at) == at)
        let round = try await registry.round(at.round)
        #expect(round.phase == .training && round.deadline == deadline)
        #expect(round.history.map(\.phase) == [.selecting, .training, .aggregating, .training])
        #expect(try await registry.eventCount() == before)
        #expect(try scratch.rowsAreAsSealed())
    }

    @Test("begins another attempt when it was charged, with a leaf that seals its start again")
    func charged() async throws {
        try await registry.enrolAgents(1)
        let at = try await registry.startFirstRound()
        _ = try await registry.recordCoin(at, agent: agentID(1), selected: true)
        _ = try await contribute(at, 1)
        try await registry.gather(at)
        try await charge(at)
        let next = try await collectAgain(at)
        #expect(next == RoundAttempt(round: at.round, attempt: 2))
        let round = try await registry.round(at.round)
        #expect(round.at == next && round.phase == .training && round.reported == 0)
        // A coin is the round's; the charge that there is, is the first attempt's.
        #expect(round.selected == 1)
        #expect(round.epsilonAfter == 1 && round.chargedAttempt == 1)
        #expect(round.history.map(\.attempt) == [1, 1, 1, 2])
        #expect(try scratch.rowsAreAsSealed())

        // Nothing of the first attempt is possible any more.
        #expect(await code { _ in _ = try await collectAgain(at) } == .gone)
        #expect(await code { try await $0.releaseRound(at) } == .gone)
        #expect(await code { _ in try await charge(at) } == .gone)
        #expect(await code { _ in _ = try await contribute(at, 1) } == .gone)
        // The second may even bring another update: it is charged for.
        #expect(try await contribute(next, 1, "another"))
        try await registry.transition(
            next, from: .training, to: .aggregating, nowUnixMilliseconds: nowMilliseconds,
            event: nil)
        try await charge(next)
        try await registry.releaseRound(next)
        try await registry.publishRound(next, version: 1)
        #expect(try await registry.round(at.round).epsilonAfter == 2)
        #expect(try scratch.rowsAreAsSealed())
    }

    @Test("collects again only what was being aggregated")
    func onlyAggregating() async throws {
        let at = try await registry.startFirstRound()
        #expect(await code { _ in _ = try await collectAgain(at) } == .conflict)
        try await registry.gather(at)
        try await registry.releaseRound(at)
        #expect(await code { _ in _ = try await collectAgain(at) } == .conflict)
        let missing = RoundAttempt(round: RoundID(7), attempt: 1)
        #expect(await code { _ in _ = try await collectAgain(missing) } == .notFound)
        #expect(await code { try await $0.postpone(missing, to: deadline) } == .notFound)
        #expect(try await registry.round(at.round).phase == .sealing)
    }

    @Test("is not gone on with when somebody changed how it began")
    func changedStart() async throws {
        let at = try await registry.startFirstRound()
        try await registry.gather(at)
        let queue = try DatabaseQueue(path: scratch.directory + "/registry.sqlite")
        try await queue.write { db in try db.execute(sql: "UPDATE rounds SET rotationSeed = 1") }
        #expect(await code { _ in _ = try await collectAgain(at) } == .untrusted)
        #expect(try await registry.round(at.round).phase == .aggregating)
    }

    @Test("tells who took part as it was released, and nothing where that is a secret")
    func participation() async throws {
        let at = try await registry.startFirstRound()
        try await registry.gather(at)
        try await registry.release(
            at, aggregateDigest: digest("sum"), masterDigest: digest("master"), velocityDigest: nil,
            participation: StoredParticipation(examples: 30, rejected: 2),
            commitmentSecret: testSecret, nowUnixMilliseconds: nowMilliseconds,
            event: event(.roundSealed, "1"))
        let released = try await registry.round(at.round)
        #expect(released.participation == StoredParticipation(examples: 30, rejected: 2))
        #expect(released.commitmentSecret?.bytes == testSecret)
        #expect(released.deadline == nil)
        try await registry.publishRound(at, version: 1)

        let secret = try await registry.startRound(job: 1)
        try await registry.gather(secret)
        try await registry.releaseRound(secret)
        #expect(try await registry.round(secret.round).participation == nil)
        #expect(try scratch.rowsAreAsSealed())
    }

    /// What migration 5 added, in the order in which it can be taken away again.
    private static let added = [
        "rounds.deadlineNanoseconds", "rounds.bootID", "rounds.releasedExamples",
        "rounds.releasedRejected", "contributions.lost", "plans.pausedUnix", "plans.pausedReason",
    ]

    @Test("may be of the version before: its registry is migrated, and its seals still hold")
    func versionBefore() async throws {
        try await registry.enrolAgents(1)
        let at = try await registry.startFirstRound()
        _ = try await contribute(at, 1)
        try await registry.gather(at)
        try await registry.releaseRound(at)
        try await registry.publishRound(at, version: 1)
        let open = try await registry.startRound(job: 1)
        let queue = try DatabaseQueue(path: scratch.directory + "/registry.sqlite")
        try await queue.write { db in
            let later = try String.fetchAll(
                db,
                sql: "SELECT identifier FROM grdb_migrations WHERE CAST(identifier AS INTEGER) > 5")
            try #require(later.isEmpty || later == ["6 retention"])
            try db.execute(sql: "DROP INDEX rounds_by_job; DROP INDEX rounds_by_plan")
            if !later.isEmpty {
                try db.execute(sql: "ALTER TABLE models DROP COLUMN collectedUnix")
            }
            for column in Self.added {
                let parts = column.split(separator: ".")
                try db.execute(sql: "ALTER TABLE \(parts[0]) DROP COLUMN \(parts[1])")
            }
            try db.execute(
                sql: "DELETE FROM grdb_migrations WHERE CAST(identifier AS INTEGER) > 4")
        }
        let migrated = try scratch.reopened()
        #expect(try scratch.rowsAreAsSealed())
        let past = try #require(try await migrated.unfinishedRounds().first)
        #expect(past.at == open && past.deadline == nil)
        #expect(try await migrated.contributions(of: at).map(\.isLost) == [false])
        try await migrated.gather(open)
        try await migrated.releaseRound(open)
        try await migrated.publishRound(open, version: 2)
        #expect(try scratch.rowsAreAsSealed())
    }
}

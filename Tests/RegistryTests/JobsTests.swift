import Federation
import Registry
import Testing

@Suite("Jobs")
struct JobsTests {
    private let scratch: Scratch
    private var registry: Registry { scratch.registry }

    init() throws { scratch = try Scratch() }

    private func create(
        _ rounds: Int, key: String
    ) async throws(Fault) -> (job: UInt64, isNew: Bool) {
        try await registry.createJob(
            plan: fashion, rounds: rounds, idempotencyKey: key, nowUnix: now,
            event: { event(.roundsRequested, "\($0)") })
    }

    @Test("requests with the same key, even at once, make one job")
    func idempotency() async throws {
        _ = try await registry.prepareFashion()
        let results = try await withThrowingTaskGroup(of: (UInt64, Bool).self) { group in
            for _ in 0..<6 { group.addTask { try await create(5, key: "again") } }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(Set(results.map(\.0)).count == 1)
        #expect(results.filter(\.1).count == 1)
        #expect(await faultCode { _ = try await create(6, key: "again") } == .conflict)
        #expect(try await create(5, key: "another").isNew)
    }

    @Test("requests without a key are all new")
    func withoutKey() async throws {
        _ = try await registry.prepareFashion()
        let first = try await create(5, key: "")
        let second = try await create(5, key: "")
        #expect(first.isNew && second.isNew && first.job != second.job)
    }

    @Test("a job keeps what is said of it")
    func state() async throws {
        let job = try await registry.prepareFashion()
        #expect(try await registry.job(job).state == "running")
        try await registry.setJob(job, state: "failed", detail: "no agents", roundsDone: 2)
        let stored = try await registry.job(job)
        #expect(stored.state == "failed")
        #expect(stored.detail == "no agents")
        #expect(stored.rounds == 3)
        #expect(stored.roundsDone == 2)
        #expect(stored.plan == fashion)
        #expect(try await registry.jobs() == [stored])
    }

    @Test("a job that has ended starts no round")
    func endedJobsRounds() async throws {
        let job = try await registry.prepareFashion()
        try await registry.cancelJob(
            job, detail: "cancelled by ada", nowUnix: now, event: event(.jobCancelled, "\(job)"))
        #expect(await faultCode { _ = try await registry.startRound(job: job) } == .conflict)
        #expect(try await registry.unfinishedRounds().isEmpty)
    }

    @Test("a job that has ended stays as it ended")
    func ended() async throws {
        let job = try await registry.prepareFashion()
        #expect(try await registry.openJobs().map(\.job) == [job])
        try await registry.cancelJob(
            job, detail: "cancelled by ada", nowUnix: now, event: event(.jobCancelled, "\(job)"))
        // What its round's driver had to say came later.
        try await registry.setJob(job, state: "running", detail: "", roundsDone: 1)
        let stored = try await registry.job(job)
        #expect(stored.state == "cancelled" && stored.detail == "cancelled by ada")
        #expect(try await registry.openJobs().isEmpty)
        let again = await faultCode {
            try await registry.cancelJob(
                job, detail: "", nowUnix: now, event: event(.jobCancelled, "\(job)"))
        }
        #expect(again == .conflict)
        let unknown = await faultCode {
            try await registry.cancelJob(
                99, detail: "", nowUnix: now, event: event(.jobCancelled, "99"))
        }
        #expect(unknown == .notFound)
        #expect(try scratch.rowsAreAsSealed())
    }

    @Test("how far a job is, its rounds tell, whatever its own row says")
    func outcome() async throws {
        let at = try await registry.startFirstRound()
        let job = try await registry.round(at.round).job
        #expect(try await registry.outcome(ofJob: job) == (0, nil))
        try await registry.gather(at)
        try await registry.releaseRound(at)
        try await registry.publishRound(at, version: 1)
        #expect(try await registry.outcome(ofJob: job) == (1, nil))
        let next = try await registry.startRound(job: job)
        #expect(try await registry.outcome(ofJob: job) == (1, nil))
        try await registry.abandon(
            next, reason: "too few", nowUnixMilliseconds: nowMilliseconds,
            event: event(.roundAbandoned, "2"))
        #expect(try await registry.outcome(ofJob: job) == (1, "too few"))
        #expect(try await registry.job(job).roundsDone == 0)
        #expect(try await registry.lastJob(of: fashion) == job)
        #expect(try await registry.lastRoundStart(of: fashion) == nowMilliseconds)
    }

    @Test("no rounds, an unknown plan, job or state are refused")
    func refusals() async throws {
        #expect(await faultCode { _ = try await create(0, key: "") } == .invalid)
        #expect(await faultCode { _ = try await create(1, key: "") } == .notFound)
        #expect(await faultCode { _ = try await registry.job(9) } == .notFound)
        let unknown = await faultCode {
            try await registry.setJob(9, state: "finished", detail: "", roundsDone: 0)
        }
        #expect(unknown == .notFound)
        let job = try await registry.prepareFashion()
        let nonsense = await faultCode {
            try await registry.setJob(job, state: "asleep", detail: "", roundsDone: 0)
        }
        #expect(nonsense == .invalid)
    }
}

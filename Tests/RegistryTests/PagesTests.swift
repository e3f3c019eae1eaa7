import Federation
import Registry
import Testing

@Suite("Lists in pages")
struct PagesTests {
    private let scratch: Scratch
    private var registry: Registry { scratch.registry }

    init() throws { scratch = try Scratch() }

    @Test("agents come by name, with their plans, as many as are asked for")
    func agents() async throws {
        try await registry.enrolAgents(5)
        try await registry.sawAgent(
            agentID(4), nowUnix: now, version: "1", cpuFeatures: "", memoryKiB: 1,
            plans: [
                Readiness(
                    plan: fashion, planDigest: nil, examples: 3, unreadable: 0, modelVersion: nil)
            ])
        let first = try await registry.agents(after: "", limit: 2)
        #expect(first.items.map(\.id) == [agentID(1), agentID(2)] && first.hasMore)
        let second = try await registry.agents(after: "agent-2", limit: 3)
        #expect(second.items.map(\.id) == [agentID(3), agentID(4), agentID(5)] && !second.hasMore)
        #expect(second.items.map(\.plans.count) == [0, 1, 0])
        #expect(try await registry.agents(after: "agent-5", limit: 2).items.isEmpty)
        #expect(first.items + second.items == (try await registry.agents()))
    }

    @Test("rounds come by number, of a plan, a job or all, with their history")
    func rounds() async throws {
        let job = try await registry.prepareFashion()
        for _ in 0..<3 {
            let at = try await registry.startRound(job: job)
            try await registry.abandon(
                at, reason: "no agents", nowUnixMilliseconds: nowMilliseconds,
                event: event(.roundAbandoned, "\(at)"))
        }
        let first = try await registry.rounds(plan: nil, after: RoundID(0), limit: 2)
        #expect(first.items.map(\.at.round.number) == [1, 2] && first.hasMore)
        #expect(first.items.map { $0.history.map(\.phase) }.last == [.selecting, .abandoned])
        let second = try await registry.rounds(plan: fashion, after: RoundID(2), limit: 2)
        #expect(second.items.map(\.at.round.number) == [3] && !second.hasMore)
        #expect(first.items + second.items == (try await registry.rounds(plan: nil)))
        let ofJob = try await registry.rounds(job: job, after: RoundID(1), limit: 9)
        #expect(ofJob.items.map(\.at.round.number) == [2, 3])
        #expect(try await registry.rounds(job: job + 1, after: RoundID(0), limit: 9).items.isEmpty)
    }

    @Test("the newest rounds come first, of a plan or all, with their history")
    func newestRounds() async throws {
        let job = try await registry.prepareFashion()
        for _ in 0..<3 {
            let at = try await registry.startRound(job: job)
            try await registry.abandon(
                at, reason: "no agents", nowUnixMilliseconds: nowMilliseconds,
                event: event(.roundAbandoned, "\(at)"))
        }
        let newest = try await registry.rounds(plan: nil, before: nil, limit: 2)
        #expect(newest.items.map(\.at.round.number) == [3, 2] && newest.hasMore)
        let older = try await registry.rounds(plan: fashion, before: RoundID(2), limit: 2)
        #expect(older.items.map(\.at.round.number) == [1] && !older.hasMore)
        let all = try await registry.rounds(plan: nil)
        #expect((newest.items + older.items).reversed() == all)
        let none = try await registry.rounds(plan: PlanID("other"), before: nil, limit: 2)
        #expect(none.items.isEmpty && !none.hasMore)
    }

    @Test("active agents are counted by the version they run")
    func agentVersions() async throws {
        try await registry.enrolAgents(4)
        for (number, version) in [(1, "0.1.0"), (2, "0.1.0"), (3, "0.2.0")] {
            try await registry.sawAgent(
                agentID(number), nowUnix: now, version: version, cpuFeatures: "", memoryKiB: 1,
                plans: [])
        }
        try await registry.revoke(
            agentID(3), reason: "lost", nowUnix: now, event: event(.agentRevoked, "agent-3"))
        let counts = try await registry.agentVersions()
        #expect(counts.map(\.version) == ["0.1.0", ""])
        #expect(counts.map(\.agents) == [2, 1])
    }

    @Test("models come by version, with their files")
    func models() async throws {
        let at = try await registry.startFirstRound()
        try await registry.gather(at)
        try await registry.releaseRound(at)
        try await registry.publishRound(at, version: 1)
        let all = try await registry.models(fashion)
        #expect(all.count == 2)
        let first = try await registry.models(fashion, from: 0, limit: 1)
        #expect(first.items == [all[0]] && first.hasMore)
        let second = try await registry.models(fashion, from: 1, limit: 1)
        #expect(second.items == [all[1]] && !second.hasMore)
    }

    @Test("jobs come by number, those of a plan and the open ones alone if they are asked for")
    func jobs() async throws {
        let first = try await registry.prepareFashion()
        var jobs = [first]
        for _ in 0..<2 {
            jobs.append(
                try await registry.createJob(
                    plan: fashion, rounds: 1, idempotencyKey: "", nowUnix: now,
                    event: { event(.roundsRequested, "\($0)") }
                ).job)
        }
        try await registry.setJob(first, state: "finished", detail: "", roundsDone: 3)
        let page = try await registry.jobs(plan: fashion, after: 0, isOpen: false, limit: 2)
        #expect(page.items.map(\.job) == Array(jobs[..<2]) && page.hasMore)
        let open = try await registry.jobs(plan: nil, after: 0, isOpen: true, limit: 2)
        #expect(open.items.map(\.job) == Array(jobs[1...]) && !open.hasMore)
        let other = try #require(PlanID("digits"))
        #expect(
            try await registry.jobs(plan: other, after: 0, isOpen: false, limit: 2).items.isEmpty)
    }
}

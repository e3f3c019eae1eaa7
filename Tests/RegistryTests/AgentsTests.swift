import Federation
import Foundation
import Registry
import Testing

@Suite("Agents")
struct AgentsTests {
    private let scratch: Scratch
    private var registry: Registry { scratch.registry }

    init() throws { scratch = try Scratch() }

    @Test("a new agent has its certificate and has not been seen")
    func enrolled() async throws {
        try await registry.enrolAgents(1)
        let agent = try await registry.agent(agentID(1))
        #expect(agent.certificateSerial == "01")
        #expect(agent.certificateDigest == digest("certificate 1"))
        #expect(agent.certificateExpiresUnix == now + 1000)
        #expect(agent.enrolledUnix == now)
        #expect(agent.lastSeenUnix == 0)
        #expect(!agent.isRevoked)
        #expect(agent.plans.isEmpty)
    }

    @Test("a check-in replaces what the agent said before and is no event")
    func checkIn() async throws {
        try await registry.enrolAgents(1)
        let events = try await registry.eventCount()
        let stranger = try #require(PlanID("unknown-here"))
        let before = Readiness(
            plan: stranger, planDigest: nil, examples: 1, unreadable: 0, modelVersion: nil)
        let after = Readiness(
            plan: fashion, planDigest: digest("plan"), examples: 4000, unreadable: 2,
            modelVersion: 7)
        for plans in [[before], [after]] {
            try await registry.sawAgent(
                agentID(1), nowUnix: now + 5, version: "0.1", cpuFeatures: "avx2",
                memoryKiB: 1024, plans: plans)
        }
        let agent = try await registry.agent(agentID(1))
        #expect(agent.plans == [after])
        #expect(agent.lastSeenUnix == now + 5)
        #expect(agent.version == "0.1")
        #expect(agent.cpuFeatures == "avx2")
        #expect(agent.memoryKiB == 1024)
        #expect(try await registry.agents() == [agent])
        #expect(try await registry.eventCount() == events)
    }

    @Test("numbers beyond SQLite's range, and a plan named twice, do no harm")
    func absurdReport() async throws {
        try await registry.enrolAgents(1)
        let absurd = Readiness(
            plan: fashion, planDigest: nil, examples: .max, unreadable: .max, modelVersion: .max)
        try await registry.sawAgent(
            agentID(1), nowUnix: now, version: "", cpuFeatures: "", memoryKiB: .max,
            plans: [absurd, absurd])
        let agent = try await registry.agent(agentID(1))
        #expect(agent.memoryKiB == UInt64(Int64.max))
        #expect(agent.plans.map(\.examples) == [UInt64(Int64.max)])
    }

    @Test("an agent is revoked once, with its reason")
    func revocation() async throws {
        try await registry.enrolAgents(2)
        let revocation = event(.agentRevoked, "1")
        try await registry.revoke(
            agentID(1), reason: "lost", nowUnix: now + 9, event: revocation)
        let agent = try await registry.agent(agentID(1))
        #expect(agent.revokedUnix == now + 9)
        #expect(agent.revokedReason == "lost")
        #expect(try await !registry.agent(agentID(2)).isRevoked)
        let again = await faultCode {
            try await registry.revoke(
                agentID(1), reason: "again", nowUnix: now, event: revocation)
        }
        #expect(again == .conflict)
        #expect(
            try await registry.events(from: 4, limit: 10).map { unsealed($0.leaf) }
                == [revocation.leafBytes(unix: now + 9, rows: nil)])
    }

    @Test("an unknown agent is not found")
    func unknown() async throws {
        let nobody = agentID(9)
        #expect(await faultCode { _ = try await registry.agent(nobody) } == .notFound)
        let revoked = await faultCode {
            try await registry.revoke(
                nobody, reason: "", nowUnix: now, event: event(.agentRevoked, "9"))
        }
        #expect(revoked == .notFound)
        let seen = await faultCode {
            try await registry.sawAgent(
                nobody, nowUnix: now, version: "", cpuFeatures: "", memoryKiB: 0, plans: [])
        }
        #expect(seen == .notFound)
        #expect(try await registry.eventCount() == 0)
    }
}

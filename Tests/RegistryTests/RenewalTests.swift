import Federation
import Registry
import Testing

@Suite("Renewed certificates and refused models")
struct RenewalTests {
    private let scratch: Scratch
    private let agent = agentID(1)
    private let first = digest("certificate 1")
    private var registry: Registry { scratch.registry }

    init() async throws {
        scratch = try Scratch()
        try await scratch.registry.enrolAgents(2)
    }

    private func renew(_ serial: String) async throws(Fault) {
        try await registry.renew(
            agent, certificate: (serial, digest(serial), now + 5000), nowUnix: now,
            event: event(.agentRenewed, serial))
    }

    private func use(_ digest: Digest) async throws(Fault) {
        try await registry.usedCertificate(agent, digest: digest, nowUnix: now)
    }

    private func mayShow(_ names: String...) async throws -> [Bool] {
        let stored = try await scratch.reopened().agent(agent)
        return ([first] + names.map(digest)).map { stored.mayShow(certificate: $0) }
    }

    @Test("the certificate before counts until the new one is used")
    func overlap() async throws {
        #expect(try await mayShow("a") == [true, false])
        try await use(first)
        try await renew("a")
        #expect(try await registry.agent(agent).certificateSerial == "a")
        #expect(try await mayShow("a") == [true, true])
        try await use(first)
        #expect(try await mayShow("a") == [true, true])
        try await use(digest("a"))
        #expect(try await mayShow("a") == [false, true])
        #expect(await faultCode { try await use(first) } == .forbidden)
        try await renew("b")
        #expect(try await mayShow("a", "b") == [false, true, true])
        #expect(try await registry.eventCount() == 6)
    }

    @Test("a renewal whose answer was lost is made again, and the certificate in use still counts")
    func lostAnswer() async throws {
        try await renew("a")
        try await renew("b")
        #expect(try await mayShow("a", "b") == [true, false, true])
        try await use(digest("b"))
        #expect(try await mayShow("a", "b") == [false, false, true])
    }

    @Test("a revoked or unknown agent, and a serial twice, get no certificate")
    func refusals() async throws {
        #expect(await faultCode { try await renew("02") } == .conflict)
        try await registry.revoke(
            agent, reason: "", nowUnix: now, event: event(.agentRevoked, "1"))
        #expect(await faultCode { try await renew("a") } == .forbidden)
        let unknown = await faultCode {
            try await registry.renew(
                agentID(9), certificate: ("a", first, now), nowUnix: now,
                event: event(.agentRenewed, "9"))
        }
        #expect(unknown == .notFound)
    }

    @Test("what an agent refuses is logged once")
    func refusedModels() async throws {
        func refuse(_ agent: AgentID, version: UInt64) async throws(Fault) -> Bool {
            try await registry.refuse(
                agent, plan: fashion, version: version, model: digest("model"), reason: "proof",
                nowUnix: now, event: event(.modelRefused, "\(version)"))
        }
        #expect(try await refuse(agent, version: 1))
        #expect(try await !refuse(agent, version: 1))
        #expect(try await refuse(agent, version: 2))
        #expect(try await refuse(agentID(2), version: 1))
        #expect(await faultCode { _ = try await refuse(agentID(9), version: 1) } == .notFound)
        #expect(try await registry.eventCount() == 7)
        let last = try await scratch.reopened().lastRefusals()
        #expect(last.mapValues(\.version) == [agent: 2, agentID(2): 1])
        #expect(last[agent] == StoredRefusal(plan: fashion, version: 2, reason: "proof"))
    }
}

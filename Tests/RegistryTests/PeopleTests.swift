import Federation
import Registry
import Testing

@Suite("People")
struct PeopleTests {
    private let scratch: Scratch
    private var registry: Registry { scratch.registry }

    init() throws { scratch = try Scratch() }

    private func add(_ name: String, serial: String = "1") async throws(Fault) {
        try await registry.addPerson(
            name, role: .operator, certificate: (serial, digest(name + serial), now + 100),
            nowUnix: now, event: event(.adminIssued, name))
    }

    private func promote(_ name: String, serial: String) async throws(Fault) {
        try await registry.setRole(
            name, role: .admin, certificate: (serial, digest(name + serial), now + 200),
            nowUnix: now + 1, event: event(.roleChanged, name))
    }

    private func revoke(_ name: String) async throws(Fault) {
        try await registry.revokePerson(
            name, reason: "left", nowUnix: now + 2, event: event(.adminRevoked, name))
    }

    @Test("a person is added, changes the role with the certificate, and is revoked")
    func life() async throws {
        #expect(try await registry.person("ada") == nil)
        try await add("ada")
        try await add("bob", serial: "2")
        try await promote("ada", serial: "3")
        try await revoke("ada")
        let ada = try #require(try await scratch.reopened().person("ada"))
        #expect(ada.role == .admin)
        #expect(ada.certificateSerial == "3")
        #expect(ada.certificateDigest == digest("ada3"))
        #expect(ada.certificateExpiresUnix == now + 200)
        #expect(ada.issuedUnix == now + 1)
        #expect(ada.isRevoked && ada.revokedUnix == now + 2 && ada.revokedReason == "left")
        #expect(try await registry.people().map(\.name) == ["ada", "bob"])
        #expect(try await registry.people().map(\.isRevoked) == [true, false])
        #expect(try await registry.eventCount() == 4)
    }

    @Test("a name or serial twice, a stranger, and one who was revoked are refused")
    func refusals() async throws {
        try await add("ada")
        #expect(await faultCode { try await add("ada", serial: "9") } == .conflict)
        #expect(await faultCode { try await add("bob") } == .conflict)
        #expect(await faultCode { try await promote("bob", serial: "8") } == .notFound)
        #expect(await faultCode { try await revoke("bob") } == .notFound)
        try await revoke("ada")
        #expect(await faultCode { try await promote("ada", serial: "8") } == .conflict)
        #expect(await faultCode { try await revoke("ada") } == .conflict)
        let agent = await faultCode {
            try await registry.addPerson(
                "device", role: .agent, certificate: ("7", digest("7"), now), nowUnix: now,
                event: event(.adminIssued, "device"))
        }
        #expect(agent == .invalid)
        #expect(try await registry.eventCount() == 2)
    }
}

import CoordinatorService
import Cryptography
import Federation
import Foundation
import Provenance
import Registry
import Testing
import Wire

@Suite("A device's certificate", .timeLimit(.minutes(10)))
struct RenewalTests {
    private static let day: Int64 = 86_400

    /// A fleet with one agent that enrolled `days` ago, for 90 days.
    private func withAgent(
        enrolled days: Int64, _ body: (FleetUnderTest, ScriptedAgent) async throws -> Void
    ) async throws {
        try await FleetUnderTest.inTurn { directory in
            try await FleetUnderTest.initialise(directory)
            let identity = try await FleetUnderTest.enrol(
                in: directory, issued: now() - days * Self.day, seconds: 90 * Self.day)
            try await FleetUnderTest.serve(directory) { fleet in
                try await body(
                    fleet,
                    ScriptedAgent(
                        name: "old", fleet: fleet, identity: identity,
                        line: try await fleet.connect(identity)))
            }
        }
    }

    private func now() -> Int64 { Int64(Date().timeIntervalSince1970) }

    @Test("is renewed over its own connection; the old one counts until the new one is used")
    func renewed() async throws {
        try await withAgent(enrolled: 61) { fleet, agent in
            let renewed = try await agent.renew(try PrivateKey.generate(.p256))
            #expect(renewed.0.isSigned(by: [fleet.authority]))
            #expect(renewed.0.identity == agent.identity.0.identity)
            #expect(renewed.0.publicKey == renewed.1.publicKey)
            #expect(abs(renewed.0.notAfterUnix - now() - 90 * Self.day) < 100)

            _ = try await agent.checkIn([])
            _ = try await agent.reconnected().checkIn([])
            _ = try await agent.reconnected(showing: renewed).checkIn([])
            for line in [agent, try await agent.reconnected()] {
                let fault = await refusal { _ = try await line.checkIn([]) }
                #expect(fault?.code == .unauthenticated)
                #expect(fault?.message.contains("newer certificate") == true)
            }
            let digests = try await fleet.registry().events(from: 0, limit: 100)
                .compactMap { LeafFields($0.leaf) }
                .filter { $0.event == "agentRenewed" }.map { $0.text("certificate") }
            #expect(digests == [SHA256.digest(of: renewed.0.der).hex])
        }
    }

    @Test("is renewed again when the answer was lost; only the last one counts then")
    func lostAnswer() async throws {
        try await withAgent(enrolled: 61) { _, agent in
            let lost = try await agent.renew(try PrivateKey.generate(.p256))
            let kept = try await agent.renew(try PrivateKey.generate(.p256))
            let fault = await refusal {
                _ = try await agent.reconnected(showing: lost).checkIn([])
            }
            #expect(fault?.code == .unauthenticated)
            _ = try await agent.checkIn([])
            _ = try await agent.reconnected(showing: kept).checkIn([])
        }
    }

    @Test("counts as before after a restart, before and after the new one is used")
    func restart() async throws {
        try await withAgent(enrolled: 61) { fleet, agent in
            let renewed = try await agent.renew(try PrivateKey.generate(.p256))
            try await fleet.restarted { fleet in
                _ = try await agent.reconnected(to: fleet).checkIn([])
                let line = try await fleet.connect(renewed)
                try await line.ask(.checkInRequest(CheckInRequest()))
            }
            try await fleet.restarted { fleet in
                let fault = await refusal {
                    _ = try await agent.reconnected(to: fleet).checkIn([])
                }
                #expect(fault?.code == .unauthenticated)
            }
        }
    }

    @Test("that is not half way through its life is not renewed: one device cannot fill the log")
    func early() async throws {
        try await withAgent(enrolled: 40) { _, agent in
            let fault = await refusal { _ = try await agent.renew(try PrivateKey.generate(.p256)) }
            #expect(fault?.code == .conflict)
            #expect(fault?.message.contains("not due") == true)
            _ = try await agent.checkIn([])
        }
    }

    @Test("stays good when a request for a new one is garbage")
    func garbage() async throws {
        try await withAgent(enrolled: 61) { _, agent in
            for bytes in [[], [1, 2, 3]] as [[UInt8]] {
                let fault = await refusal {
                    try await agent.line.ask(
                        .renewRequest(RenewRequest(certificateRequest: bytes)))
                }
                #expect(fault?.code == .invalid)
            }
            _ = try await agent.checkIn([])
        }
    }

    @Test("of a revoked agent is not renewed")
    func revoked() async throws {
        try await withAgent(enrolled: 61) { fleet, agent in
            try await fleet.admin().revoke(agent)
            let fault = await refusal { _ = try await agent.renew(try PrivateKey.generate(.p256)) }
            #expect(fault?.code == .forbidden)
        }
    }

    @Test("that expires while its connection stays open is refused from then on")
    func expires() async throws {
        try await FleetUnderTest.inTurn { directory in
            try await FleetUnderTest.initialise(directory)
            let identity = try await FleetUnderTest.enrol(
                in: directory, issued: now(), seconds: 5)
            try await FleetUnderTest.serve(directory) { fleet in
                let line = try await fleet.connect(identity)
                try await line.ask(.checkInRequest(CheckInRequest()))
                while now() <= identity.0.notAfterUnix {
                    try await Task.sleep(for: .milliseconds(100))
                }
                let fault = await refusal { try await line.ask(.checkInRequest(CheckInRequest())) }
                #expect(fault?.code == .unauthenticated)
                #expect(fault?.message.contains("expired") == true)
                #expect(fault?.remedy.contains("new token") == true)
            }
        }
    }

    @Test("lasts as long as coordinator.toml says")
    func lifetime() async throws {
        try await FleetUnderTest.inTurn { directory in
            try await FleetUnderTest.initialise(directory, deviceDays: 0.25)
            try await FleetUnderTest.serve(directory) { fleet in
                let agent = try await ScriptedAgent.enrol(
                    in: fleet, token: try await fleet.admin().token())
                let left = agent.identity.0.notAfterUnix - now()
                #expect((21_500...21_600).contains(left))
            }
        }
    }
}

extension FleetUnderTest {
    /// Puts an agent into the registry of a fleet that nobody serves yet.
    static func enrol(
        in directory: TemporaryDirectory, issued: Int64, seconds: Int64
    ) async throws -> (Certificate, PrivateKey) {
        let state = try StateDirectory(path: directory.file("state"))
        let authority = try CertificateAuthority(
            certificate: try Certificate(pemFile: state.path + "/certificates/fleet-ca.crt"),
            key: try PrivateKey(pemFile: state.path + "/keys/fleet-ca.key"))
        let key = try PrivateKey.generate(.p256)
        let certificate = try authority.issue(
            identity: Identity(fleet: "lab", role: .agent, id: "old"), publicKey: key.publicKey,
            seconds: seconds, nowUnix: issued)
        let registry = try state.registry()
        let secret = SHA256.digest(of: [1])
        let unix = UInt64(issued)
        try await registry.addToken(
            secretDigest: secret, uses: 1, expiresUnix: unix + 100, nowUnix: unix,
            event: FleetEvent(.tokenIssued, []))
        let agent = try #require(AgentID("old"))
        try await registry.enrol(
            agent, secretDigest: secret,
            certificate: (
                serial: certificate.serial, digest: SHA256.digest(of: certificate.der),
                expiresUnix: UInt64(certificate.notAfterUnix)
            ), nowUnix: unix, event: FleetEvent(.agentEnrolled, []))
        return (certificate, key)
    }
}

import CoordinatorService
import Cryptography
import Federation
import Foundation
import Registry
import Testing
import Wire

@Suite("Enrolment", .timeLimit(.minutes(10)))
struct EnrolmentTests {
    private func request(
        _ secret: [UInt8], clockOff seconds: Int64 = 0
    ) throws -> EnrolRequest {
        EnrolRequest(
            secret: secret,
            certificateRequest: try CertificateRequest.make(key: try PrivateKey.generate(.p256)),
            agentVersion: "test",
            unixSeconds: UInt64(Int64(Date().timeIntervalSince1970) + seconds))
    }

    @Test("gives a device a certificate with which it is known from then on")
    func works() async throws {
        try await FleetUnderTest.run { fleet in
            let admin = try await fleet.admin()
            let token = try await admin.token()
            #expect(token.authority == fleet.authority.publicKey.spkiDigest)
            #expect(token.address == fleet.address)
            let agent = try await ScriptedAgent.enrol(in: fleet, token: token)
            let certificate = agent.identity.0
            #expect(certificate.isSigned(by: [fleet.authority]))
            #expect(
                certificate.identity == Identity(fleet: "lab", role: .agent, id: agent.name))
            _ = try await agent.checkIn([])
            #expect(try await admin.agents().map(\.agent) == [agent.name])
        }
    }

    @Test("refuses a token that is unknown, expired or used up, each in its own words")
    func tokens() async throws {
        try await FleetUnderTest.run { fleet in
            let admin = try await fleet.admin()
            let unknown = try await admin.token().secret.map { ~$0 }
            let expired = [UInt8](repeating: 7, count: 32)
            // The command line gives a token at least a minute, so an old one is put there by hand.
            let registry = try fleet.registry()
            try await registry.addToken(
                secretDigest: SHA256.digest(of: expired), uses: 1, expiresUnix: 1_700_000_000,
                nowUnix: 1_600_000_000, event: FleetEvent(.tokenIssued, []))
            let used = try await admin.token()
            _ = try await ScriptedAgent.enrol(in: fleet, token: used)

            for (secret, words) in [
                (unknown, "does not know the enrolment token"), (expired, "has expired"),
                (used.secret, "already used once"), ([], "does not know the enrolment token"),
            ] {
                let stranger = try await fleet.connect()
                let fault = await refusal {
                    try await stranger.ask(.enrolRequest(try request(secret)))
                }
                #expect(fault?.code == .unauthenticated)
                #expect(fault?.message.contains(words) == true, "\(fault?.message ?? "")")
                #expect(fault?.remedy.contains("new token") == true)
            }
            #expect(try await admin.agents().count == 1)
        }
    }

    @Test("refuses a device whose clock is two days off, and its token stays good")
    func clocks() async throws {
        try await FleetUnderTest.run { fleet in
            let admin = try await fleet.admin()
            let token = try await admin.token()
            for (seconds, words) in [(172_800, "ahead of"), (-172_800, "behind")] as [(Int64, _)] {
                let stranger = try await fleet.connect()
                let fault = await refusal {
                    try await stranger.ask(
                        .enrolRequest(try request(token.secret, clockOff: seconds)))
                }
                #expect(fault?.code == .invalid)
                #expect(fault?.message.contains(words) == true, "\(fault?.message ?? "")")
                #expect(fault?.message.contains("hours") == true)
                #expect(fault?.remedy.contains("clock") == true)
            }
            _ = try await ScriptedAgent.enrol(in: fleet, token: token)
        }
    }

    @Test(
        "lets in a device whose clock is a day off, and its certificate is good by that clock at once",
        arguments: [-86_300, 86_300] as [Int64])
    func tolerated(seconds: Int64) async throws {
        try await FleetUnderTest.run { fleet in
            let key = try PrivateKey.generate(.p256)
            var request = try request(
                try await fleet.admin().token().secret, clockOff: seconds)
            request.certificateRequest = try CertificateRequest.make(key: key)
            let stranger = try await fleet.connect()
            guard case .enrolResponse(let response) = try await stranger.ask(.enrolRequest(request))
            else {
                Issue.record("no certificate")
                return
            }
            let certificate = try Certificate(der: response.certificate)
            let server = try Certificate(pemFile: fleet.state.path + "/certificates/server.crt")
            let clock = Int64(Date().timeIntervalSince1970) + seconds
            for certificate in [certificate, server, fleet.authority] {
                #expect(certificate.notBeforeUnix <= clock && clock < certificate.notAfterUnix)
            }
            let line = try await fleet.connect((certificate, key))
            try await line.ask(.checkInRequest(CheckInRequest()))
        }
    }

    @Test("refuses a certificate request that is garbage, and its token stays good")
    func garbage() async throws {
        try await FleetUnderTest.run { fleet in
            let admin = try await fleet.admin()
            let token = try await admin.token()
            let good = try request(token.secret).certificateRequest
            var forged = good
            forged[forged.count - 1] ^= 1
            for (bytes, code) in [
                ([], .invalid), ([1, 2, 3], .invalid), (Array(good.dropLast(20)), .invalid),
                (forged, .untrusted),
            ] as [([UInt8], Fault.Code)] {
                let stranger = try await fleet.connect()
                let fault = await refusal {
                    var request = try request(token.secret)
                    request.certificateRequest = bytes
                    try await stranger.ask(.enrolRequest(request))
                }
                #expect(fault?.code == code)
                #expect(fault?.message.contains("certificate request") == true)
            }
            _ = try await ScriptedAgent.enrol(in: fleet, token: token)
        }
    }

    @Test(
        "looks at the token first: who only guesses one costs no signature and no entry in the log")
    func guesses() async throws {
        try await FleetUnderTest.run { fleet in
            let before = try await fleet.checkpoint()
            let stranger = try await fleet.connect()
            let fault = await refusal {
                var guess = try request([1, 2, 3])
                guess.certificateRequest = []
                try await stranger.ask(.enrolRequest(guess))
            }
            #expect(fault?.code == .unauthenticated)
            #expect(try await fleet.checkpoint() == before)
        }
    }

    @Test("lets a token for three devices in three times")
    func severalUses() async throws {
        try await FleetUnderTest.run { fleet in
            let admin = try await fleet.admin()
            let token = try await admin.token(uses: 3)
            var names: Set<String> = []
            for _ in 0..<3 {
                names.insert(try await ScriptedAgent.enrol(in: fleet, token: token).name)
            }
            #expect(names.count == 3)
            let fault = await refusal {
                _ = try await ScriptedAgent.enrol(in: fleet, token: token)
            }
            #expect(fault?.message.contains("already used 3 times") == true)
        }
    }

    @Test("gives no token for no device, for too many, or for no time")
    func impossibleTokens() async throws {
        try await FleetUnderTest.run { fleet in
            let admin = try await fleet.admin()
            for (uses, seconds) in [(0, 3600), (100_001, 3600), (1, 59), (1, 31_536_001)]
                as [(UInt32, UInt64)]
            {
                let fault = await refusal {
                    _ = try await admin.token(uses: uses, validSeconds: seconds)
                }
                #expect(fault?.code == .invalid)
                #expect(fault?.remedy.isEmpty == false)
            }
        }
    }
}

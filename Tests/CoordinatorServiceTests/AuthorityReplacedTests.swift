import CoordinatorService
import Cryptography
import Federation
import Foundation
import Provenance
import Testing
import Wire

@Suite("While the fleet's authority is being replaced", .timeLimit(.minutes(10)))
struct AuthorityReplacedTests {
    private func newAuthority(_ fleet: FleetUnderTest) throws -> Certificate {
        try Certificate(pemFile: fleet.state.path + "/certificates/fleet-ca-2.crt")
    }

    /// The certificate that an enrolment or a renewal brings now.
    private func issued(
        by fleet: FleetUnderTest, _ agent: ScriptedAgent
    ) async throws -> (Certificate, PrivateKey) {
        try await agent.reconnected(to: fleet).renew(try PrivateKey.generate(.p256))
    }

    @Test(
        "devices of both come in, and those of the old one get a certificate of the new one early")
    func overlap() async throws {
        try await FleetUnderTest.run { fleet in
            let agent = try await ScriptedAgent.enrol(
                in: fleet, token: try await fleet.admin().token())
            try await fleet.restarted(after: { _ = try await fleet.state.rotateAuthority() }) {
                fleet in
                let next = try newAuthority(fleet)
                // This connection trusts the old authority alone, as the device still does.
                let answer = try await agent.reconnected(to: fleet).line.ask(
                    .trustSetRequest(TrustSetRequest(afterVersion: 1)))
                guard case .trustSetUpdate(let update) = answer else {
                    Issue.record("no trust set")
                    return
                }
                let first = try TrustSet(
                    document: CredentialFile.read(fleet.state.path + "/trust/1.json"))
                let second = try first.replaced(by: try #require(update.sets.first))
                #expect(second.authorities == [next, fleet.authority])

                let renewed = try await issued(by: fleet, agent)
                #expect(renewed.0.isSigned(by: [next]))
                let again = try await agent.reconnected(showing: renewed, to: fleet)
                _ = try await again.checkIn([])
                // Of the new authority, it is due only with time.
                let fault = await refusal { _ = try await issued(by: fleet, again) }
                #expect(fault?.message.contains("not due") == true)
                let newcomer = try await ScriptedAgent.enrol(
                    in: fleet, token: try await fleet.admin().token())
                #expect(newcomer.identity.0.isSigned(by: [next]))
            }
        }
    }

    @Test("a device that was left behind is told why, by its own check and by the server's")
    func retired() async throws {
        try await FleetUnderTest.run { fleet in
            let agent = try await ScriptedAgent.enrol(
                in: fleet, token: try await fleet.admin().token())
            let replace = {
                _ = try await fleet.state.rotateAuthority()
                _ = try await fleet.state.retireAuthorities(leavesBehind: true)
            }
            try await fleet.restarted(after: replace) { fleet in
                let oldTrust = await refusal { _ = try await agent.reconnected(to: fleet) }
                #expect(oldTrust?.code == .untrusted)
                #expect(
                    oldTrust?.remedy.contains("its authority was replaced") == true,
                    "\(oldTrust as Any)")
                let oldCertificate = await refusal {
                    let line = try await Line.connect(
                        to: fleet.address, authority: try newAuthority(fleet),
                        identity: agent.identity)
                    try await line.ask(.checkInRequest(CheckInRequest()))
                }
                #expect(oldCertificate?.code == .unauthenticated)
                #expect(oldCertificate?.message.contains("has retired") == true)
                #expect(oldCertificate?.remedy.contains("enrol again") == true)
            }
        }
    }
}

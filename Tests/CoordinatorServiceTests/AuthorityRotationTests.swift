import CoordinatorService
import Cryptography
import Federation
import Foundation
import Provenance
import Registry
import Testing
import Wire

@Suite("Authorities and the server's certificate", .timeLimit(.minutes(10)))
struct AuthorityRotationTests {
    private let directory: TemporaryDirectory
    private let state: StateDirectory

    init() async throws {
        directory = try TemporaryDirectory()
        state = try await StateDirectory.initialise(
            path: directory.file("state"), fleet: "lab", addresses: ["127.0.0.1"], port: 7443)
    }

    @Test("a new authority issues while both are trusted, and the server keeps its certificate")
    func rotate() async throws {
        let old = try #require(try trustSet().authorities.first)
        let server = try serverCertificate()
        let first = try trustSet()
        _ = try await state.rotateAuthority()
        let set = try first.replaced(by: CredentialFile.read(state.trustSetFile))
        #expect(set.authorities.count == 2 && set.authorities[1] == old)
        #expect(try serverCertificate() == server)
        try await state.issueCredential(
            name: "eve", role: .auditor, output: directory.file("eve"))
        for folder in [directory.file("eve"), state.adminFolder] {
            let certificate = try Certificate(pemFile: folder + "/admin.crt")
            #expect(certificate.isSigned(by: [set.authorities[0]]))
            #expect(try Certificate.chain(pemFile: folder + "/fleet-ca.crt") == set.authorities)
        }
        let twice = await refusal { _ = try await state.rotateAuthority() }
        #expect(twice?.code == .conflict)
        #expect(twice?.remedy.contains("authority retire") == true)
    }

    @Test("the old authority goes when nobody needs it any more, and its key is deleted")
    func retire() async throws {
        let alone = await refusal { _ = try await state.retireAuthorities(leavesBehind: true) }
        #expect(alone?.remedy.contains("authority rotate") == true)
        try await state.issueCredential(
            name: "eve", role: .auditor, output: directory.file("eve"))
        _ = try await state.rotateAuthority()
        let overlap = try trustSet()
        let early = await refusal { _ = try await state.retireAuthorities(leavesBehind: false) }
        #expect(early?.message.contains("1 person (eve)") == true, "\(early?.message ?? "")")
        #expect(try trustSet() == overlap)
        try await state.issueCredential(
            name: "eve", role: .auditor, output: directory.file("eve-again"))
        let (holders, _) = try await state.retireAuthorities(leavesBehind: false)
        #expect(holders.isEmpty)
        let set = try overlap.replaced(by: CredentialFile.read(state.trustSetFile))
        #expect(set.authorities == [overlap.authorities[0]])
        #expect(try serverCertificate().isSigned(by: set.authorities))
        #expect(!FileManager.default.fileExists(atPath: state.path + "/keys/fleet-ca.key"))
        for check in state.localChecks() { #expect(check.ok, "\(check)") }
        let kinds = try await leaves().map(\.event)
        for kind in ["authorityAdded", "serverCertificateIssued", "authorityRetired"] {
            #expect(kinds.contains(kind))
        }
        // And once more, with another generation.
        _ = try await state.rotateAuthority()
        let (left, _) = try await state.retireAuthorities(leavesBehind: true)
        #expect(left.agents.isEmpty && left.people == ["eve"])
    }

    @Test("people who have another credential than the state directory's keep it")
    func otherCredential() async throws {
        let folder = directory.file("admin")
        try await state.issueCredential(name: "admin", role: .admin, output: folder)
        let certificate = try Certificate(pemFile: folder + "/admin.crt")
        _ = try await state.rotateAuthority()
        let admin = try await state.people().first { $0.name == "admin" }
        #expect(admin?.certificateDigest == SHA256.digest(of: certificate.der))
        let fault = await refusal { _ = try await state.retireAuthorities(leavesBehind: false) }
        #expect(fault?.message.contains("(admin)") == true)
    }

    @Test("an authority whose leaf a crash kept from the trust set gets there")
    func repaired() async throws {
        let before = try Data(contentsOf: URL(fileURLWithPath: state.trustSetFile))
        _ = try await state.rotateAuthority()
        let after = try trustSet()
        try before.write(to: URL(fileURLWithPath: state.trustSetFile))
        _ = try await state.rotateModelKey(.p256, passphraseFile: nil, destroysOld: false)
        #expect(try trustSet().authorities == after.authorities)
        #expect(try trustSet().version == after.version + 1)
    }

    @Test("a renewed server certificate has the configured addresses, and a new key if wanted")
    func renewServer() async throws {
        let text = try String(contentsOfFile: state.configurationFile, encoding: .utf8)
        try text.replacingOccurrences(
            of: "addresses = [\"127.0.0.1\"]", with: "addresses = [\"127.0.0.1\", \"new.example\"]"
        ).write(toFile: state.configurationFile, atomically: false, encoding: .utf8)
        let first = try serverCertificate()
        _ = try await state.renewServerCertificate(newKey: false)
        let second = try serverCertificate()
        #expect(Set(second.hostNames) == ["127.0.0.1", "new.example"])
        #expect(second.publicKey == first.publicKey)
        _ = try await state.renewServerCertificate(newKey: true)
        let third = try serverCertificate()
        #expect(third.publicKey != first.publicKey)
        let key = try PrivateKey(pemFile: state.path + "/keys/server.key")
        #expect(key.publicKey == third.publicKey)
        let logged = try await leaves().filter { $0.event == "serverCertificateIssued" }
        #expect(
            logged.map { $0.text("certificate") }
                == [first, second, third].map { SHA256.digest(of: $0.der).hex })
    }

    @Test("a server key that a crash kept from its place gets there")
    func serverKeyRepaired() async throws {
        _ = try await state.renewServerCertificate(newKey: true)
        let (file, next) = (
            state.path + "/keys/server.key", state.path + "/keys/server.key.next"
        )
        try FileManager.default.moveItem(atPath: file, toPath: next)
        try PrivateKey.generate(.p256).write(pemFile: file)
        _ = try await state.renewServerCertificate(newKey: false)
        let key = try PrivateKey(pemFile: file)
        #expect(try serverCertificate().publicKey == key.publicKey)
        #expect(!FileManager.default.fileExists(atPath: next))
    }

    @Test("the daemon renews its certificate when less than a third of its life is left")
    func renewedAtStart() async throws {
        try await FleetUnderTest.inTurn { directory in
            try await FleetUnderTest.initialise(directory)
            let path = directory.file("state")
            let authority = try CertificateAuthority(
                certificate: Certificate(pemFile: path + "/certificates/fleet-ca.crt"),
                key: PrivateKey(pemFile: path + "/keys/fleet-ca.key"))
            let now = Int64(Date().timeIntervalSince1970)
            let key = try PrivateKey(pemFile: path + "/keys/server.key").publicKey
            for (age, isRenewed) in [(50, false), (80, true)] as [(Int64, Bool)] {
                let file = path + "/certificates/server.crt"
                let aged = try authority.issueServer(
                    hosts: ["127.0.0.1"], key: key, days: 100, nowUnix: now - age * 86_400)
                try Data(aged.pem.utf8).write(to: URL(fileURLWithPath: file))
                try await FleetUnderTest.serve(directory) { fleet in
                    _ = try await fleet.admin().agents()
                }
                #expect(try (Certificate(pemFile: file) != aged) == isRenewed)
            }
        }
    }

    @Test("devices and people of both authorities are served during the overlap")
    func overlap() async throws {
        try await FleetUnderTest.inTurn { directory in
            try await FleetUnderTest.initialise(directory)
            let state = try StateDirectory(path: directory.file("state"))
            try await state.issueCredential(
                name: "eve", role: .auditor, output: directory.file("eve"))
            _ = try await state.rotateAuthority()
            try await FleetUnderTest.serve(directory) { fleet in
                _ = try await fleet.admin().agents()
                _ = try await fleet.admin(folder: directory.file("eve")).agents()
                let token = try await fleet.admin().token()
                let agent = try await ScriptedAgent.enrol(in: fleet, token: token)
                try await agent.follow("tiny")
            }
        }
    }
}

extension AuthorityRotationTests {
    private func trustSet() throws -> TrustSet {
        try TrustSet(document: CredentialFile.read(state.trustSetFile))
    }

    private func serverCertificate() throws -> Certificate {
        try Certificate(pemFile: state.path + "/certificates/server.crt")
    }

    private func leaves() async throws -> [LeafFields] {
        let registry = try Registry.open(
            directory: state.path,
            log: LogSigner(
                name: "tributary/lab", key: PrivateKey(pemFile: state.path + "/keys/log.key")),
            nowUnix: 2_000_000_000)
        return try await registry.events(from: 0, limit: 1000).compactMap { LeafFields($0.leaf) }
    }
}

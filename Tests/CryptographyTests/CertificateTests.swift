import Cryptography
import Federation
import Foundation
import Testing

/// The time at which the test fleets are made, Unix seconds; any will do.
let testNow: Int64 = 1_800_000_000

@Suite("Certificates")
struct CertificateTests {
    @Test("an issued certificate carries identity, key, validity and a 128-bit serial")
    func issued() throws {
        let authority = try CertificateAuthority.create(fleet: "north", nowUnix: testNow)
        let key = try PrivateKey.generate(.p256).publicKey
        let identity = Identity(fleet: "north", role: .agent, id: "agent-7")
        let issued = try authority.issue(
            identity: identity, publicKey: key, days: 90, nowUnix: testNow)
        let certificate = try Certificate(der: issued.der)
        #expect(certificate == issued)
        #expect(certificate.identity == identity)
        #expect(certificate.publicKey == key)
        #expect(certificate.notBeforeUnix == testNow - 86_400)
        #expect(certificate.notAfterUnix == testNow + 90 * 86_400)
        #expect(certificate.serial.utf8.count == 32)
        #expect(!certificate.isAuthority)
        #expect(certificate.hostNames.isEmpty)
        #expect(try Certificate(pem: certificate.pem) == certificate)
        let another = try authority.issue(
            identity: identity, publicKey: key, days: 90, nowUnix: testNow)
        #expect(another.serial != certificate.serial)
    }

    @Test("the signature is checked against authorities, and only theirs counts")
    func signedBy() throws {
        let north = try CertificateAuthority.create(fleet: "north", nowUnix: testNow)
        // The same name, another key: names prove nothing.
        let impostor = try CertificateAuthority.create(fleet: "north", nowUnix: testNow)
        let key = try PrivateKey.generate(.p256).publicKey
        let identity = Identity(fleet: "north", role: .agent, id: "a")
        let leaf = try north.issue(identity: identity, publicKey: key, days: 1, nowUnix: testNow)
        #expect(leaf.isSigned(by: [north.certificate]))
        #expect(leaf.isSigned(by: [impostor.certificate, north.certificate]))
        #expect(!leaf.isSigned(by: [impostor.certificate]))
        #expect(!leaf.isSigned(by: []))
    }

    @Test("a device's certificate cannot make another one")
    func leafIsNoAuthority() throws {
        let authority = try CertificateAuthority.create(fleet: "north", nowUnix: testNow)
        let key = try PrivateKey.generate(.p256)
        let leaf = try authority.issue(
            identity: Identity(fleet: "north", role: .agent, id: "a"), publicKey: key.publicKey,
            days: 1, nowUnix: testNow)
        let fault = #expect(throws: Fault.self) {
            try CertificateAuthority(certificate: leaf, key: key)
        }
        #expect(fault?.code == .invalid)
        #expect(throws: Fault.self) {
            try CertificateAuthority(certificate: authority.certificate, key: key)
        }
    }

    @Test(
        "an identity that is not exactly one well-formed tributary URI is none",
        arguments: [
            "URI:tributary://north/agent/a/b", "URI:tributary://north/root/a",
            "URI:https://north/agent/a", "URI:tributary://north/agent/a,URI:tributary://x/admin/b",
            "DNS:tributary", "URI:tributary://north/agent/",
        ])
    func noIdentity(names: String) throws {
        let directory = try TemporaryDirectory()
        try runOpenSSL([
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
            "-keyout", directory.file("k"), "-out", directory.file("c"), "-subj", "/CN=x",
            "-days", "1", "-addext", "subjectAltName=\(names)",
        ])
        #expect(try Certificate(pemFile: directory.file("c")).identity == nil)
    }

    @Test("a file of several certificates is read in order")
    func chain() throws {
        let authority = try CertificateAuthority.create(fleet: "north", nowUnix: testNow)
        let leaf = try authority.issueServer(
            hosts: ["localhost"], key: PrivateKey.generate(.p256).publicKey, days: 1,
            nowUnix: testNow)
        let chain = try Certificate.chain(
            pem: "text before\n" + leaf.pem + authority.certificate.pem)
        #expect(chain == [leaf, authority.certificate])
    }

    @Test("a written certificate file can be read by everybody, and replaces an older one")
    func files() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("agent.crt", "old")
        let certificate = try CertificateAuthority.create(fleet: "n", nowUnix: testNow).certificate
        try certificate.write(pemFile: path)
        #expect(try Certificate(pemFile: path) == certificate)
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect(attributes[.posixPermissions] as? Int == 0o644)
    }

    @Test("damaged DER is refused or stays a certificate that nobody signed; it never crashes")
    func garbage() throws {
        let authority = try CertificateAuthority.create(fleet: "north", nowUnix: testNow)
        let leaf = try authority.issue(
            identity: Identity(fleet: "north", role: .agent, id: "a"),
            publicKey: PrivateKey.generate(.p256).publicKey, days: 1, nowUnix: testNow)
        for bytes in [[], [0x30], [0x30, 0x82, 0xff, 0xff], leaf.der + [0]] as [[UInt8]] {
            #expect(throws: Fault.self) { try Certificate(der: bytes) }
        }
        for index in leaf.der.indices {
            #expect(throws: Fault.self) { try Certificate(der: Array(leaf.der[..<index])) }
            var damaged = leaf.der
            damaged[index] ^= 0x55
            guard let parsed = try? Certificate(der: damaged) else { continue }
            _ = (parsed.identity, parsed.serial, parsed.hostNames, parsed.subject, parsed.pem)
            #expect(!parsed.isSigned(by: [authority.certificate]), "byte \(index)")
        }
    }
}

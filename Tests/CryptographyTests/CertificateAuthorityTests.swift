import Cryptography
import Federation
import Testing

@Suite("The fleet's authority")
struct CertificateAuthorityTests {
    @Test("makes a server certificate for names and addresses")
    func server() throws {
        let authority = try CertificateAuthority.create(fleet: "north", nowUnix: testNow)
        let hosts = ["fleet.example", "127.0.0.1", "::1", "192.0.2.7"]
        let certificate = try authority.issueServer(
            hosts: hosts, key: PrivateKey.generate(.p256).publicKey, days: 365, nowUnix: testNow)
        #expect(certificate.hostNames == hosts)
        #expect(certificate.identity == nil)
        #expect(certificate.isSigned(by: [authority.certificate]))
    }

    @Test("the authority itself is one, lasts ten years, and names its fleet")
    func authority() throws {
        let certificate = try CertificateAuthority.create(fleet: "north", nowUnix: testNow)
            .certificate
        #expect(certificate.isAuthority)
        #expect(certificate.notAfterUnix == testNow + 3650 * 86_400)
        #expect(certificate.subject.contains("north"))
    }

    @Test(
        "refuses a host that is neither name nor address",
        arguments: ["", "a b", "host:7443", "*.example", "a,DNS:evil.example", "-a", "a..b", "a\n"])
    func badHost(host: String) throws {
        let authority = try CertificateAuthority.create(fleet: "north", nowUnix: testNow)
        let key = try PrivateKey.generate(.p256).publicKey
        let fault = #expect(throws: Fault.self) {
            try authority.issueServer(hosts: [host], key: key, days: 1, nowUnix: testNow)
        }
        #expect(fault?.code == .invalid)
        #expect(fault?.message.contains(host) == true)
    }

    @Test("refuses no hosts, bad fleets, bad identities and validity that ends before it begins")
    func badInput() throws {
        let authority = try CertificateAuthority.create(fleet: "north", nowUnix: testNow)
        let key = try PrivateKey.generate(.p256).publicKey
        #expect(throws: Fault.self) {
            try authority.issueServer(hosts: [], key: key, days: 1, nowUnix: testNow)
        }
        #expect(throws: Fault.self) {
            try CertificateAuthority.create(fleet: "North Pole", nowUnix: testNow)
        }
        for id in ["", "a/b", "a,URI:tributary:", "A"] {
            #expect(throws: Fault.self) {
                try authority.issue(
                    identity: Identity(fleet: "north", role: .agent, id: id), publicKey: key,
                    days: 1, nowUnix: testNow)
            }
        }
        let identity = Identity(fleet: "north", role: .agent, id: "a")
        for days in [0, -5] {
            #expect(throws: Fault.self) {
                try authority.issue(
                    identity: identity, publicKey: key, days: days, nowUnix: testNow)
            }
        }
    }

    @Test("no certificate outlives the authority")
    func clamped() throws {
        let authority = try CertificateAuthority.create(fleet: "north", nowUnix: testNow)
        let certificate = try authority.issue(
            identity: Identity(fleet: "north", role: .agent, id: "a"),
            publicKey: PrivateKey.generate(.p256).publicKey, days: 9999, nowUnix: testNow)
        #expect(certificate.notAfterUnix == authority.certificate.notAfterUnix)
    }
}

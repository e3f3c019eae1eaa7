import AgentService
import Cryptography
import Federation
import Foundation
import Provenance
import Testing

@Suite("Renewal of the certificate")
struct RenewalTests {
    private let day: Int64 = 86_400
    let temporary: TemporaryDirectory
    let directory: StateDirectory
    let fleet: ExampleFleet

    init() throws {
        temporary = try TemporaryDirectory()
        directory = StateDirectory(path: "\(temporary.path)/state")
        fleet = try ExampleFleet()
    }

    private func exists(_ file: String) -> Bool { FileManager.default.fileExists(atPath: file) }

    @Test("a certificate is due between two thirds and three quarters of its life")
    func due() throws {
        for _ in 0..<20 {
            let (certificate, _) = try fleet.identity()
            let issued = certificate.issuedUnix
            #expect(abs(issued - unixNow()) < 100)
            let due = Renewal.dueUnix(certificate)
            #expect((issued + 60 * day...issued + 68 * day).contains(due))
            func isDue(_ unix: Int64) -> Bool {
                Renewal.isDue(certificate, trust: fleet.trust, unixSeconds: UInt64(unix))
            }
            #expect(!isDue(due - 1) && isDue(due) && isDue(issued + 100 * day))
            #expect(!isDue(issued - 2 * day))
        }
    }

    @Test("certificates issued at one instant are due at different times")
    func spread() throws {
        let now = unixNow()
        let times = try (0..<20).map { _ in
            Renewal.dueUnix(try fleet.identity(issued: now).certificate)
        }
        #expect(Set(times).count > 10)
        #expect((times.max() ?? 0) - (times.min() ?? 0) > day)
    }

    @Test("a certificate that is valid for seconds has its life counted in seconds")
    func short() throws {
        let (certificate, _) = try fleet.identity(seconds: 30)
        let due = Renewal.dueUnix(certificate) - certificate.issuedUnix
        #expect((20...23).contains(due))
    }

    @Test("a certificate of an authority that no longer issues is due at once")
    func rotation() throws {
        let next = try CertificateAuthority.create(fleet: "plant", nowUnix: unixNow())
        let trust = try fleet.trust.successor(
            authorities: [next.certificate, fleet.authority.certificate],
            modelKeys: fleet.trust.modelKeys, log: fleet.trust.log, signedBy: [fleet.modelKey])
        let now = UInt64(unixNow())
        let old = try fleet.identity().certificate
        #expect(Renewal.isDue(old, trust: trust, unixSeconds: now))
        #expect(!Renewal.isDue(old, trust: fleet.trust, unixSeconds: now))
        let new = try fleet.identity(authority: next).certificate
        #expect(!Renewal.isDue(new, trust: trust, unixSeconds: now))
    }

    @Test("a renewed certificate must be for the new key and this agent, from a trusted authority")
    func answer() throws {
        _ = try fleet.enrol(in: directory)
        let enrolment = try Enrolment(directory)
        let (certificate, key) = try fleet.identity()
        #expect(try enrolment.renewed(certificate, key: key).certificate == certificate)
        let stranger = try CertificateAuthority.create(fleet: "plant", nowUnix: unixNow())
        let (other, otherKey) = try fleet.identity(id: "agent-8")
        let (forged, forgedKey) = try fleet.identity(authority: stranger)
        for (certificate, key, words) in [
            (certificate, try PrivateKey.generate(.p256), "another key"),
            (other, otherKey, "not for this agent"), (forged, forgedKey, "trusted authority"),
        ] {
            let fault = fault { () throws(Fault) in
                _ = try enrolment.renewed(certificate, key: key)
            }
            #expect(fault?.code == .untrusted)
            #expect(fault?.message.contains(words) == true, "\(fault?.message ?? "")")
        }
    }

    @Test("a new pair takes the place of the old one")
    func stored() throws {
        _ = try fleet.enrol(in: directory)
        let (certificate, key) = try fleet.identity()
        try RenewedIdentity.store(certificate, key: key, in: directory)
        let enrolment = try Enrolment(directory)
        #expect(enrolment.certificate == certificate)
        #expect(enrolment.key.publicKey == key.publicKey)
        #expect(!exists(directory.nextKeyFile))
    }

    /// The states in which `store` can be cut short, and whether the new pair then counts.
    enum Crash: CaseIterable {
        case halfKey, keyWritten, certificateReplaced, keyReplaced
    }

    @Test(
        "cut short anywhere, a working pair is left, and repairing it settles it",
        arguments: Crash.allCases)
    func crash(_ crash: Crash) throws {
        let old = try fleet.enrol(in: directory)
        let new = try fleet.identity()
        let pem = Array(try new.key.pem().utf8)
        try temporary.write(
            crash == .halfKey ? Array(pem.prefix(40)) : pem, to: "state/agent.key.next")
        if crash == .certificateReplaced || crash == .keyReplaced {
            try new.certificate.write(pemFile: directory.certificateFile)
        }
        if crash == .keyReplaced { try temporary.write(pem, to: "state/agent.key") }
        let isNew = crash == .certificateReplaced || crash == .keyReplaced
        let expected = isNew ? new : old
        for isRepaired in [false, true] {
            if isRepaired {
                try RenewedIdentity.repair(directory)
                #expect(!exists(directory.nextKeyFile))
            }
            let enrolment = try Enrolment(directory)
            #expect(enrolment.certificate == expected.certificate)
            #expect(enrolment.key.publicKey == expected.key.publicKey)
        }
        try RenewedIdentity.repair(directory)
    }

    @Test("a key that is neither the old one's nor the new one's is named")
    func noKey() throws {
        _ = try fleet.enrol(in: directory)
        try temporary.write(
            Array(try PrivateKey.generate(.p256).pem().utf8), to: "state/agent.key")
        try temporary.write(
            Array(try PrivateKey.generate(.p256).pem().utf8), to: "state/agent.key.next")
        let fault = fault { () throws(Fault) in _ = try Enrolment(directory) }
        #expect(fault?.code == .invalid)
        #expect(fault?.message.contains("agent.key") == true)
    }
}

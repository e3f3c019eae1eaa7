import Cryptography
import Federation
import Registry

// Whether a peer may still speak: looked at before each message, so that a revocation works on the next one.

/// The certificates with which an agent may speak.
struct DeviceCertificates: Sendable, Equatable {
    /// SHA-256 of the newest one's DER.
    var current: Digest
    /// The one before, as long as the newest has not been used: it may never have reached the agent.
    var previous: Digest?
    /// How many were issued while that one was shown.
    var unused: Int

    init(current: Digest, previous: Digest?, unused: Int = 0) {
        self.current = current
        self.previous = previous
        self.unused = unused
    }

    init(_ agent: StoredAgent) {
        self.init(current: agent.certificateDigest, previous: agent.previousCertificateDigest)
    }
}

/// The certificate that a peer showed when it connected, verified by TLS then. One object a connection: it is handed along
/// with each message.
final class ShownCertificate: Sendable {
    let identity: Identity
    let certificate: Certificate
    let digest: Digest

    /// - Throws: `Fault.unauthenticated` when it carries no identity of `fleet`.
    init(_ certificate: Certificate, fleet: String) throws(Fault) {
        guard let identity = certificate.identity, identity.fleet == fleet else {
            throw Fault(
                .unauthenticated, "the certificate names no identity of fleet \(fleet)",
                remedy: "enrol this device, or use a credential of this fleet")
        }
        self.identity = identity
        self.certificate = certificate
        digest = SHA256.digest(of: certificate.der)
    }

    /// A connection may outlive the certificate that opened it.
    func refuseIfExpired(nowUnix: UInt64) throws(Fault) {
        guard Int64(clamping: nowUnix) <= certificate.notAfterUnix else {
            throw Fault(
                .unauthenticated, "the certificate of \(identity.id) has expired",
                remedy: identity.role == .agent
                    ? "enrol the device again with a new token"
                    : "have a new one issued with `tributary-coordinator admin issue`")
        }
    }
}

extension Fleet {
    /// Refuses an agent that is revoked or unknown.
    func admit(_ agent: AgentID) throws(Fault) {
        guard !revoked.contains(agent) else {
            throw Fault(
                .forbidden, "agent \(agent) was revoked",
                remedy:
                    "ask the fleet's admin for a new enrolment token if this device should take part"
            )
        }
        guard certificates[agent] != nil else {
            throw Fault(
                .forbidden, "agent \(agent) is not known to this coordinator",
                remedy: "enrol the device again with a new token")
        }
    }

    /// As `admit`, and refuses a certificate that has expired or that another has replaced. The first use of a renewed
    /// certificate ends the one before, as soon as the disk takes that.
    func admit(_ agent: AgentID, showing shown: ShownCertificate) async throws(Fault) {
        try admit(agent)
        try shown.refuseIfExpired(nowUnix: clock.unixSeconds)
        let known = certificates[agent]
        if shown.digest == known?.current {
            guard known?.previous != nil, storage == .serving else { return }
            // This certificate is good, whatever the disk takes; a later message is written down.
            let isNoted = try await storingIfPossible { () throws(Fault) in
                try await registry.usedCertificate(
                    agent, digest: shown.digest, nowUnix: clock.unixSeconds)
            }
            guard isNoted else { return }
            if certificates[agent]?.current == shown.digest { certificates[agent]?.previous = nil }
        } else if shown.digest != known?.previous {
            throw Fault(
                .unauthenticated, "agent \(agent) has a newer certificate than this one",
                remedy: "if the device's newest state is lost, enrol it again with a new token")
        }
    }

    /// Refuses a person whom the registry does not know in the role of their certificate.
    func admitPerson(showing shown: ShownCertificate) async throws(Fault) {
        try shown.refuseIfExpired(nowUnix: clock.unixSeconds)
        let name = shown.identity.id
        let remedy = "have one issued with `tributary-coordinator admin issue`"
        guard let person = try await registry.person(name) else {
            throw Fault(
                .forbidden, "this coordinator does not know the credential of '\(name)'",
                remedy: "it may be older than the list of people: \(remedy)")
        }
        guard !person.isRevoked else {
            throw Fault(.forbidden, "the credential of '\(name)' was revoked", remedy: remedy)
        }
        guard person.role == shown.identity.role else {
            throw Fault(
                .forbidden,
                "'\(name)' is \(person.role.rawValue) now, and this credential says"
                    + " \(shown.identity.role.rawValue)",
                remedy: "use the credential that was issued with the new role")
        }
        guard person.certificateDigest == shown.digest else {
            throw Fault(
                .forbidden, "'\(name)' has a newer credential than this one",
                remedy: "use that, or \(remedy)")
        }
    }
}

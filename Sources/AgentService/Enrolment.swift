package import Cryptography
package import Federation
package import Provenance
import TLSClient
import Wire

/// Who this device is and whom it believes, as enrolling left it in the state directory.
package struct Enrolment: Sendable {
    package let coordinator: NetworkAddress
    package private(set) var key: PrivateKey
    package private(set) var certificate: Certificate
    package var trustSet: TrustSet

    /// The agent's name, from its certificate.
    package var agent: String { certificate.identity?.id ?? "unknown" }

    /// Reads what an earlier `enrol` stored.
    ///
    /// - Throws: `Fault.notFound` when the device is not enrolled, `Fault.storage` when that cannot be seen, otherwise a fault naming the file that is wrong.
    package init(_ directory: StateDirectory) throws(Fault) {
        try Ownership.checkAccess(to: directory.path)
        guard directory.isEnrolled else {
            throw Fault(
                .notFound, "this device is not enrolled: \(directory.path) holds no certificate",
                remedy: "run tributary-agent enroll --config FILE --token TOKEN")
        }
        (key, certificate) = try RenewedIdentity.load(directory)
        trustSet = try TrustSet(document: try CredentialFile.read(directory.trustSetFile))
        let address = String(
            decoding: try CredentialFile.read(directory.coordinatorFile), as: UTF8.self)
        coordinator = try NetworkAddress(
            parsing: String(address.prefix { !$0.isNewline }))
    }

    private init(
        coordinator: NetworkAddress, key: PrivateKey, certificate: Certificate, trustSet: TrustSet
    ) {
        self.coordinator = coordinator
        self.key = key
        self.certificate = certificate
        self.trustSet = trustSet
    }

    /// Clocks of devices fresh from the box are off by hours; only a token that is older than this is refused unasked.
    private static let clockToleranceSeconds: UInt64 = 86_400
    private static let connectSeconds = 15.0
    private static let answerSeconds = 30.0

    /// Turns a token into a certificate and stores both sides of the trust.
    ///
    /// The coordinator is authenticated by the token's pin before the secret is sent. The certificate is written last: a
    /// crash before that leaves the device not enrolled.
    ///
    /// - Parameters:
    ///   - text: the line that the coordinator printed.
    ///   - force: replaces an enrolment that exists, with everything it received.
    /// - Throws: `Fault.conflict` when the device is enrolled and `force` is not given, `Fault.unauthenticated` for an expired,
    ///   used or wrong token, and what the connection throws.
    package static func enrol(
        _ directory: StateDirectory, token text: String, force: Bool, clock: SystemClock
    ) throws(Fault) -> Enrolment {
        let token = try EnrolmentToken(parsing: text)
        try check(token, unixSeconds: clock.unixSeconds)
        try directory.prepare()
        guard force || !directory.isEnrolled else {
            throw Fault(
                .conflict, "this device is enrolled already: \(directory.certificateFile)",
                remedy: "use --force to replace its identity")
        }
        // A daemon at work with the old identity would go on writing.
        let lock = try StateLock(directory)
        let key = try PrivateKey.generate(.p256)
        let (response, authority) = try request(token, key: key, unixSeconds: clock.unixSeconds)
        let enrolment = try accept(response, token: token, key: key, authority: authority)
        try enrolment.store(in: directory)
        _ = consume lock
        return enrolment
    }

    /// Sees that the token is not long expired.
    static func check(_ token: EnrolmentToken, unixSeconds: UInt64) throws(Fault) {
        guard unixSeconds <= token.expiresUnix &+ clockToleranceSeconds else {
            throw Fault(
                .unauthenticated,
                "the enrolment token expired on \(dateText(Int64(clamping: token.expiresUnix)));"
                    + " this machine's clock says \(dateText(Int64(clamping: unixSeconds)))",
                remedy: "get a new token with `tributary-coordinator agent token`, or set the clock"
            )
        }
    }

    private static func request(
        _ token: EnrolmentToken, key: PrivateKey, unixSeconds: UInt64
    ) throws(Fault) -> (EnrolResponse, Certificate) {
        let stream = try TLSConnection.connect(
            host: token.address.host, port: token.address.port,
            trust: .pinnedAuthority(spkiDigest: token.authority), identity: nil,
            timeoutSeconds: connectSeconds)
        let authority = stream.peerAuthority
        var connection = FramedConnection(stream)
        let request = EnrolRequest(
            secret: token.secret, certificateRequest: try CertificateRequest.make(key: key),
            agentVersion: softwareVersion, unixSeconds: unixSeconds)
        let answer = try connection.exchange(
            .enrolRequest(request), timeoutSeconds: answerSeconds)
        guard case .enrolResponse(let response) = answer else {
            throw Fault(
                .invalid, "\(token.address) answered the enrolment with something else",
                remedy: "update the older of agent and coordinator")
        }
        return (response, authority)
    }

    /// Checks that the coordinator gave what was asked for: a certificate of this key, and a trust set that fits.
    private static func accept(
        _ response: EnrolResponse, token: EnrolmentToken, key: PrivateKey, authority: Certificate
    ) throws(Fault) -> Enrolment {
        func wrong(_ what: String) -> Fault {
            Fault(
                .untrusted, "the coordinator's enrolment answer is wrong: \(what)",
                remedy: "look into the coordinator's log and get a new token")
        }
        let certificate = try Certificate(der: response.certificate)
        let trustSet = try TrustSet(document: response.trustSet)
        guard certificate.publicKey == key.publicKey else {
            throw wrong("its certificate is for another key")
        }
        guard let identity = certificate.identity, identity.role == .agent,
            identity.id == response.agent, identity.fleet == response.fleet
        else { throw wrong("its certificate is not for an agent of this fleet") }
        guard trustSet.fleet == identity.fleet, trustSet.authorities.contains(authority) else {
            throw wrong("its trust set belongs to another fleet")
        }
        // While the authority is being replaced, another signs certificates than the server's.
        guard certificate.isSigned(by: trustSet.authorities) else {
            throw wrong("its certificate is not signed by the fleet's authority")
        }
        return Enrolment(
            coordinator: token.address, key: key, certificate: certificate, trustSet: trustSet)
    }

    private func store(in directory: StateDirectory) throws(Fault) {
        directory.clear()
        try storeTrustSet(in: directory)
        try CredentialFile.replace(
            directory.coordinatorFile, Array("\(coordinator)\n".utf8),
            mode: CredentialFile.publicMode)
        try CredentialFile.replace(
            directory.keyFile, Array(key.pem().utf8), mode: CredentialFile.secretMode)
        try CredentialFile.replace(
            directory.certificateFile, Array(certificate.pem.utf8), mode: CredentialFile.publicMode)
    }

    /// This enrolment with the certificate that the coordinator issued for `key`.
    ///
    /// - Throws: `Fault.untrusted` when it is not what was asked for.
    package func renewed(_ certificate: Certificate, key: PrivateKey) throws(Fault) -> Enrolment {
        func wrong(_ what: String) -> Fault {
            Fault(
                .untrusted, "the coordinator's renewal answer is wrong: its certificate \(what)",
                remedy: "look into the coordinator's log")
        }
        guard certificate.publicKey == key.publicKey else { throw wrong("is for another key") }
        guard certificate.identity == self.certificate.identity else {
            throw wrong("is not for this agent")
        }
        guard certificate.isSigned(by: trustSet.authorities) else {
            throw wrong("is not signed by a trusted authority")
        }
        var renewed = self
        renewed.key = key
        renewed.certificate = certificate
        return renewed
    }

    func storeTrustSet(in directory: StateDirectory) throws(Fault) {
        try CredentialFile.replace(
            directory.trustSetFile, trustSet.document, mode: CredentialFile.publicMode)
    }
}

extension Enrolment {
    /// What `enroll --json` prints.
    package var json: String {
        object([
            ("agent", jsonString(agent)), ("fleet", jsonString(trustSet.fleet)),
            ("coordinator", jsonString("\(coordinator)")),
            ("certificate_valid_until_unix", "\(certificate.notAfterUnix)"),
        ])
    }
}

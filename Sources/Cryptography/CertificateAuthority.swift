import COpenSSL
package import Federation

/// A fleet's authority: issues the coordinator's and everyone else's certificates.
package struct CertificateAuthority: Sendable {
    /// The authority's own, self-signed certificate.
    package let certificate: Certificate
    /// Signs what is issued.
    package let key: PrivateKey

    /// How long an authority lasts, in days.
    package static let lifetimeDays = 3650
    /// How long before it is issued a certificate's validity begins, in seconds: a device whose clock is slow by as much
    /// accepts it at once.
    package static let backdatedSeconds: Int64 = 86_400
    static let secondsPerDay: Int64 = 86_400

    /// An existing authority.
    ///
    /// - Throws: `Fault.invalid` unless `certificate` is an authority's and `key` is its key.
    package init(certificate: Certificate, key: PrivateKey) throws(Fault) {
        guard certificate.isAuthority, certificate.publicKey == key.publicKey else {
            throw Fault(
                .invalid, "the fleet's authority certificate and key do not belong together",
                remedy: "restore both from the same backup")
        }
        self.certificate = certificate
        self.key = key
    }

    /// A new authority for `fleet` with a key of its own.
    ///
    /// - Throws: `Fault.invalid` when `fleet` is not a name.
    package static func create(
        fleet: String, nowUnix: Int64
    ) throws(Fault) -> CertificateAuthority {
        guard isName(fleet, atMost: 64) else {
            throw Fault(
                .invalid, "'\(fleet)' cannot be a fleet's name",
                remedy: "use 1 to 64 of a-z 0-9 -, beginning with a letter")
        }
        let key = try PrivateKey.generate(.p256)
        let draft = try CertificateDraft(key: key.publicKey)
        try draft.setSubject(organisation: fleet, name: "Tributary fleet authority")
        try draft.setIssuer(draft)
        try draft.setValidity(
            notBefore: nowUnix - backdatedSeconds,
            notAfter: nowUnix + Int64(lifetimeDays) * secondsPerDay)
        try draft.extend(NID_basic_constraints, "critical,CA:TRUE,pathlen:0", issuer: draft)
        try draft.extend(NID_key_usage, "critical,keyCertSign,cRLSign", issuer: draft)
        try draft.extend(NID_subject_key_identifier, "hash", issuer: draft)
        return try CertificateAuthority(certificate: try draft.signed(by: key), key: key)
    }

    /// A certificate for the coordinator's server.
    ///
    /// - Parameter hosts: the DNS names and IP addresses under which agents reach it; at least one.
    /// - Throws: `Fault.invalid` naming the host that is neither.
    package func issueServer(
        hosts: [String], key: PublicKey, days: Int, nowUnix: Int64
    ) throws(Fault) -> Certificate {
        guard !hosts.isEmpty else {
            throw Fault(
                .invalid, "a server certificate needs at least one host",
                remedy: "name the address under which agents reach the coordinator")
        }
        var names: [String] = []
        for host in hosts {
            if isAddress(host) {
                names.append("IP:\(host)")
            } else if isHostName(host) {
                names.append("DNS:\(host)")
            } else {
                throw Fault(
                    .invalid, "'\(host)' is neither a host name nor an IP address",
                    remedy: "leave out ports, schemes and wild cards")
            }
        }
        return try issue(
            name: "Tributary coordinator", alternativeNames: names.joined(separator: ","),
            usage: "serverAuth", key: key, seconds: Int64(days) * Self.secondsPerDay,
            nowUnix: nowUnix)
    }

    /// A certificate with which `identity` speaks to the coordinator.
    ///
    /// - Throws: `Fault.invalid` when the identity cannot be written as a URI, or `days` is not
    ///   positive.
    package func issue(
        identity: Identity, publicKey: PublicKey, days: Int, nowUnix: Int64
    ) throws(Fault) -> Certificate {
        try issue(
            identity: identity, publicKey: publicKey, seconds: Int64(days) * Self.secondsPerDay,
            nowUnix: nowUnix)
    }

    /// The same for a validity that is no whole number of days.
    ///
    /// - Throws: `Fault.invalid` when the identity cannot be written as a URI, or `seconds` is not
    ///   positive.
    package func issue(
        identity: Identity, publicKey: PublicKey, seconds: Int64, nowUnix: Int64
    ) throws(Fault) -> Certificate {
        guard Identity(uri: identity.uri) == identity else {
            throw Fault(.invalid, "'\(identity)' is not a valid identity")
        }
        return try issue(
            name: identity.id, alternativeNames: "URI:\(identity.uri)", usage: "clientAuth",
            key: publicKey, seconds: seconds, nowUnix: nowUnix)
    }

    func issue(
        name: String, alternativeNames: String, usage: String, key subject: PublicKey,
        seconds: Int64, nowUnix: Int64
    ) throws(Fault) -> Certificate {
        // A leaf that outlives its authority would fail in a way that is hard to explain.
        let notAfter = min(nowUnix + seconds, certificate.notAfterUnix)
        guard seconds > 0, notAfter > nowUnix else {
            throw Fault(
                .invalid, "a certificate cannot be issued for \(seconds) seconds from now",
                remedy: "check the clock and the fleet authority's expiry")
        }
        let draft = try CertificateDraft(key: subject)
        let issuer = CertificateDraft(certificate)
        try draft.setSubject(organisation: nil, name: name)
        try draft.setIssuer(issuer)
        try draft.setValidity(notBefore: nowUnix - Self.backdatedSeconds, notAfter: notAfter)
        try draft.extend(NID_basic_constraints, "critical,CA:FALSE", issuer: issuer)
        try draft.extend(NID_key_usage, "critical,digitalSignature", issuer: issuer)
        try draft.extend(NID_ext_key_usage, usage, issuer: issuer)
        try draft.extend(NID_subject_alt_name, alternativeNames, issuer: issuer)
        try draft.extend(NID_subject_key_identifier, "hash", issuer: issuer)
        try draft.extend(NID_authority_key_identifier, "keyid:always", issuer: issuer)
        return try draft.signed(by: key)
    }
}

/// Whether `host` is a DNS name: labels of letters, digits and inner hyphens, at most 253
/// characters.
private func isHostName(_ host: String) -> Bool {
    guard (1...253).contains(host.utf8.count) else { return false }
    return host.utf8.split(separator: 46, omittingEmptySubsequences: false).allSatisfy { label in
        (1...63).contains(label.count) && label.first != 45 && label.last != 45
            && label.allSatisfy {
                (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0)
                    || $0 == 45
            }
    }
}

import Configuration
import Cryptography
import Federation
import Glibc
import Provenance
import Registry

// The certificates of the server and of the key that signs models.
extension KeyCustody {
    /// Renews the server's certificate when less than a third of its life is left, or a crash left it half replaced.
    mutating func renewServerCertificateInTime() async throws(Fault) {
        try finishServerKey()
        let certificate = try directory.serverCertificate()
        guard isAging(certificate) else { return }
        try await renewServerCertificate(
            from: try directory.serverAuthority(in: trust), newKey: false)
    }

    /// Issues a new certificate for the server, for the addresses in the configuration.
    ///
    /// - Parameter newKey: whether it gets a new key too.
    mutating func renewServerCertificate(
        from authority: CertificateAuthority, newKey: Bool
    ) async throws(Fault) {
        try finishServerKey()
        let file = directory.keyFile(.server)
        var key = try PrivateKey(pemFile: file)
        if newKey {
            key = try PrivateKey.generate(.p256)
            unlink(nextServerKey)
            try key.write(pemFile: nextServerKey)
        }
        let certificate = try authority.issueServer(
            hosts: configuration.addresses, key: key.publicKey, days: NewFleet.serverDays,
            nowUnix: Int64(unixSeconds()))
        try await record(
            .serverCertificateIssued,
            [("certificate", .text(SHA256.digest(of: certificate.der).hex))])
        try CredentialFile.replace(
            directory.serverCertificateFile, Array(certificate.pem.utf8),
            mode: CredentialFile.publicMode)
        try finishServerKey()
        note("the server's certificate is renewed")
    }

    private var nextServerKey: String { directory.keyFile(.server) + ".next" }

    /// A certificate with a new key is in place before its key: puts that there.
    private func finishServerKey() throws(Fault) {
        guard access(nextServerKey, F_OK) == 0 else { return }
        let key = try PrivateKey(pemFile: nextServerKey).publicKey
        guard try directory.serverCertificate().publicKey == key else { return }
        guard rename(nextServerKey, directory.keyFile(.server)) == 0 else {
            throw storageFault("rename \(nextServerKey)")
        }
    }

    /// The certificate of `key` and its authority's, for signatures that name a certificate.
    func signingChain(_ key: PublicKey) throws(Fault) -> [Certificate] {
        guard configuration.keys.signature == .certificate else { return [] }
        let file = directory.signingCertificateFile
        let authority = trust.authority
        if access(file, F_OK) == 0 {
            let certificate = try Certificate(pemFile: file)
            if certificate.publicKey == key, !isAging(certificate),
                certificate.isSigned(by: [authority.certificate])
            {
                return [certificate, authority.certificate]
            }
        }
        let certificate = try authority.issueSigning(
            fleet: trust.fleet, key: key, days: NewFleet.serverDays,
            nowUnix: Int64(unixSeconds()))
        try CredentialFile.replace(
            file, Array(certificate.pem.utf8), mode: CredentialFile.publicMode)
        return [certificate, authority.certificate]
    }

    private func isAging(_ certificate: Certificate) -> Bool {
        let life = certificate.notAfterUnix - certificate.notBeforeUnix
        return certificate.notAfterUnix - Int64(unixSeconds()) < life / 3
    }
}

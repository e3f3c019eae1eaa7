import Cryptography
import Federation
import Provenance
import Registry

/// The keys and certificates of a new fleet. They are made in memory, so that a mistake leaves nothing on disk.
struct NewFleet {
    /// Days the coordinator's own certificate is valid.
    private static let serverDays = 825

    let authority: CertificateAuthority
    private let serverKey: PrivateKey
    private let serverCertificate: Certificate
    private let modelKey: PrivateKey
    private let logKey: PrivateKey
    private let trustSet: TrustSet

    /// - Parameter addresses: DNS names or IP addresses of the coordinator.
    /// - Throws: `Fault.invalid` when the name or an address cannot stand in a certificate.
    init(name: String, addresses: [String], nowUnix: Int64) throws(Fault) {
        authority = try CertificateAuthority.create(fleet: name, nowUnix: nowUnix)
        serverKey = try PrivateKey.generate(.p256)
        serverCertificate = try authority.issueServer(
            hosts: addresses, key: serverKey.publicKey, days: Self.serverDays, nowUnix: nowUnix)
        modelKey = try PrivateKey.generate(.p256)
        logKey = try PrivateKey.generate(.ed25519)
        trustSet = try TrustSet.initial(
            fleet: name, authorities: [authority.certificate], modelKeys: [modelKey.publicKey],
            logKey: logKey.publicKey, signedBy: modelKey)
    }

    /// Writes everything into an empty state directory.
    ///
    /// - Throws: `conflict` when a file is there already; `storage` when one cannot be written.
    func write(to directory: StateDirectory) throws(Fault) {
        for folder in ["", "/keys", "/certificates", "/admin"] {
            try createDirectory(directory.path + folder)
        }
        try authority.key.write(pemFile: directory.keyFile(.authority))
        try serverKey.write(pemFile: directory.keyFile(.server))
        try modelKey.write(pemFile: directory.keyFile(.modelSigning))
        try logKey.write(pemFile: directory.keyFile(.log))
        try authority.certificate.write(pemFile: directory.certificateFile(.authority))
        try serverCertificate.write(pemFile: directory.certificateFile(.server))
        try CredentialFile.create(
            directory.trustSetFile, trustSet.document, mode: CredentialFile.publicMode)
        var random = SystemRandom()
        try CredentialFile.create(
            directory.submitSecretFile, Array(hexadecimal(random.bytes(32)).utf8),
            mode: CredentialFile.secretMode)
    }
}

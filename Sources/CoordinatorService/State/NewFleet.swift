import Cryptography
import Federation
import Provenance
import Registry

/// The keys and certificates of a new fleet. They are made in memory, so that a mistake leaves nothing on disk.
struct NewFleet {
    /// Days the coordinator's own certificate is valid.
    static let serverDays = 825
    /// Where the log has the leaf that adds the first model-signing key: after the one of the fleet itself.
    private static let firstKeyPosition: UInt64 = 1

    private let authority: CertificateAuthority
    private let serverKey: PrivateKey
    private let serverCertificate: Certificate
    private let modelKey: PrivateKey
    private let logKey: PrivateKey
    private let log: LogSigner
    private let trustSet: TrustSet

    /// - Parameters:
    ///   - addresses: DNS names or IP addresses of the coordinator.
    ///   - curve: of the model-signing key.
    /// - Throws: `Fault.invalid` when the name or an address cannot stand in a certificate.
    init(
        name: String, addresses: [String], curve: KeyKind, nowUnix: Int64
    ) throws(Fault) {
        authority = try CertificateAuthority.create(fleet: name, nowUnix: nowUnix)
        serverKey = try PrivateKey.generate(.p256)
        serverCertificate = try authority.issueServer(
            hosts: addresses, key: serverKey.publicKey, days: Self.serverDays, nowUnix: nowUnix)
        modelKey = try PrivateKey.generate(curve)
        logKey = try PrivateKey.generate(.ed25519)
        log = try LogSigner(name: StateDirectory.logName(fleet: name), key: logKey)
        trustSet = try TrustSet.initial(
            fleet: name, authorities: [authority.certificate],
            modelKeys: [
                TrustSet.ModelKey(key: modelKey.publicKey, from: Self.firstKeyPosition)
            ], log: log.verifier, signedBy: modelKey)
    }

    /// Writes everything into an empty state directory.
    ///
    /// - Throws: `conflict` when a file is there already; `storage` when one cannot be written.
    func write(to directory: StateDirectory) throws(Fault) {
        for folder in ["", "/keys", "/certificates", "/trust", "/admin"] {
            try createDirectory(directory.path + folder)
        }
        try authority.key.write(pemFile: directory.authorityKeyFile(generation: 1))
        try serverKey.write(pemFile: directory.keyFile(.server))
        try modelKey.write(pemFile: directory.keyFile(.modelSigning))
        try logKey.write(pemFile: directory.keyFile(.log))
        try authority.certificate.write(
            pemFile: directory.authorityCertificateFile(generation: 1))
        try serverCertificate.write(pemFile: directory.serverCertificateFile)
        try CredentialFile.create(
            directory.trustSetFile, trustSet.document, mode: CredentialFile.publicMode)
        var random = SystemRandom()
        try CredentialFile.create(
            directory.submitSecretFile, Array(hexadecimal(random.bytes(32)).utf8),
            mode: CredentialFile.secretMode)
    }

    /// Writes the first leaves of the fleet's log.
    func log(to registry: Registry) async throws(Fault) {
        let certificate = SHA256.digest(of: serverCertificate.der).hex
        for event in [
            FleetEvent(
                .fleetCreated,
                [
                    ("fleet", .text(trustSet.fleet)),
                    ("authority", .text(authority.certificate.publicKey.spkiDigest.hex)),
                    ("log", .text(log.verifier.vkey)),
                ]),
            FleetEvent(
                .keyAdded,
                [
                    ("use", .text(KeyHistory.modelSigning)),
                    ("key", .text(modelKey.publicKey.spkiDigest.hex)),
                    ("curve", .text(modelKey.kind.rawValue)),
                ]),
            FleetEvent(
                .trustSetSigned,
                [
                    ("version", .number(trustSet.version)),
                    ("digest", .text(SHA256.digest(of: trustSet.document).hex)),
                ]),
            FleetEvent(.serverCertificateIssued, [("certificate", .text(certificate))]),
        ] {
            try await registry.record(event, nowUnix: unixSeconds())
        }
    }
}

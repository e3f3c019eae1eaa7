import Cryptography
import Federation
import Glibc
import Provenance

/// The keys a fleet has besides its authorities; the raw value is the file's name without its ending.
enum FleetKey: String, CaseIterable {
    case server
    case modelSigning = "model-signing"
    case log
}

// Where each file is.
extension StateDirectory {
    package var configurationFile: String { path + "/coordinator.toml" }
    package var submitSecretFile: String { path + "/keys/submit-token.secret" }
    package var adminFolder: String { path + "/admin" }
    /// The transparency log's checkpoint and tiles.
    var logDirectory: String { path + "/log" }
    /// Names the model-signing key of the last start, so that it can sign its successor in.
    var keySourceFile: String { path + "/keys/model-signing.location" }

    func keyFile(_ key: FleetKey) -> String { "\(path)/keys/\(key.rawValue).key" }
    var serverCertificateFile: String { path + "/certificates/server.crt" }
    var signingCertificateFile: String { path + "/certificates/model-signing.crt" }

    /// The current trust set's document.
    package var trustSetFile: String { path + "/trust-set.json" }

    /// The document of a version that was replaced.
    func trustSetFile(version: UInt64) -> String { "\(path)/trust/\(version).json" }

    /// The fleet's first authority is generation 1; those that replace it count up.
    func authorityKeyFile(generation: Int) -> String {
        "\(path)/keys/\(StateDirectory.authorityName(generation)).key"
    }

    func authorityCertificateFile(generation: Int) -> String {
        "\(path)/certificates/\(StateDirectory.authorityName(generation)).crt"
    }

    private static func authorityName(_ generation: Int) -> String {
        generation == 1 ? "fleet-ca" : "fleet-ca-\(generation)"
    }
}

// What is in them.
extension StateDirectory {
    /// The certificates of all authorities the fleet ever had, the oldest first.
    func authorityCertificates() throws(Fault) -> [Certificate] {
        var certificates: [Certificate] = []
        while true {
            let file = authorityCertificateFile(generation: certificates.count + 1)
            guard certificates.isEmpty || access(file, F_OK) == 0 else { return certificates }
            certificates.append(try Certificate(pemFile: file))
        }
    }

    /// The authority with this certificate and the key that belongs to it.
    ///
    /// - Throws: `Fault` naming the file that is missing or damaged.
    func authority(of certificate: Certificate) throws(Fault) -> CertificateAuthority {
        guard let index = try authorityCertificates().firstIndex(of: certificate) else {
            throw Fault(
                .storage, "\(path)/certificates lacks an authority of the trust set",
                remedy: "restore keys, certificates and trust from the same backup")
        }
        return try CertificateAuthority(
            certificate: certificate,
            key: try PrivateKey(pemFile: authorityKeyFile(generation: index + 1)))
    }

    /// What signs the log of `fleet`.
    func logSigner(fleet: String) throws(Fault) -> LogSigner {
        try LogSigner(
            name: StateDirectory.logName(fleet: fleet),
            key: try PrivateKey(pemFile: keyFile(.log)))
    }

    /// The log's origin.
    static func logName(fleet: String) -> String { "tributary/\(fleet)" }

    func serverCertificate() throws(Fault) -> Certificate {
        try Certificate(pemFile: serverCertificateFile)
    }

    /// Which of the trusted authorities signed the server's certificate.
    ///
    /// - Throws: `Fault.storage` when none did.
    func serverAuthority(in trust: FleetTrust) throws(Fault) -> CertificateAuthority {
        let certificate = try serverCertificate()
        guard
            let authority = trust.authorities.first(where: {
                certificate.isSigned(by: [$0.certificate])
            })
        else {
            throw Fault(
                .storage, "no trusted authority signed \(serverCertificateFile)",
                remedy: "run `tributary-coordinator certificate renew-server --dir \(path)`")
        }
        return authority
    }
}

import Cryptography
import Federation
import Provenance

/// The keys and certificates of one fleet, loaded once at start.
struct FleetKeys: Sendable {
    let fleet: String
    let authority: CertificateAuthority
    let serverKeyFile: String
    let serverCertificate: Certificate
    let modelKey: PrivateKey
    let trustSet: TrustSet
    /// Authenticates submit tokens; kept on disk so that they survive a restart.
    let submitSecret: [UInt8]

    /// - Throws: `Fault` naming the file that is missing or damaged.
    init(directory: StateDirectory) throws(Fault) {
        authority = try CertificateAuthority(
            certificate: try Certificate(pemFile: directory.certificateFile(.authority)),
            key: try PrivateKey(pemFile: directory.keyFile(.authority)))
        serverCertificate = try Certificate(pemFile: directory.certificateFile(.server))
        serverKeyFile = directory.keyFile(.server)
        modelKey = try PrivateKey(pemFile: directory.keyFile(.modelSigning))
        trustSet = try TrustSet(document: try CredentialFile.read(directory.trustSetFile))
        fleet = trustSet.fleet
        let secret = String(
            decoding: try CredentialFile.read(directory.submitSecretFile), as: UTF8.self)
        guard let bytes = bytesFromHex(secret), bytes.count == 32 else {
            throw Fault(
                .storage, "\(directory.submitSecretFile) is damaged",
                remedy: "restore it from a backup")
        }
        submitSecret = bytes
    }

    /// The token that lets `agent` submit to one attempt; it survives a restart.
    func submitToken(_ at: RoundAttempt, agent: AgentID) -> [UInt8] {
        hmacSHA256(key: submitSecret, Array("submit \(at) \(agent)".utf8))
    }

    func isSubmitToken(_ token: [UInt8], _ at: RoundAttempt, agent: AgentID) -> Bool {
        constantTimeEqual(token, submitToken(at, agent: agent))
    }
}

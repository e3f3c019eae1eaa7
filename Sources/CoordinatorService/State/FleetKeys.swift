import Cryptography
import Federation
import Provenance

/// The keys and certificates of one fleet, loaded once at start.
struct FleetKeys: Sendable {
    let trust: FleetTrust
    let serverKeyFile: String
    let serverCertificate: Certificate
    /// The authority that signed the server's certificate: while the authority is being replaced, the older one. Tokens
    /// pin it.
    let serverAuthority: CertificateAuthority
    /// Signs models.
    let modelKey: PrivateKey
    /// The model key's certificate and the authority's; empty when signatures name the bare key.
    let signingChain: [Certificate]
    /// Authenticates submit tokens; kept on disk so that they survive a restart.
    let submitSecret: [UInt8]

    var fleet: String { trust.fleet }
    var trustSet: TrustSet { trust.trustSet }
    var log: LogSigner { trust.log }
    /// Issues devices' and people's certificates.
    var authority: CertificateAuthority { trust.authority }
    /// Every authority whose certificates are accepted, the issuing one first.
    var trustedAuthorities: [Certificate] { trustSet.authorities }
    /// What the server sends: its certificate, and the authority's.
    var serverChain: [Certificate] { [serverCertificate, serverAuthority.certificate] }

    /// - Parameters:
    ///   - modelKey: an active key of the trust set.
    ///   - signingChain: as in `signingChain`.
    /// - Throws: `Fault` naming the file that is missing or damaged.
    init(
        directory: StateDirectory, trust: FleetTrust, modelKey: PrivateKey,
        signingChain: [Certificate]
    ) throws(Fault) {
        self.trust = trust
        self.modelKey = modelKey
        self.signingChain = signingChain
        serverKeyFile = directory.keyFile(.server)
        serverCertificate = try directory.serverCertificate()
        serverAuthority = try directory.serverAuthority(in: trust)
        let secret = String(
            decoding: try CredentialFile.read(directory.submitSecretFile), as: UTF8.self)
        guard let bytes = bytesFromHex(secret), bytes.count == 32 else {
            throw Fault(
                .storage, "\(directory.submitSecretFile) is damaged",
                remedy: "restore it from a backup")
        }
        submitSecret = bytes
    }

    /// The trust sets after version `version`, oldest first.
    func trustSets(after version: UInt64) -> [[UInt8]] { trust.trustSets(after: version) }

    /// The token that lets `agent` submit to one attempt; it survives a restart.
    func submitToken(_ at: RoundAttempt, agent: AgentID) -> [UInt8] {
        hmacSHA256(key: submitSecret, Array("submit \(at) \(agent)".utf8))
    }

    func isSubmitToken(_ token: [UInt8], _ at: RoundAttempt, agent: AgentID) -> Bool {
        constantTimeEqual(token, submitToken(at, agent: agent))
    }
}

import Cryptography
import Federation
import Provenance

/// Keys and documents as a fleet has them, made anew in every process.
struct ExampleFleet: Sendable {
    static let now: Int64 = 1_800_000_000
    static let leaf = FleetEvent(
        .budgetCharged,
        [("plan", .text("fashion")), ("round", .number(3)), ("epsilon", .decimal(1.5))]
    ).leafBytes(unix: UInt64(now), rows: Merkle.emptyRoot)

    /// The leaves of a small log, and what commits to them.
    static let smallLeaves: [[UInt8]] = [[], leaf, Array("third".utf8)]
    static let smallLog = Checkpoint(
        origin: "tributary/lab", size: 3,
        root: Merkle.nodeHash(
            Merkle.nodeHash(
                Merkle.leafHash(smallLeaves[0]), Merkle.leafHash(smallLeaves[1])),
            Merkle.leafHash(smallLeaves[2])))

    let authority: CertificateAuthority
    let modelKey: PrivateKey
    let logSigner: LogSigner

    init() throws {
        authority = try CertificateAuthority.create(fleet: "lab", nowUnix: Self.now)
        modelKey = try PrivateKey.generate(.p256)
        logSigner = try LogSigner(name: "tributary/lab", key: try PrivateKey.generate(.ed25519))
    }

    var device: Identity { Identity(fleet: "lab", role: .agent, id: "agent-1") }

    var checkpoint: Checkpoint {
        Checkpoint(origin: "tributary/lab", size: 1, root: Merkle.leafHash(Self.leaf))
    }

    func token(host: String) -> String {
        EnrolmentToken(
            address: NetworkAddress(host: host, port: 7443),
            authority: authority.certificate.publicKey.spkiDigest,
            secret: [UInt8](repeating: 7, count: 32), expiresUnix: UInt64(Self.now)
        ).text
    }

    /// - Parameter isCertified: whether it names a certificate in place of the bare key.
    func bundle(isCertified: Bool = false) throws -> [UInt8] {
        try ModelSignature.sign(
            name: "fashion-1",
            files: [
                ModelFile(name: "MODEL_CARD.md", digest: Merkle.emptyRoot),
                ModelFile(name: "model.onnx", digest: Merkle.leafHash([])),
            ], key: modelKey,
            certificates: isCertified
                ? [
                    try authority.issueSigning(
                        fleet: "lab", key: modelKey.publicKey, days: 90, nowUnix: Self.now),
                    authority.certificate,
                ] : [])
    }

    /// The payload of `bundle`'s envelope, which is canonical JSON.
    func statement() throws -> [UInt8] {
        let text = String(decoding: try bundle(), as: UTF8.self)
        let mark = "\"payload\":\""
        guard let start = text.firstRange(of: mark)?.upperBound,
            let end = text[start...].firstIndex(of: "\"")
        else { return [] }
        return base64Decoded(Array(text[start..<end].utf8))
    }

    func trustSet() throws -> TrustSet {
        try TrustSet.initial(
            fleet: "lab", authorities: [authority.certificate],
            modelKeys: [TrustSet.ModelKey(key: modelKey.publicKey, from: 1)],
            log: logSigner.verifier, signedBy: modelKey)
    }

    func proof() throws -> LogProof {
        LogProof(
            leaf: Self.leaf, index: 0, path: [], checkpoint: try logSigner.sign(checkpoint).note)
    }
}

/// Whatever file of a log is asked for, one of two.
struct FuzzedTiles: LogSource {
    let tile: [UInt8]
    let bundle: [UInt8]

    mutating func read(_ path: String) throws(Fault) -> [UInt8]? {
        path.hasPrefix("tile/entries/") ? bundle : tile
    }
}

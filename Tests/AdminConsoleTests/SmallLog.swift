import AdminConsole
import Cryptography
import Federation
import Provenance
import Wire

/// A log in memory, and a coordinator that serves it.
struct SmallLog {
    static let origin = "tributary/lab"

    let signer: LogSigner
    var leaves: [[UInt8]]

    init(leaves: [[UInt8]] = [], key: PrivateKey? = nil) throws(Fault) {
        self.leaves = leaves
        let fresh = try PrivateKey.generate(.ed25519)
        signer = try LogSigner(name: SmallLog.origin, key: key ?? fresh)
    }

    /// A log of `count` events.
    init(count: Int, key: PrivateKey? = nil, plan: String = "tiny") throws(Fault) {
        let leaves = (0..<count).map { position in
            FleetEvent(
                position.isMultiple(of: 3) ? .modelSigned : .roundStarted,
                [("plan", .text(position.isMultiple(of: 2) ? plan : "other"))]
            ).leafBytes(unix: 1_700_000_000 + UInt64(position), rows: nil)
        }
        try self.init(leaves: leaves, key: key)
    }

    func checkpoint(size: Int) throws(Fault) -> SignedCheckpoint {
        try signer.sign(
            Checkpoint(
                origin: SmallLog.origin, size: UInt64(size),
                root: LogTree.root(size: UInt64(size), node: hash)))
    }

    /// The checkpoint of `size` leaves with what leads to it from `older`.
    func record(size: Int, from older: Int) throws(Fault) -> CheckpointRecord {
        let path =
            older > 0
            ? LogTree.consistencyPath(from: UInt64(older), to: UInt64(size), node: hash) : []
        return CheckpointRecord(
            note: try checkpoint(size: size).note, consistency: path.map(\.bytes))
    }

    func proof(of index: Int) throws(Fault) -> Provenance.LogProof {
        Provenance.LogProof(
            leaf: leaves[index], index: UInt64(index),
            path: LogTree.inclusionPath(
                index: UInt64(index), size: UInt64(leaves.count), node: hash),
            checkpoint: try checkpoint(size: leaves.count).note)
    }

    func entry(_ index: Int) -> LogEntry {
        LogEntry(
            index: UInt64(index), loggedUnix: 1_700_000_000 + UInt64(index), leaf: leaves[index])
    }

    private func hash(_ node: LogNode) -> Digest {
        if node.level == 0 { return Merkle.leafHash(leaves[Int(node.index)]) }
        return Merkle.nodeHash(
            hash(LogNode(level: node.level - 1, index: 2 * node.index)),
            hash(LogNode(level: node.level - 1, index: 2 * node.index + 1)))
    }
}

/// A fleet's trust set around a log's key.
struct SmallFleet {
    let trustSet: TrustSet

    init(log: LogKey) throws(Fault) {
        let key = try PrivateKey.generate(.p256)
        let authority = try CertificateAuthority.create(fleet: "lab", nowUnix: 1_700_000_000)
        trustSet = try TrustSet.initial(
            fleet: "lab", authorities: [authority.certificate],
            modelKeys: [.init(key: key.publicKey, from: 1)], log: log, signedBy: key)
    }
}

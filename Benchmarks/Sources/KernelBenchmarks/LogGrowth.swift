import Cryptography
import Federation
import Provenance

/// What appending to a transparency log of some size costs, over nodes in memory, and what reading
/// a proof from it costs.
struct LogGrowth {
    /// Leaves appended, and taken away again, in one measurement.
    private static let appended: UInt64 = 1024

    let size: UInt64
    private var store = NodeStore()

    init(size: UInt64) {
        self.size = size
        for position in 0..<size { append(at: position) }
        store.reads = 0
    }

    /// Appends a second, each with the new root.
    mutating func appendsPerSecond() -> Double {
        let measurement = Measurement(operations: Double(Self.appended)) {
            for position in size..<size + Self.appended {
                append(at: position)
                _ = root(position + 1)
            }
            store.shrink(to: size)
        }
        return measurement.median * 1e9
    }

    /// The most nodes that one append reads, its new root included.
    mutating func mostReads() -> Int {
        var most = 0
        for position in size..<size + Self.appended {
            store.reads = 0
            append(at: position)
            _ = root(position + 1)
            most = max(most, store.reads)
        }
        store.shrink(to: size)
        return most
    }

    /// Proofs checked a second: the checkpoint's signature, and the path from a leaf to the root.
    mutating func verificationsPerSecond() throws -> Double {
        let signer = try LogSigner(name: "tributary/bench", key: PrivateKey.generate(.ed25519))
        let path = LogTree.inclusionPath(index: size / 3, size: size) { store.hash(of: $0) }
        let checkpoint = Checkpoint(origin: "tributary/bench", size: size, root: root(size))
        let proof = LogProof(
            leaf: Self.leaf(size / 3), index: size / 3, path: path,
            checkpoint: try signer.sign(checkpoint).note
        ).encoded()
        _ = try LogProof(parsing: proof).verify(key: signer.verifier)
        let measurement = Measurement(operations: 1, repetitions: 31) {
            // The same call has just succeeded.
            _ = try? LogProof(parsing: proof).verify(key: signer.verifier)
        }
        return measurement.median * 1e9
    }

    private mutating func append(at position: UInt64) {
        let hash = Merkle.leafHash(Self.leaf(position))
        let made = LogTree.nodes(appending: hash, at: position) { store.hash(of: $0) }
        for (node, hash) in made { store.append(hash, level: node.level) }
    }

    private mutating func root(_ size: UInt64) -> Digest {
        LogTree.root(size: size) { store.hash(of: $0) }
    }

    /// As long as a leaf of a fleet is.
    private static func leaf(_ position: UInt64) -> [UInt8] {
        Array("{\"event\":\"roundSealed\",\"time\":1800000000,\"round\":\(position)}".utf8)
            + [UInt8](repeating: 0x61, count: 200)
    }
}

/// Complete subtrees, level by level, that counts how many are read.
private struct NodeStore {
    private var levels: [[UInt8]] = []
    var reads = 0

    mutating func hash(of node: LogNode) -> Digest {
        reads += 1
        let start = Int(node.index) * Digest.byteCount
        return Digest(bytes: Array(levels[node.level][start..<start + Digest.byteCount]))
            ?? Merkle.emptyRoot
    }

    mutating func append(_ hash: Digest, level: Int) {
        if level == levels.count { levels.append([]) }
        levels[level] += hash.bytes
    }

    mutating func shrink(to size: UInt64) {
        for level in levels.indices {
            let kept = Int(size >> UInt64(level)) * Digest.byteCount
            levels[level].removeLast(levels[level].count - kept)
        }
    }
}

/// What OpenSSL does with nothing around it.
enum HashLimits {
    /// Blocks of 64 bytes that SHA-256 takes in for two hashes and what tells a node from a leaf.
    static let blocksOfNode = 2.0

    /// Blocks of 64 bytes a second, of long messages.
    static func blocksPerSecond() -> Double {
        let bytes = [UInt8](repeating: 7, count: 64 << 10)
        return Measurement(operations: Double(bytes.count / 64)) {
            _ = SHA256.digest(of: bytes)
        }.median * 1e9
    }

    /// Nodes hashed a second.
    static func nodesPerSecond() -> Double {
        var hash = Merkle.emptyRoot
        return Measurement(operations: 1) { hash = Merkle.nodeHash(hash, hash) }.median * 1e9
    }

    /// Ed25519 signatures checked a second.
    static func signaturesPerSecond() throws -> Double {
        let key = try PrivateKey.generate(.ed25519)
        let message = [UInt8](repeating: 7, count: 100)
        let signature = try key.sign(message)
        return Measurement(operations: 1, repetitions: 31) {
            _ = key.publicKey.verifies(signature, of: message)
        }.median * 1e9
    }
}

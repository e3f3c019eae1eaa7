import Cryptography
package import Federation

/// The hashes of an RFC 6962 tree. Leaves and nodes are told apart by a first byte, so that none
/// can pass for the other.
package enum Merkle {
    /// The root of a log without leaves.
    package static let emptyRoot = SHA256.digest(of: [])

    /// The hash of a leaf's bytes.
    package static func leafHash(_ leaf: [UInt8]) -> Digest { hash([0] + leaf) }

    /// The hash of the node above two others.
    package static func nodeHash(_ left: Digest, _ right: Digest) -> Digest {
        var message: [UInt8] = []
        message.reserveCapacity(1 + 2 * Digest.byteCount)
        message.append(1)
        message += left.bytes
        message += right.bytes
        return hash(message)
    }

    private static func hash(_ message: [UInt8]) -> Digest {
        var hasher = SHA256.Hasher()
        message.withUnsafeBytes { hasher.update($0) }
        return hasher.finish()
    }

    /// The root above 2^n hashes that stand side by side, at least one.
    static func root(ofComplete hashes: [Digest]) -> Digest {
        var row = hashes
        while row.count > 1 {
            row = stride(from: 0, to: row.count, by: 2).map { nodeHash(row[$0], row[$0 + 1]) }
        }
        return row[0]
    }
}

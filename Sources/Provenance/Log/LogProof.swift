package import Federation

/// A C2SP tlog-proof: a leaf, its place in the log, and a checkpoint that covers it; enough for a
/// reader that holds the log's key and nothing else.
package struct LogProof: Sendable, Equatable {
    /// The leaf's bytes, in the proof's `extra` line.
    package let leaf: [UInt8]
    /// The leaf's position, from 0.
    package let index: UInt64
    /// The hashes beside the way from the leaf to the root.
    package let path: [Digest]
    /// The signed checkpoint's note.
    package let checkpoint: [UInt8]

    /// The largest leaf, in bytes: entry bundles give its length in two.
    package static let largestLeaf = 65_535
    /// The longest path: one hash a level.
    package static let longestPath = 64
    private static let largestBytes = 256 << 10
    private static let header = "c2sp.org/tlog-proof@v1"

    package init(leaf: [UInt8], index: UInt64, path: [Digest], checkpoint: [UInt8]) {
        self.leaf = leaf
        self.index = index
        self.path = path
        self.checkpoint = checkpoint
    }

    /// The proof's bytes.
    package func encoded() -> [UInt8] {
        var text = "\(LogProof.header)\nextra \(Base64.encode(leaf))\nindex \(index)\n"
        for hash in path { text += Base64.encode(hash.bytes) + "\n" }
        return Array((text + "\n").utf8) + checkpoint
    }

    /// Reads a proof without checking it.
    ///
    /// - Throws: `Fault.invalid` unless `bytes` is exactly what `encoded` writes for some proof
    ///   whose checkpoint is a signed note.
    package init(parsing bytes: [UInt8]) throws(Fault) {
        var lines = TextLines(bytes)
        guard bytes.count <= LogProof.largestBytes, lines.next() == LogProof.header,
            let leaf = lines.next(after: "extra ").flatMap(Base64.decode),
            leaf.count <= LogProof.largestLeaf,
            let index = lines.next(after: "index ").flatMap(logPosition)
        else { throw Fault(.invalid, "this is not a log proof with its leaf") }
        var path: [Digest] = []
        while let line = lines.next(), !line.isEmpty {
            guard path.count < LogProof.longestPath,
                let hash = Base64.decode(line).flatMap(Digest.init(bytes:))
            else { throw Fault(.invalid, "a log proof has a malformed hash, or too many") }
            path.append(hash)
        }
        let note = Array(lines.rest)
        _ = try SignedNote(parsing: note)
        self.init(leaf: leaf, index: index, path: path, checkpoint: note)
    }

    /// Checks the checkpoint's signature and that the leaf is in the log.
    ///
    /// - Throws: as `SignedCheckpoint.init`, and `Fault.untrusted` when the path does not lead
    ///   from the leaf to the checkpoint's root.
    package func verify(key: LogKey) throws(Fault) -> SignedCheckpoint {
        let signed = try SignedCheckpoint(note: checkpoint, key: key)
        let included = LogTree.includes(
            leaf: Merkle.leafHash(leaf), index: index, size: signed.checkpoint.size, path: path,
            root: signed.checkpoint.root)
        guard included else {
            throw Fault(
                .untrusted,
                "the proof does not show leaf \(index) in \(key.name) of \(signed.checkpoint.size)"
            )
        }
        return signed
    }
}

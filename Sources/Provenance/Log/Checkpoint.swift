package import Federation

/// What a log commits to: so many leaves, in a tree of this root.
package struct Checkpoint: Sendable, Equatable {
    /// The log's unique name.
    package let origin: String
    /// The number of leaves.
    package let size: UInt64
    /// The RFC 6962 root over them.
    package let root: Digest

    /// - Parameters:
    ///   - origin: one that `LogKey` accepts as a name.
    ///   - size: at most `LogTree.largestSize`.
    package init(origin: String, size: UInt64, root: Digest) {
        self.origin = origin
        self.size = size
        self.root = root
    }

    /// The note's text: origin, size and root, one a line.
    package var text: String { "\(origin)\n\(size)\n\(Base64.encode(root.bytes))\n" }

    /// Reads a note's text. Extension lines are refused: nobody could audit them.
    ///
    /// - Throws: `Fault.invalid` unless it is exactly what `text` writes for some checkpoint.
    package init(text: String) throws(Fault) {
        var lines = TextLines(text.utf8)
        guard let origin = lines.next(), let size = lines.next().flatMap(logPosition),
            let root = lines.next().flatMap(Base64.decode).flatMap(Digest.init(bytes:)),
            lines.rest.isEmpty, size > 0 || root == Merkle.emptyRoot
        else { throw Fault(.invalid, "a checkpoint is not an origin, a size and a root") }
        try NoteKey.check(name: origin)
        self.init(origin: origin, size: size, root: root)
    }
}

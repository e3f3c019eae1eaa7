package import Federation

/// A complete subtree of a log: it covers leaves `index << level ..< (index + 1) << level`.
/// Level 0 are the leaves themselves.
package struct LogNode: Hashable, Sendable {
    package let level: Int
    package let index: UInt64

    package init(level: Int, index: UInt64) {
        self.level = level
        self.index = index
    }
}

/// The arithmetic of an RFC 6962 tree over stored complete subtrees: what to store as a leaf is
/// appended, and roots and proofs for any size. `node` yields the hash of a complete subtree that
/// lies within the size asked for; each call asks for at most two a level.
package enum LogTree {
    /// The most leaves that a log can have: more do not fit the signed integers of other readers.
    package static let largestSize = UInt64(Int64.max)

    /// The complete subtrees that a leaf makes when it is appended to a log of `size` leaves,
    /// itself first. Reads one node for each of them but the first.
    package static func nodes<E: Error>(
        appending leaf: Digest, at size: UInt64, node: (LogNode) throws(E) -> Digest
    ) throws(E) -> [(node: LogNode, hash: Digest)] {
        var made = LogNode(level: 0, index: size)
        var hash = leaf
        var nodes = [(node: made, hash: hash)]
        while made.index & 1 == 1 {
            hash = Merkle.nodeHash(
                try node(LogNode(level: made.level, index: made.index - 1)), hash)
            made = LogNode(level: made.level + 1, index: made.index >> 1)
            nodes.append((made, hash))
        }
        return nodes
    }

    /// The root of the first `size` leaves. Reads one node for each bit set in `size`.
    package static func root<E: Error>(
        size: UInt64, node: (LogNode) throws(E) -> Digest
    ) throws(E) -> Digest {
        size == 0 ? Merkle.emptyRoot : try root(of: 0..<size, node: node)
    }

    /// The hashes beside the way from leaf `index` up to the root of the first `size` leaves,
    /// leaf's side first. `index` must be less than `size`.
    package static func inclusionPath<E: Error>(
        index: UInt64, size: UInt64, node: (LogNode) throws(E) -> Digest
    ) throws(E) -> [Digest] {
        precondition(index < size, "a proof is for a leaf within the log")
        var range = 0..<size
        var path: [Digest] = []
        while range.count > 1 {
            let middle = split(range)
            let left = range.lowerBound..<middle
            let right = middle..<range.upperBound
            path.append(try root(of: index < middle ? right : left, node: node))
            range = index < middle ? left : right
        }
        return path.reversed()
    }

    /// The hashes that show that the first `from` leaves of a log of `to` are what they were; none
    /// when `from` is 0 or `to`. `from` must not be more than `to`.
    package static func consistencyPath<E: Error>(
        from: UInt64, to: UInt64, node: (LogNode) throws(E) -> Digest
    ) throws(E) -> [Digest] {
        precondition(from <= to, "a log only grows")
        guard from > 0 else { return [] }
        var range = 0..<to
        var path: [Digest] = []
        while range.upperBound > from {
            let middle = split(range)
            let left = range.lowerBound..<middle
            let right = middle..<range.upperBound
            path.append(try root(of: from <= middle ? right : left, node: node))
            range = from <= middle ? left : right
        }
        // The reader knows the older root: it need not be told when that is a subtree of its own.
        if range.lowerBound > 0 { path.append(try root(of: range, node: node)) }
        return path.reversed()
    }

    /// Where the tree over `range`, at least two leaves, parts: the largest power of two before
    /// its end stands on the left.
    private static func split(_ range: Range<UInt64>) -> UInt64 {
        let count = range.upperBound - range.lowerBound
        return range.lowerBound + (1 << (63 - UInt64((count - 1).leadingZeroBitCount)))
    }

    /// The root over `range`, which `split` made of a range that starts at 0.
    private static func root<E: Error>(
        of range: Range<UInt64>, node: (LogNode) throws(E) -> Digest
    ) throws(E) -> Digest {
        // The complete subtrees that make up the range, the rightmost and smallest folded first.
        var end = range.upperBound
        var hash: Digest?
        while end > range.lowerBound {
            let level = (end - range.lowerBound).trailingZeroBitCount
            let left = try node(LogNode(level: level, index: (end >> UInt64(level)) - 1))
            hash = hash.map { Merkle.nodeHash(left, $0) } ?? left
            end -= 1 << UInt64(level)
        }
        return hash ?? Merkle.emptyRoot
    }
}

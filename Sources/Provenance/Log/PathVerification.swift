package import Federation

// What RFC 9162 (sections 2.1.3.2 and 2.1.4.2) has a reader compute from a proof. Any hashes and
// numbers are safe to pass.
extension LogTree {
    /// Whether `path` shows that `leaf`, a leaf's hash, is number `index` of the `size` leaves
    /// under `root`.
    package static func includes(
        leaf: Digest, index: UInt64, size: UInt64, path: [Digest], root: Digest
    ) -> Bool {
        guard index < size else { return false }
        var climb = Climb(index: index, last: size - 1)
        var hash = leaf
        for sibling in path {
            guard let side = climb.next() else { return false }
            hash =
                side == .left
                ? Merkle.nodeHash(sibling, hash) : Merkle.nodeHash(hash, sibling)
        }
        return climb.isAtRoot && hash == root
    }

    /// Whether `path` shows that the log of `to` leaves under `toRoot` begins with the `from`
    /// leaves under `fromRoot`.
    package static func isConsistent(
        from: UInt64, fromRoot: Digest, to: UInt64, toRoot: Digest, path: [Digest]
    ) -> Bool {
        guard from <= to else { return false }
        if from == to { return path.isEmpty && fromRoot == toRoot }
        if from == 0 { return path.isEmpty && fromRoot == Merkle.emptyRoot }
        // Where the older log is a complete subtree, the path leaves out its root.
        let isComplete = from & (from - 1) == 0
        guard let start = isComplete ? fromRoot : path.first else { return false }
        var climb = Climb(index: from - 1, last: to - 1)
        climb.skipRightTurns()
        var older = start
        var newer = start
        for sibling in isComplete ? path[...] : path.dropFirst() {
            guard let side = climb.next() else { return false }
            if side == .left {
                older = Merkle.nodeHash(sibling, older)
                newer = Merkle.nodeHash(sibling, newer)
            } else {
                newer = Merkle.nodeHash(newer, sibling)
            }
        }
        return climb.isAtRoot && older == fromRoot && newer == toRoot
    }
}

/// The way from a node up to the root of a tree whose rightmost node on the same level is `last`.
private struct Climb {
    enum Side { case left, right }

    private var index: UInt64
    private var last: UInt64

    init(index: UInt64, last: UInt64) {
        self.index = index
        self.last = last
    }

    var isAtRoot: Bool { last == 0 }

    /// Passes the levels where the way comes from the right, which is where a log that ends here
    /// has complete subtrees.
    mutating func skipRightTurns() {
        while index & 1 == 1 { rise() }
    }

    /// Where the next sibling stands, one or more levels on; nil at the root.
    mutating func next() -> Side? {
        guard !isAtRoot else { return nil }
        let side: Side = index & 1 == 1 || index == last ? .left : .right
        // A node at the right edge without a sibling is its own parent.
        if side == .left {
            while index & 1 == 0 && index != 0 { rise() }
        }
        rise()
        return side
    }

    private mutating func rise() {
        index >>= 1
        last >>= 1
    }
}

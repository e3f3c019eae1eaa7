import Federation
import Provenance

/// RFC 6962's definitions (section 2.1) word for word; every range's root is remembered, or roots
/// at all sizes would take minutes.
final class RecursiveTree {
    private let leaves: [Digest]
    private var roots: [Range<Int>: Digest] = [:]

    init(_ leaves: [Digest]) { self.leaves = leaves }

    func root(_ range: Range<Int>) -> Digest {
        if range.isEmpty { return Merkle.emptyRoot }
        if range.count == 1 { return leaves[range.lowerBound] }
        if let root = roots[range] { return root }
        let middle = split(range)
        let root = Merkle.nodeHash(
            root(range.lowerBound..<middle), root(middle..<range.upperBound))
        roots[range] = root
        return root
    }

    /// PATH(m, D[n]).
    func path(_ leaf: Int, _ range: Range<Int>) -> [Digest] {
        guard range.count > 1 else { return [] }
        let middle = split(range)
        let left = range.lowerBound..<middle
        let right = middle..<range.upperBound
        return leaf < middle ? path(leaf, left) + [root(right)] : path(leaf, right) + [root(left)]
    }

    /// PROOF(m, D[n]) = SUBPROOF(m, D[n], true).
    func proof(_ older: Int, _ range: Range<Int>, known: Bool = true) -> [Digest] {
        if older == range.upperBound { return known ? [] : [root(range)] }
        let middle = split(range)
        let left = range.lowerBound..<middle
        let right = middle..<range.upperBound
        return older <= middle
            ? proof(older, left, known: known) + [root(right)]
            : proof(older, right, known: false) + [root(left)]
    }

    /// The largest power of two smaller than the count, from the range's start.
    private func split(_ range: Range<Int>) -> Int {
        var half = 1
        while half * 2 < range.count { half *= 2 }
        return range.lowerBound + half
    }
}

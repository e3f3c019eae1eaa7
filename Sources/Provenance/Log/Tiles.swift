package import Federation

/// What the files of a tiled log hold.
package enum Tiles {
    /// The tiles and bundles that a log needs anew when it has grown from `older` leaves to
    /// `size`: every one that ends in, or lies within, the new part.
    package static func paths(growingFrom older: UInt64, to size: UInt64) -> [TilePath] {
        let full = UInt64(TilePath.fullWidth)
        var paths: [TilePath] = []
        for level in TilePath.levels {
            let count = size >> UInt64(8 * level)
            let first = older >> UInt64(8 * level)
            guard count > first else { break }
            for index in (first / full)...((count - 1) / full) {
                let width = Int(min(full, count - index * full))
                if level == 0 { paths.append(.entries(index: index, width: width)) }
                paths.append(.hashes(level: level, index: index, width: width))
            }
        }
        return paths
    }

    /// The bytes of the tile `TilePath.hashes` names: 32 for each subtree that `node` yields.
    package static func hashes<E: Error>(
        level: Int, index: UInt64, width: Int, node: (LogNode) throws(E) -> Digest
    ) throws(E) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(width * Digest.byteCount)
        let first = index * UInt64(TilePath.fullWidth)
        for offset in 0..<width {
            let hash = try node(LogNode(level: 8 * level, index: first + UInt64(offset)))
            bytes += hash.bytes
        }
        return bytes
    }

    /// The bytes of a bundle: each of its leaves after its length in two bytes.
    ///
    /// - Throws: `Fault.exhausted` for a leaf that is longer than two bytes can say.
    package static func entries(_ leaves: [[UInt8]]) throws(Fault) -> [UInt8] {
        var bytes: [UInt8] = []
        for leaf in leaves {
            guard let count = UInt16(exactly: leaf.count) else {
                throw Fault(
                    .exhausted,
                    "a leaf of \(leaf.count) bytes is longer than \(LogProof.largestLeaf)")
            }
            bytes += [UInt8(count >> 8), UInt8(count & 255)]
            bytes += leaf
        }
        return bytes
    }

    /// The leaves that a bundle holds; nil when its bytes do not end with one.
    package static func leaves(ofBundle bytes: [UInt8]) -> [[UInt8]]? {
        var leaves: [[UInt8]] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            guard let high = rest.popFirst(), let low = rest.popFirst() else { return nil }
            let count = Int(high) << 8 | Int(low)
            guard rest.count >= count else { return nil }
            leaves.append(Array(rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
        return leaves
    }
}

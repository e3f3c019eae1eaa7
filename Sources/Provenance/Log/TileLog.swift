package import Federation

/// A log read from tiles, none of which is believed before its hashes lead to the checkpoint's
/// root. Holds at most two tiles a level.
package struct TileLog<Source: LogSource> {
    package private(set) var source: Source
    package let checkpoint: Checkpoint
    /// The partial tiles at the log's right edge, by level; nil until they have been checked.
    private var edge: [Int: Tile]?
    /// The full tile of each level that was last read and checked.
    private var recent: [Int: Tile] = [:]

    /// - Parameter checkpoint: one that the reader believes.
    package init(source: Source, checkpoint: Checkpoint) {
        self.source = source
        self.checkpoint = checkpoint
    }

    /// The hash of a complete subtree.
    ///
    /// - Throws: `Fault.invalid` when the log has no such subtree, `Fault.untrusted` naming the
    ///   tile that is missing or does not agree with the checkpoint, or what the source throws.
    package mutating func node(_ node: LogNode) throws(Fault) -> Digest {
        guard (0..<64).contains(node.level), node.index < checkpoint.size >> UInt64(node.level)
        else {
            throw Fault(
                .invalid, "a log of \(checkpoint.size) has no node \(node.index) at \(node.level)")
        }
        let height = node.level % 8
        let first = node.index << UInt64(height)
        let tile = try tile(level: node.level / 8, index: first >> 8)
        return tile.root(from: Int(first & 255), count: 1 << height)
    }

    /// Leaves `from ..< from + count`, each checked against its hash.
    ///
    /// - Throws: as `node`, naming the bundle.
    package mutating func leaves(from: UInt64, count: Int) throws(Fault) -> [[UInt8]] {
        guard count >= 0, from <= checkpoint.size, UInt64(count) <= checkpoint.size - from else {
            throw Fault(
                .invalid, "a log of \(checkpoint.size) has no \(count) leaves from \(from)")
        }
        let end = from + UInt64(count)
        var leaves: [[UInt8]] = []
        var next = from
        while next < end {
            let start = next & ~255
            let bundle = try bundle(index: next >> 8)
            let last = min(end, start + UInt64(bundle.count))
            leaves += bundle[Int(next - start)..<Int(last - start)]
            next = last
        }
        return leaves
    }

    /// Whether this log begins with the leaves that `older` committed to.
    ///
    /// - Throws: as `node`.
    package mutating func isConsistent(with older: Checkpoint) throws(Fault) -> Bool {
        guard older.origin == checkpoint.origin, older.size <= checkpoint.size else { return false }
        return try LogTree.root(size: older.size) { node throws(Fault) in try self.node(node) }
            == older.root
    }

    /// Reads every tile and every entry.
    ///
    /// - Throws: as `node`, for the first that is wrong.
    package mutating func verifyAll() throws(Fault) {
        _ = try checkedEdge()
        for start in stride(from: 0, to: checkpoint.size, by: 256) {
            _ = try leaves(from: start, count: Int(min(256, checkpoint.size - start)))
        }
    }

    private mutating func tile(level: Int, index: UInt64) throws(Fault) -> Tile {
        let count = checkpoint.size >> UInt64(8 * level)
        if index == count >> 8 {
            guard let tile = try checkedEdge()[level] else {
                throw Fault(.internal, "the log has no partial tile at level \(level)")
            }
            return tile
        }
        if let tile = recent[level], tile.index == index { return tile }
        let path = TilePath.hashes(level: level, index: index, width: TilePath.fullWidth)
        let tile = Tile(index: index, hashes: try hashes(path))
        let above = try node(LogNode(level: 8 * (level + 1), index: index))
        guard tile.root(from: 0, count: TilePath.fullWidth) == above else {
            throw Fault(
                .untrusted, "\(path.text) does not lead to the root of the checkpoint")
        }
        recent[level] = tile
        return tile
    }

    /// Every hash of a partial tile goes into the root, so they are right together or not at all.
    private mutating func checkedEdge() throws(Fault) -> [Int: Tile] {
        if let edge { return edge }
        var edge: [Int: Tile] = [:]
        var paths: [String] = []
        for level in TilePath.levels {
            let count = checkpoint.size >> UInt64(8 * level)
            guard count & 255 > 0 else { continue }
            let path = TilePath.hashes(level: level, index: count >> 8, width: Int(count & 255))
            edge[level] = Tile(index: count >> 8, hashes: try hashes(path))
            paths.append(path.text)
        }
        let root = LogTree.root(size: checkpoint.size) { node in
            let first = node.index << UInt64(node.level % 8)
            return edge[node.level / 8]?.root(from: Int(first & 255), count: 1 << (node.level % 8))
                ?? Merkle.emptyRoot
        }
        guard root == checkpoint.root else {
            throw Fault(
                .untrusted,
                "\(paths.joined(separator: ", ")) do not lead to the root of the checkpoint of "
                    + "\(checkpoint.size) leaves")
        }
        self.edge = edge
        return edge
    }

    private mutating func hashes(_ path: TilePath) throws(Fault) -> [Digest] {
        let (found, bytes) = try read(path)
        guard bytes.count == found.width * Digest.byteCount else {
            throw Fault(
                .untrusted, "\(found.text) has \(bytes.count) bytes, not \(found.width) hashes")
        }
        return (0..<path.width).compactMap {
            Digest(bytes: Array(bytes[$0 * Digest.byteCount..<($0 + 1) * Digest.byteCount]))
        }
    }

    private mutating func bundle(index: UInt64) throws(Fault) -> [[UInt8]] {
        let first = index * UInt64(TilePath.fullWidth)
        let width = Int(min(UInt64(TilePath.fullWidth), checkpoint.size - first))
        let (found, bytes) = try read(.entries(index: index, width: width))
        guard let leaves = Tiles.leaves(ofBundle: bytes), leaves.count == found.width else {
            throw Fault(.untrusted, "\(found.text) does not hold \(found.width) leaves")
        }
        for (position, leaf) in zip(first..<first + UInt64(width), leaves) {
            let hash = try node(LogNode(level: 0, index: position))
            guard Merkle.leafHash(leaf) == hash else {
                throw Fault(
                    .untrusted, "leaf \(position) in \(found.text) is not the one of the log")
            }
        }
        return Array(leaves.prefix(width))
    }

    /// The tile's bytes; of a log that has grown since, perhaps the full one's.
    private mutating func read(
        _ path: TilePath
    ) throws(Fault) -> (found: TilePath, bytes: [UInt8]) {
        for path in path == path.full ? [path] : [path, path.full] {
            if let bytes = try source.read(path.text) { return (path, bytes) }
        }
        throw Fault(
            .untrusted, "\(path.text) is missing from the log of \(checkpoint.size) leaves")
    }
}

/// Hashes of neighbouring subtrees.
private struct Tile {
    let index: UInt64
    let hashes: [Digest]

    /// The root above `count` hashes, a power of two, from `first`, a multiple of it.
    func root(from first: Int, count: Int) -> Digest {
        Merkle.root(ofComplete: Array(hashes[first..<first + count]))
    }
}

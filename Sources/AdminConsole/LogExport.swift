import Cryptography
package import Federation
import Glibc
package import Provenance

/// A log's public files as they are written anew from its leaves, into a folder that may hold an
/// older state of the same log.
///
/// A tile of a given name never changes, so one that is there already with other bytes is of
/// another log, and nothing is overwritten.
package struct LogExport {
    /// Leaves written so far.
    package private(set) var size: UInt64 = 0
    private let directory: String
    /// The complete subtrees whose sibling is still to come, one a level.
    private var frontier: [Int: Digest] = [:]
    /// The hashes of each level's tile that is not full, and the leaves of the last bundle.
    private var tiles: [Int: [UInt8]] = [:]
    private var bundle: [[UInt8]] = []
    /// Files that were not there before.
    private var created: [String] = []

    private static let checkpointName = "checkpoint"

    /// - Throws: `storage` when the folder cannot be made.
    package init(directory: String) throws(Fault) {
        self.directory = directory
        try createDirectory(directory)
    }

    /// The newest checkpoint that an earlier export left; nil without one.
    ///
    /// - Throws: `untrusted` when it is not of this log; `storage`.
    package func previous(key: LogKey) throws(Fault) -> Checkpoint? {
        let path = "\(directory)/\(Self.checkpointName)"
        guard access(path, F_OK) == 0 else { return nil }
        return try SignedCheckpoint(note: try CredentialFile.read(path), key: key).checkpoint
    }

    /// The root over the leaves so far.
    package var root: Digest {
        get throws(Fault) { try LogTree.root(size: size, node: waiting) }
    }

    /// Adds the next leaf.
    ///
    /// - Throws: `untrusted` when an earlier export had another; `storage`; `exhausted` for a leaf
    ///   that no log may have.
    package mutating func append(_ leaf: [UInt8]) throws(Fault) {
        bundle.append(leaf)
        if bundle.count == TilePath.fullWidth { try writeBundle() }
        let made = try LogTree.nodes(
            appending: Merkle.leafHash(leaf), at: size, node: waiting)
        for (node, hash) in made {
            frontier[node.level] = hash
            if node.level.isMultiple(of: 8) {
                tiles[node.level / 8, default: []] += hash.bytes
                if tiles[node.level / 8]?.count == TilePath.fullWidth * Digest.byteCount {
                    try writeTile(level: node.level / 8)
                }
            }
        }
        size += 1
    }

    /// Writes what is not full, and then the checkpoint, so that it covers only what is there.
    ///
    /// - Throws: as `append`.
    package mutating func finish(_ checkpoint: SignedCheckpoint) throws(Fault) {
        if !bundle.isEmpty { try writeBundle() }
        for level in tiles.keys.sorted() where tiles[level]?.isEmpty == false {
            try writeTile(level: level)
        }
        try CredentialFile.replace(
            "\(directory)/\(Self.checkpointName)", checkpoint.note,
            mode: CredentialFile.publicMode)
    }

    /// Removes the files that this export made: they are of no log, as it turned out.
    package func undo() {
        for path in created { unlink(path) }
    }

    private func waiting(_ node: LogNode) throws(Fault) -> Digest {
        guard let hash = frontier[node.level] else {
            throw Fault(.internal, "a subtree of the log at level \(node.level) is missing")
        }
        return hash
    }

    private mutating func writeBundle() throws(Fault) {
        let full = UInt64(TilePath.fullWidth)
        // The last leaf is not counted yet when it fills a bundle, and is when one is left over.
        let index = (bundle.count == TilePath.fullWidth ? size : size - 1) / full
        try write(
            .entries(index: index, width: bundle.count), try Tiles.entries(bundle))
        bundle = []
    }

    private mutating func writeTile(level: Int) throws(Fault) {
        guard let bytes = tiles.removeValue(forKey: level) else { return }
        let width = bytes.count / Digest.byteCount
        let span = UInt64(8 * (level + 1))
        let index = width == TilePath.fullWidth ? size >> span : (size - 1) >> span
        try write(.hashes(level: level, index: index, width: width), bytes)
    }

    private mutating func write(_ tile: TilePath, _ bytes: [UInt8]) throws(Fault) {
        var folder = directory
        for part in tile.text.split(separator: "/").dropLast() {
            folder += "/\(part)"
            try createDirectory(folder)
        }
        let path = "\(directory)/\(tile.text)"
        if access(path, F_OK) == 0 {
            let present = try CredentialFile.read(path, atMost: DirectorySource.largestBytes)
            guard present == bytes else { throw forked(path) }
            return
        }
        try CredentialFile.create(path, bytes, mode: CredentialFile.publicMode)
        created.append(path)
    }
}

/// The fault for a log that is not the one a file is of.
func forked(_ path: String) -> Fault {
    Fault(
        .untrusted, "\(path) is of another log than the coordinator's",
        remedy: "export into another folder, and find out which of the two logs others have seen")
}

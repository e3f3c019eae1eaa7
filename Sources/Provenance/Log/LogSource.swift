import Cryptography
package import Federation

/// Where a reader finds the files of a tiled log. Nothing that it yields is trusted.
package protocol LogSource {
    /// The file's bytes; nil when there is none of that path.
    ///
    /// - Throws: whatever keeps it from knowing.
    mutating func read(_ path: String) throws(Fault) -> [UInt8]?
}

/// A log in a directory.
package struct DirectorySource: LogSource {
    /// The largest file of a log, a bundle of the largest leaves, in bytes.
    package static let largestBytes = TilePath.fullWidth * (2 + LogProof.largestLeaf)

    private let directory: String

    package init(directory: String) { self.directory = directory }

    /// The file's bytes; of a partial tile that gave way to a wider one, the first part of that.
    ///
    /// - Throws: `storage`.
    package mutating func read(_ path: String) throws(Fault) -> [UInt8]? {
        if let bytes = try file(path) { return bytes }
        guard let tile = TilePath(path) else { return nil }
        for wider in tile.wider {
            if let bytes = try file(wider.text) { return tile.part(of: bytes) }
        }
        return nil
    }

    private func file(_ path: String) throws(Fault) -> [UInt8]? {
        do {
            return try CredentialFile.read(
                "\(directory)/\(path)", atMost: DirectorySource.largestBytes)
        } catch  where error.code == .notFound {
            return nil
        }
    }
}

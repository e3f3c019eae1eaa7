import Federation
import Provenance

/// The files of the log's directory, by the names that C2SP's tlog-tiles gives them.
///
/// Only names that `TilePath` writes are looked up, so no name leads out of the directory.
struct LogFiles: Sendable {
    struct File: Sendable, Equatable {
        let bytes: [UInt8]
        /// A tile of a certain width never changes; the checkpoint does.
        let isFixed: Bool
    }

    let directory: String

    /// The file that `path` names, or the first part of a wider tile; nil when the log has neither.
    ///
    /// - Throws: `storage` when the file cannot be read.
    func file(at path: String) throws(Fault) -> File? {
        if path == "checkpoint" {
            return try read(path).map { File(bytes: $0, isFixed: false) }
        }
        guard let tile = TilePath(path) else { return nil }
        for wider in tile.widths {
            if let bytes = try read(wider.text) {
                return tile.part(of: bytes).map { File(bytes: $0, isFixed: true) }
            }
        }
        return nil
    }

    private func read(_ path: String) throws(Fault) -> [UInt8]? {
        var source = DirectorySource(directory: directory)
        return try source.read(path)
    }
}

extension TilePath {
    /// The tile itself, the full one, then every other that it is the first part of.
    fileprivate var widths: [TilePath] {
        switch self {
        case .hashes(let level, let index, let width):
            ([width, Self.fullWidth] + (width..<Self.fullWidth)).map {
                .hashes(level: level, index: index, width: $0)
            }
        case .entries(let index, let width):
            ([width, Self.fullWidth] + (width..<Self.fullWidth)).map {
                .entries(index: index, width: $0)
            }
        }
    }

    /// This tile's bytes, cut from those of one that is as wide or wider; nil when they are too few.
    fileprivate func part(of bytes: [UInt8]) -> [UInt8]? {
        var count = 0
        switch self {
        case .hashes(_, _, let width): count = width * Digest.byteCount
        case .entries(_, let width):
            for _ in 0..<width {
                guard count + 2 <= bytes.count else { return nil }
                count += 2 + Int(bytes[count]) << 8 + Int(bytes[count + 1])
            }
        }
        return count <= bytes.count ? Array(bytes[..<count]) : nil
    }
}

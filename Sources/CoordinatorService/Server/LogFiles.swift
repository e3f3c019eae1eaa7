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
        let isFixed = TilePath(path) != nil
        guard isFixed || path == "checkpoint" else { return nil }
        var source = DirectorySource(directory: directory)
        return try source.read(path).map { File(bytes: $0, isFixed: isFixed) }
    }
}

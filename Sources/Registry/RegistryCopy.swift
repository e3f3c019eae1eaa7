import Cryptography
package import Federation
import GRDB
import Glibc
package import Provenance

extension Registry {
    /// Copies the registry as it is at one moment, with every blob its rows keep and its log as files, into `directory`,
    /// which becomes a directory that `open` opens. The daemon may go on meanwhile.
    ///
    /// - Parameter directory: is there, and holds none of them.
    /// - Returns: the newest checkpoint of the copied log.
    /// - Throws: `storage` when a blob is damaged or a file cannot be written; `notFound` when a blob is missing.
    package func copy(to directory: String) async throws(Fault) -> SignedCheckpoint {
        try await onDisk("copy the registry") { () throws(Fault) in
            guard let blobs = self.blobs as? BlobStore else {
                throw Fault(.internal, "a simulated disk is not copied into a directory")
            }
            return try blobs.copying { () throws(Fault) in
                try self.copyFiles(of: blobs, to: directory)
            }
        }
    }

    private func copyFiles(
        of blobs: BlobStore, to directory: String
    ) throws(Fault) -> SignedCheckpoint {
        let file = directory + "/registry.sqlite"
        do {
            // For its owner only, whatever SQLite would make it.
            _ = try OpenFile(file, O_RDWR | O_CREAT | O_EXCL)
            let copy = try DatabaseQueue(path: file)
            try pool.backup(to: copy)
            // One file, which any reader opens, in a directory that nobody writes.
            _ = try copy.inDatabase { db in
                try String.fetchOne(db, sql: "PRAGMA journal_mode = DELETE")
            }
            let result = try copy.read { db in
                let checkpoint = try storedCheckpoint(key: log.verifier, in: db)
                try LogFiles(directory: directory + "/log").catchUp(key: log.verifier, from: db)
                return (checkpoint, try keptBlobs(in: db))
            }
            try copy.close()
            try blobs.copy(result.1, to: directory + "/blobs")
            return result.0
        } catch { throw fault(from: error, during: "copy the registry to \(directory)") }
    }
}

extension Registry {
    /// Copies what `copy` has written into `source` on into `directory`, for `open`.
    ///
    /// - Throws: `notFound` when a part is missing; `storage`.
    package static func copyFiles(from source: String, to directory: String) throws(Fault) {
        try copyFile(source + "/registry.sqlite", to: directory + "/registry.sqlite")
        for folder in ["blobs", "log"] {
            try copyTree(source + "/" + folder, to: directory + "/" + folder)
        }
    }
}

extension BlobStore {
    /// Writes each of `digests` into a store in `directory`.
    ///
    /// - Throws: `notFound`; `storage` when one is damaged or cannot be written.
    func copy(_ digests: Set<Digest>, to directory: String) throws(Fault) {
        try createDirectory(directory)
        var shelves: Set<String> = []
        for digest in digests {
            let shelf = "\(directory)/\(digest.hex.prefix(2))"
            if shelves.insert(shelf).inserted { try createDirectory(shelf) }
            let file = try OpenFile("\(shelf)/\(digest.hex)", O_WRONLY | O_CREAT | O_EXCL)
            try content(of: digest).forEachPiece { piece throws(Fault) in try file.write(piece) }
            try file.sync()
        }
        for folder in Array(shelves) + [directory] { try synchronise(directory: folder) }
    }
}

private func copyTree(_ source: String, to target: String) throws(Fault) {
    try createDirectory(target)
    try forEachName(in: source) { name throws(Fault) in
        guard name != ".", name != ".." else { return }
        var status = stat()
        guard lstat(source + "/" + name, &status) == 0 else {
            throw storageFault("cannot read \(source)/\(name)", errno)
        }
        switch status.st_mode & S_IFMT {
        case S_IFDIR: try copyTree(source + "/" + name, to: target + "/" + name)
        case S_IFREG: try copyFile(source + "/" + name, to: target + "/" + name)
        default: break
        }
    }
    try synchronise(directory: target)
}

private func copyFile(_ source: String, to target: String) throws(Fault) {
    let from = try OpenFile(source, O_RDONLY)
    let to = try OpenFile(target, O_WRONLY | O_CREAT | O_EXCL)
    var offset: UInt64 = 0
    while true {
        let piece = try from.read(offset: offset, limit: 1 << 20)
        guard !piece.isEmpty else { break }
        try to.write(piece)
        offset += UInt64(piece.count)
    }
    try to.sync()
}

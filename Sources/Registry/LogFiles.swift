import Cryptography
import Federation
import Foundation
import GRDB
import Glibc
import Provenance

/// `DIR/log`: the log as C2SP tiles beside its signed checkpoint, for readers of files.
///
/// The files follow the registry: a tile is there before the checkpoint that needs it, and what a
/// stop left out is written at the next open. Whoever writes holds a lock on the directory, for any
/// process may append.
struct LogFiles: Sendable {
    let directory: String

    /// - Throws: `storage` when the directory cannot be made or written.
    init(directory: String) throws(Fault) {
        try createDirectory(directory)
        self.directory = directory
    }

    /// Checks that the files are not of another log, and writes what a stop may have left out.
    ///
    /// - Throws: `untrusted` when the checkpoint there is ahead of the registry or disagrees with
    ///   it; `storage`.
    func catchUp(key: LogKey, from db: Database) throws {
        try locked {
            let size = try checkedSize(key: key, in: db)
            // The last full tile is looked at again: it may not have reached the disk.
            let full = UInt64(TilePath.fullWidth)
            try write(from: size < 2 * full ? 0 : (size / full - 1) * full, in: db)
        }
    }

    /// Brings the files up to the registry's newest checkpoint.
    ///
    /// - Throws: `storage`.
    func follow(_ db: Database) throws {
        try locked {
            let published = note().flatMap { try? Checkpoint(text: SignedNote(parsing: $0).text) }
            try write(from: published?.size ?? 0, in: db)
        }
    }

    private func locked(_ body: () throws -> Void) throws {
        let root = try OpenFile(directory, O_RDONLY | O_DIRECTORY)
        while flock(root.descriptor, LOCK_EX) != 0 {
            guard errno == EINTR else { throw storageFault("cannot lock \(directory)", errno) }
        }
        defer { flock(root.descriptor, LOCK_UN) }
        try body()
    }

    /// The checkpoint file; nil when there is none that can be read.
    private func note() -> [UInt8]? {
        var source = DirectorySource(directory: directory)
        return (try? source.read(Self.checkpointName)) ?? nil
    }

    /// How many events the files are of, 0 without a checkpoint of the log's key.
    private func checkedSize(key: LogKey, in db: Database) throws -> UInt64 {
        guard let published = try? note().map({ try SignedCheckpoint(note: $0, key: key) })
        else { return 0 }
        let checkpoint = published.checkpoint
        let size = try logSize(in: db)
        guard checkpoint.size <= size else {
            throw Fault(
                .untrusted,
                "\(directory)/checkpoint is of \(checkpoint.size) events, but the registry holds"
                    + " \(size): it was rolled back", remedy: auditRemedy)
        }
        guard try storedRoot(size: checkpoint.size, in: db) == checkpoint.root else {
            throw Fault(
                .untrusted, "\(directory)/checkpoint is not of this registry's events",
                remedy: auditRemedy)
        }
        return checkpoint.size
    }

    /// Writes every tile from leaf `older` on, then the checkpoint, and removes partial tiles that
    /// others took the place of.
    private func write(from older: UInt64, in db: Database) throws {
        let row = try Row.fetchOne(
            db.cachedStatement(sql: "SELECT size, note FROM checkpoint WHERE only = 1"))
        guard let row else { return }
        let size: UInt64 = try row.value("size")
        let note: Data = try row.value("note")
        let paths = Tiles.paths(growingFrom: min(older, size), to: size)
        for path in paths {
            let bytes = try bytes(of: path, in: db)
            if path.isFull {
                try writeFull(path.text, bytes)
            } else {
                try writePartial(path.text, bytes)
            }
        }
        try RewrittenFile.replace(
            "\(directory)/\(Self.checkpointName)", Array(note), mode: CredentialFile.secretMode,
            durability: .none)
        for path in paths { removePartials(replacedBy: path) }
    }

    private func bytes(of path: TilePath, in db: Database) throws -> [UInt8] {
        switch path {
        case .hashes(let level, let index, let width):
            let first = LogNode(level: 8 * level, index: index * UInt64(TilePath.fullWidth))
            let hashes = try storedHashes(from: first, count: width, in: db)
            guard hashes.count == width else { throw incomplete(path) }
            return hashes.flatMap(\.bytes)
        case .entries(let index, let width):
            let first = index * UInt64(TilePath.fullWidth)
            let leaves = try Data.fetchAll(
                db.cachedStatement(
                    sql: """
                        SELECT leaf FROM events WHERE number >= ? AND number < ? ORDER BY number
                        """), arguments: [first, first + UInt64(width)])
            guard leaves.count == width else { throw incomplete(path) }
            return try Tiles.entries(leaves.map(Array.init))
        }
    }

    private func incomplete(_ path: TilePath) -> Fault {
        Fault(.storage, "the registry lacks events for \(path.text)", remedy: auditRemedy)
    }

    /// Writes a tile that stays as it is. It is not looked at again, so it must reach the disk now.
    private func writeFull(_ name: String, _ bytes: [UInt8]) throws(Fault) {
        guard !holds(name, bytes) else { return }
        let folder = try parent(of: name)
        let draft = "\(directory)/draft"
        let file = try OpenFile(draft, O_WRONLY | O_CREAT | O_TRUNC)
        try file.write(bytes)
        try file.sync()
        guard rename(draft, "\(directory)/\(name)") == 0 else {
            throw storageFault("cannot write \(directory)/\(name)", errno)
        }
        try synchronise(directory: folder)
    }

    /// Writes a tile that no checkpoint needs yet: half of it is no harm.
    private func writePartial(_ name: String, _ bytes: [UInt8]) throws(Fault) {
        guard !holds(name, bytes) else { return }
        _ = try parent(of: name)
        try RewrittenFile.replace(
            "\(directory)/\(name)", bytes, mode: CredentialFile.secretMode, durability: .none,
            spare: spare(of: name))
    }

    private func holds(_ name: String, _ bytes: [UInt8]) -> Bool {
        // As it lies there: a wider tile may give way to this one.
        (try? CredentialFile.read("\(directory)/\(name)", atMost: DirectorySource.largestBytes))
            == bytes
    }

    /// Where the next partial tile is written of those that `name` is one of.
    private func spare(of name: String) -> String {
        "\(directory)/spare-\(name.split(separator: "/").dropFirst().first ?? "")"
    }

    /// Makes the directories above `name` and returns the nearest.
    private func parent(of name: String) throws(Fault) -> String {
        var folder = directory
        for part in name.split(separator: "/").dropLast() {
            folder += "/\(part)"
            try createDirectory(folder)
        }
        return folder
    }

    private func removePartials(replacedBy path: TilePath) {
        let keep = path.isFull ? nil : path.text.split(separator: "/").last.map(String.init)
        let folder = "\(directory)/\(path.partialsFolder)"
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
            return
        }
        for name in names where name != keep {
            RewrittenFile.remove(
                "\(folder)/\(name)", spare: spare(of: path.partialsFolder), erasing: false)
        }
        if keep == nil { rmdir(folder) }
    }

    static let checkpointName = "checkpoint"
}

extension TilePath {
    var isFull: Bool { width == TilePath.fullWidth }

    /// Where it lies as long as it is partial.
    var partialsFolder: String { full.text + ".p" }
}

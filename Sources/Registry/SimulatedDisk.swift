import Cryptography
package import Federation
import Foundation
import GRDB
import GRDBSQLite
import Provenance
import Synchronization

/// Where a registry keeps its blobs, by their digests.
protocol BlobShelf: Sendable {
    /// Stores `bytes` durably and returns their digest.
    func put(_ bytes: [UInt8]) throws(Fault) -> Digest
    /// The content of `digest`, verified, to be read a piece at a time.
    func content(of digest: Digest) throws(Fault) -> any BlobContent
    /// A blob to be.
    func draft() throws(Fault) -> any BlobTarget
    /// The whole content of `digest`, verified.
    func get(_ digest: Digest) throws(Fault) -> [UInt8]
    /// At most `limit` bytes of `digest` from `offset`, and the size of the whole.
    func chunk(
        _ digest: Digest, offset: UInt64, limit: Int
    ) throws(Fault) -> (bytes: [UInt8], totalSize: UInt64)
    /// The digests of all.
    func all() throws(Fault) -> [Digest]
    /// Whether the disk takes writes.
    ///
    /// - Parameter trialBytes: how much is written to find out; 0: nothing.
    func condition(leastFree: UInt64, trialBytes: Int) -> DiskCondition
    /// Removes `digest`, if it is there.
    func remove(_ digest: Digest) throws(Fault)
    /// Runs `body`, which removes blobs, unless another process copies them; a later removal, or the next start, makes up
    /// for it.
    func whileNobodyCopies(_ body: () throws(Fault) -> Void) throws(Fault)
}

/// What befalls the commands that one simulated process gives its disk.
package protocol DiskFaults: Sendable {
    /// Called before a command; one that throws has not happened.
    func before(_ command: String) async throws(Fault)
    /// Called when a command has happened; when it throws, its caller never learns of it.
    func after(_ command: String) async throws(Fault)
}

extension DiskFaults {
    func around<Value: Sendable>(
        _ command: String, _ work: () throws(Fault) -> Value
    ) async throws(Fault) -> Value {
        try await before(command)
        let value = try work()
        try await after(command)
        return value
    }
}

/// A registry's files in memory, for a simulation of a coordinator: the same SQL, run on the caller's thread.
///
/// It outlives the processes that write to it. What a command did stays done, as on a disk that was synced; but a blob
/// only once its command has returned: until then a kill may `lose` it, as a crash of the machine does.
package final class SimulatedDisk: Sendable {
    /// One value of a row.
    package enum Value: Sendable, Equatable {
        case nothing
        case integer(Int64)
        case real(Double)
        case text(String)
        case bytes([UInt8])
    }

    private struct Shelf {
        var blobs: [Digest: [UInt8]]
        /// The blobs that one command alone has written.
        var drafts: Set<Digest> = []
        /// What the last command wrote, until somebody asks.
        var newest: [Digest] = []
    }

    let database: DatabaseQueue
    private let shelf: Mutex<Shelf>

    private init(database: DatabaseQueue, shelf: [Digest: [UInt8]]) {
        self.database = database
        self.shelf = Mutex(Shelf(blobs: shelf))
    }

    /// What `Registry.open` made in `directory`, which nobody writes meanwhile.
    ///
    /// - Throws: `storage`.
    package convenience init(copying directory: String) throws(Fault) {
        do {
            let source = try DatabaseQueue(path: directory + "/registry.sqlite")
            self.init(
                database: try duplicate(of: source), shelf: try blobs(below: directory + "/blobs"))
        } catch { throw fault(from: error, during: "copy \(directory)") }
    }

    /// The same once more.
    ///
    /// - Throws: `storage`.
    package func copy() throws(Fault) -> SimulatedDisk {
        do {
            return SimulatedDisk(
                database: try duplicate(of: database), shelf: shelf.withLock { $0.blobs })
        } catch { throw fault(from: error, during: "copy a simulated disk") }
    }

    /// Gives its memory back; nothing can be read or written any more.
    package func close() {
        try? database.close()
        shelf.withLock { $0 = Shelf(blobs: [:]) }
    }

    /// What a query finds, for whoever judges what the registry holds.
    ///
    /// - Throws: `storage` or `internal` when SQLite refuses it.
    package func rows(_ sql: String) throws(Fault) -> [[Value]] {
        do {
            return try database.unsafeRead { db in
                try Row.fetchAll(db.cachedStatement(sql: sql)).map { row in
                    row.databaseValues.map(Value.init)
                }
            }
        } catch { throw fault(from: error, during: "look at a simulated disk") }
    }

    /// What an audit finds: rows that are not as the log seals them, and blobs that are named and not there.
    ///
    /// - Throws: `storage` or `internal` when SQLite fails.
    package func audit() throws(Fault) -> [String] {
        do {
            return try database.unsafeRead { db in
                var report = RegistryAudit.Report()
                for facet in Facet.all {
                    try compareRows(of: facet, in: db, report: &report)
                    for column in facet.blobs { try look(for: column, of: facet, in: db, &report) }
                }
                return report.findings.map { "\($0.subject): \($0.what)" }
            }
        } catch { throw fault(from: error, during: "audit a simulated disk") }
    }

    private func look(
        for column: BlobColumn, of facet: Facet, in db: Database,
        _ report: inout RegistryAudit.Report
    ) throws {
        let named = try Digest.fetchCursor(
            db.cachedStatement(
                sql: """
                    SELECT \(column.name) FROM \(facet.table)
                        WHERE \(column.name) IS NOT NULL AND \(column.isKept)
                    """))
        while let digest = try named.next() {
            guard blob(digest) == nil else { continue }
            report.add("\(facet.table) \(column.name)", "blob \(digest) is not there")
        }
    }

    /// The content of `digest`; nil when there is none.
    package func blob(_ digest: Digest) -> [UInt8]? { shelf.withLock { $0.blobs[digest] } }

    /// The blobs that the command has written that ran last, but for those that were there; none to whoever asks again.
    package func takeDrafts() -> [Digest] {
        shelf.withLock { shelf in
            defer { shelf.newest = [] }
            return shelf.newest
        }
    }

    /// Forgets the draft of a command that never returned, unless another one has stored the same meanwhile.
    package func lose(_ draft: Digest) {
        shelf.withLock { shelf in
            if shelf.drafts.remove(draft) != nil { shelf.blobs[draft] = nil }
        }
    }
}

extension SimulatedDisk: BlobShelf {
    func put(_ bytes: [UInt8]) -> Digest {
        let digest = SHA256.digest(of: bytes)
        put(bytes, as: digest)
        return digest
    }

    private func put(_ bytes: [UInt8], as digest: Digest) {
        shelf.withLock { shelf in
            guard shelf.blobs[digest] == nil else {
                shelf.drafts.remove(digest)
                return
            }
            shelf.blobs[digest] = bytes
            shelf.drafts.insert(digest)
            shelf.newest.append(digest)
        }
    }

    private struct Content: BlobContent {
        let bytes: [UInt8]

        var size: Int { bytes.count }

        func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) {
            buffer.copyBytes(from: bytes[offset..<(offset + buffer.count)])
        }
    }

    private final class Draft: BlobTarget {
        private let disk: SimulatedDisk
        private var bytes: [UInt8] = []

        init(on disk: SimulatedDisk) { self.disk = disk }

        func append(_ piece: UnsafeRawBufferPointer) { bytes.append(contentsOf: piece) }

        func keep(as digest: Digest) { disk.put(bytes, as: digest) }
    }

    func content(of digest: Digest) throws(Fault) -> any BlobContent {
        Content(bytes: try get(digest))
    }

    func draft() -> any BlobTarget { Draft(on: self) }

    func get(_ digest: Digest) throws(Fault) -> [UInt8] {
        guard let bytes = blob(digest) else {
            throw Fault(.notFound, "there is no blob \(digest)")
        }
        return bytes
    }

    func chunk(
        _ digest: Digest, offset: UInt64, limit: Int
    ) throws(Fault) -> (bytes: [UInt8], totalSize: UInt64) {
        let whole = try get(digest)
        let start = Int(clamping: min(offset, UInt64(whole.count)))
        return (Array(whole[start...].prefix(max(0, limit))), UInt64(whole.count))
    }

    func all() -> [Digest] { shelf.withLock { Array($0.blobs.keys) } }

    func condition(leastFree: UInt64, trialBytes: Int) -> DiskCondition { .writable }

    func remove(_ digest: Digest) { shelf.withLock { $0.blobs[digest] = nil } }

    func whileNobodyCopies(_ body: () throws(Fault) -> Void) throws(Fault) { try body() }
}

extension SimulatedDisk {
    /// What opening a registry looks at.
    func checkLog(key: LogKey) throws(Fault) {
        do {
            try database.read { db in try checkStoredTree(key: key, in: db) }
        } catch { throw fault(from: error, during: "open a simulated disk") }
    }
}

private func duplicate(of source: DatabaseQueue) throws -> DatabaseQueue {
    var configuration = Configuration()
    configuration.label = "simulated registry"
    let duplicate = try DatabaseQueue(configuration: configuration)
    try source.backup(to: duplicate)
    // What GRDB learns of a statement as it is compiled serves observers, of which there are none here, and takes
    // longer than the statement.
    duplicate.unsafeReentrantWrite { db in
        _ = sqlite3_set_authorizer(db.sqliteConnection, nil, nil)
    }
    return duplicate
}

private func blobs(below directory: String) throws -> [Digest: [UInt8]] {
    let files = FileManager.default
    var blobs: [Digest: [UInt8]] = [:]
    for shelf in try files.contentsOfDirectory(atPath: directory) {
        let folder = directory + "/" + shelf
        for name in try files.contentsOfDirectory(atPath: folder) {
            guard let digest = Digest(hex: name) else { continue }
            blobs[digest] = files.contents(atPath: folder + "/" + name).map(Array.init)
        }
    }
    return blobs
}

extension SimulatedDisk.Value {
    fileprivate init(_ value: DatabaseValue) {
        self =
            switch value.storage {
            case .null: .nothing
            case .int64(let number): .integer(number)
            case .double(let number): .real(number)
            case .string(let text): .text(text)
            case .blob(let data): .bytes(Array(data))
            }
    }
}

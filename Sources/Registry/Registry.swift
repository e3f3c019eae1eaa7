import Cryptography
package import Federation
import GRDB
import Glibc
package import Provenance
import Synchronization

/// The coordinator's memory: agents, plans, rounds, models, the privacy ledger, the audit log, and
/// blobs.
///
/// SQLite in WAL mode with `synchronous = FULL`, so that a command which returned has reached the
/// disk. Every command is one transaction: it happens whole, with its events in the log, or not at
/// all. Any number of tasks may call at once; writes are serialised, reads see the last committed
/// state.
package final class Registry: Sendable {
    let pool: any DatabaseWriter
    let blobs: any BlobShelf
    let pins = BlobPins()
    let refusals = DiskRefusals()
    let log: LogSigner
    private let commits: GroupCommit
    /// The checkpoint that was verified last.
    let newest = Mutex<SignedCheckpoint?>(nil)
    /// What befalls each command on a simulated disk; nil on a real one.
    let faults: (any DiskFaults)?

    private init(pool: DatabasePool, blobs: BlobStore, log: LogSigner, files: LogFiles) {
        self.pool = pool
        self.blobs = blobs
        self.log = log
        commits = GroupCommit(pool, log: log, files: files)
        faults = nil
    }

    /// Opens what `disk` holds, as a process does to which `faults` happen.
    ///
    /// - Throws: `untrusted` when its log is not what the log key signed.
    package init(
        on disk: SimulatedDisk, faults: any DiskFaults, log: LogSigner
    ) throws(Fault) {
        try disk.checkLog(key: log.verifier)
        pool = disk.database
        blobs = disk
        self.log = log
        // The tiles follow from the rows.
        commits = GroupCommit(pool, log: log, files: nil)
        self.faults = faults
    }

    /// Opens `DIR/registry.sqlite`, `DIR/blobs` and `DIR/log`, creating what is missing and
    /// bringing an older schema up to date.
    ///
    /// - Parameters:
    ///   - log: signs every new state of the log.
    ///   - sealsOlder: whether a registry of a version that signed no log is taken as it is found.
    ///   - migrating: false where a daemon of an older version may be at work on it.
    ///   - nowUnix: when an older one is sealed.
    /// - Throws: `storage` when `directory` cannot be written or the file is not a registry;
    ///   `conflict` when a newer Tributary made it, or an older one and it is not `migrating`; `unavailable` when another process holds it
    ///   locked; `untrusted` when its log is not what the log key signed.
    package static func open(
        directory: String, log: LogSigner, sealsOlder: Bool = false, migrating: Bool = true,
        nowUnix: UInt64
    ) throws(Fault) -> Registry {
        try createDirectory(directory)
        let blobs = try BlobStore(directory: directory + "/blobs")
        let files = try LogFiles(directory: directory + "/log")
        let file = directory + "/registry.sqlite"
        // SQLite gives the files that it makes beside this one to its owner, but not this one to its directory's.
        if access(file, F_OK) != 0 { _ = try OpenFile(file, O_RDWR | O_CREAT) }
        do {
            var configuration = Configuration()
            configuration.label = "registry"
            configuration.busyMode = .timeout(5)
            let pool = try DatabasePool(path: file, configuration: configuration)
            let migrator = Schema.migrator { db in
                try beginTrustChain(
                    in: db, log: log, files: files, sealsOlder: sealsOlder, nowUnix: nowUnix)
            }
            try pool.read { db throws in
                guard try !migrator.hasBeenSuperseded(db) else { throw newerSchema(file) }
                guard try migrating || migrator.hasCompletedMigrations(db) else {
                    throw olderSchema(file)
                }
            }
            if migrating { try migrator.migrate(pool) }
            try pool.writeWithoutTransaction { db throws in
                try requireFullSynchronous(db)
                try db.inTransaction(.deferred) {
                    try checkStoredTree(key: log.verifier, in: db)
                    return .commit
                }
                try files.catchUp(key: log.verifier, from: db)
            }
            return Registry(pool: pool, blobs: blobs, log: log, files: files)
        } catch {
            throw fault(from: error, during: "open \(file)")
        }
    }

    /// Runs `body` in one transaction; nothing of it stays when it throws. If it appended events,
    /// the log is signed anew with them.
    func write<Value: Sendable>(
        _ command: String, _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws(Fault) -> Value {
        while true {
            do throws(Fault) {
                return try await writeOnce(command, body)
            } catch {
                guard await mayRetry(after: error) else { throw error }
            }
        }
    }

    @inline(never)
    func writeOnce<Value: Sendable>(
        _ command: String, _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws(Fault) -> Value {
        if let faults {
            return try await faults.around(command) { [pool, log] () throws(Fault) in
                try inline(command) {
                    try pool.writeWithoutTransaction { db in
                        try transaction(signedBy: log, in: db, body).value
                    }
                }
            }
        }
        do { return try await commits.perform(body) } catch {
            throw fault(from: error, during: command)
        }
    }

    /// Runs `body` on one consistent snapshot.
    func read<Value: Sendable>(
        _ command: String, _ body: @Sendable (Database) throws -> Value
    ) async throws(Fault) -> Value {
        if let faults {
            return try await faults.around(command) { [pool] () throws(Fault) in
                // Nobody else writes meanwhile.
                try inline(command) { try pool.unsafeRead(body) }
            }
        }
        do { return try await pool.read(body) } catch { throw fault(from: error, during: command) }
    }
}

/// Runs blocking work on the caller's thread.
private func inline<Value>(
    _ command: String, _ work: () throws -> Value
) throws(Fault) -> Value {
    do { return try work() } catch { throw fault(from: error, during: command) }
}

private func transaction<Value>(
    signedBy log: LogSigner, in db: Database, _ body: (Database) throws -> Value
) throws -> (value: Value, hasAppended: Bool) {
    var result: (Value, Bool)?
    try db.inTransaction(.immediate) {
        let before = try logSize(in: db)
        let value = try body(db)
        let hasAppended = try logSize(in: db) > before
        if hasAppended { try storeCheckpoint(signedBy: log, in: db) }
        result = (value, hasAppended)
        return .commit
    }
    guard let result else { throw Fault(.internal, "a transaction ended without a result") }
    return result
}

/// GRDB sets `NORMAL` for WAL databases, which may lose the last commits at a power cut; the ledger
/// must not.
private func requireFullSynchronous(_ db: Database) throws {
    try db.execute(sql: "PRAGMA synchronous = FULL")
    // What a statement needs until it ends is small, and a file for it is one to be made and given back.
    try db.execute(sql: "PRAGMA temp_store = MEMORY")
    let level = try Int.fetchOne(db, sql: "PRAGMA synchronous")
    let journal = try String.fetchOne(db, sql: "PRAGMA journal_mode")
    guard level == 2, journal == "wal" else {
        throw Fault(
            .storage, "SQLite refuses durable writes here (journal \(journal ?? "unknown"))",
            remedy: "keep the state directory on a local file system")
    }
}

private func newerSchema(_ file: String) -> Fault {
    Fault(
        .conflict, "\(file) was made by a newer version of Tributary",
        remedy: "run that version, or restore a backup made before the upgrade")
}

private func olderSchema(_ file: String) -> Fault {
    Fault(
        .conflict, "\(file) was made by an older version of Tributary",
        remedy: "start the coordinator with this version first, or use the version that runs")
}

/// Creates `path` unless it is there, for its owner only.
///
/// - Throws: `storage` when it cannot be created or written, or is not a directory.
package func createDirectory(_ path: String) throws(Fault) {
    if mkdir(path, 0o700) == 0 {
        Ownership.inherit(directory: path)
    } else if errno != EEXIST {
        throw storageFault("cannot create the directory \(path)", errno)
    }
    guard access(path + "/.", W_OK | X_OK) == 0 else {
        throw storageFault("cannot write in the directory \(path)", errno)
    }
}

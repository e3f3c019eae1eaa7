import Federation
import Foundation
import GRDB
import Provenance

// The log's Merkle tree as the registry stores it: level 0 is `events.leafHash`, the complete
// subtrees above it are `log_nodes`, and `checkpoint` is the newest signed root. All three are
// written in the transaction of the event.

/// Leaves in the log.
func logSize(in db: Database) throws -> UInt64 {
    let count = try UInt64.fetchOne(
        db.cachedStatement(sql: "SELECT COALESCE(MAX(number) + 1, 0) FROM events"))
    return count ?? 0
}

/// Stores the subtrees that the leaf at `position`, with `hash`, completes.
func storeNodes(above hash: Digest, at position: UInt64, in db: Database) throws {
    let made = try LogTree.nodes(appending: hash, at: position) { try storedHash(of: $0, in: db) }
    for (node, hash) in made where node.level > 0 {
        try db.cachedStatement(sql: "INSERT INTO log_nodes VALUES (?, ?, ?)")
            .execute(arguments: [node.level, node.index, hash])
    }
}

/// The stored hash of a complete subtree.
///
/// - Throws: `storage` when it is not there.
func storedHash(of node: LogNode, in db: Database) throws -> Digest {
    guard let hash = try storedHashes(from: node, count: 1, in: db).first else {
        throw Fault(
            .storage, "the registry lacks node \(node.index) of the log's level \(node.level)",
            remedy: auditRemedy)
    }
    return hash
}

/// The stored hashes of at most `count` complete subtrees, from `node` on, side by side.
func storedHashes(from node: LogNode, count: Int, in db: Database) throws -> [Digest] {
    let sql =
        node.level == 0
        ? "SELECT leafHash FROM events WHERE number >= ?2 AND number < ?3 ORDER BY number"
        : """
        SELECT hash FROM log_nodes WHERE level = ?1 AND position >= ?2 AND position < ?3
            ORDER BY position
        """
    let statement = try db.cachedStatement(sql: sql)
    return try Digest.fetchAll(
        statement,
        arguments: [node.level, node.index.storable, node.index.storable + UInt64(count)])
}

/// The root of the first `size` leaves, from stored hashes.
func storedRoot(size: UInt64, in db: Database) throws -> Digest {
    try LogTree.root(size: size) { try storedHash(of: $0, in: db) }
}

/// Signs the log as it is now, in the transaction that made it so.
func storeCheckpoint(signedBy log: LogSigner, in db: Database) throws {
    let size = try logSize(in: db)
    let signed = try log.sign(
        Checkpoint(
            origin: log.verifier.name, size: size, root: try storedRoot(size: size, in: db)))
    try db.cachedStatement(sql: "INSERT OR REPLACE INTO checkpoint VALUES (1, ?, ?)")
        .execute(arguments: [size, Data(signed.note)])
}

/// The stored checkpoint.
///
/// - Throws: `untrusted` unless it is there and `key` signed it.
func storedCheckpoint(key: LogKey, in db: Database) throws -> SignedCheckpoint {
    try verified(try storedNote(in: db), key: key)
}

/// The bytes of the newest checkpoint; nobody has looked at them.
func storedNote(in db: Database) throws -> [UInt8] {
    let note = try Data.fetchOne(
        db.cachedStatement(sql: "SELECT note FROM checkpoint WHERE only = 1"))
    guard let note else {
        throw Fault(.untrusted, "the registry has no checkpoint of its log", remedy: auditRemedy)
    }
    return Array(note)
}

/// The checkpoint that `note` is.
///
/// - Throws: `untrusted` when `key` did not sign it.
func verified(_ note: [UInt8], key: LogKey) throws(Fault) -> SignedCheckpoint {
    do throws(Fault) { return try SignedCheckpoint(note: note, key: key) } catch {
        throw Fault(
            .untrusted, "the registry's checkpoint does not verify: \(error.message)",
            remedy: auditRemedy)
    }
}

/// Checks, in O(log n), that the stored checkpoint is `key`'s and of exactly the stored leaves; an
/// audit checks the rest.
///
/// - Throws: `untrusted`, `storage`.
func checkStoredTree(key: LogKey, in db: Database) throws {
    let checkpoint = try storedCheckpoint(key: key, in: db).checkpoint
    let size = try logSize(in: db)
    guard checkpoint.size == size else {
        throw Fault(
            .untrusted,
            "the registry holds \(size) events, and its checkpoint is of \(checkpoint.size)",
            remedy: auditRemedy)
    }
    guard try storedRoot(size: size, in: db) == checkpoint.root else {
        throw Fault(
            .untrusted, "the registry's events are not those that its log key signed",
            remedy: auditRemedy)
    }
}

/// What to do when the registry and its log disagree.
let auditRemedy =
    "`tributary-coordinator audit verify --dir DIR` names what was changed; restore a backup"

import Cryptography
package import Federation
import Foundation
import GRDB
import Provenance

/// One leaf of the append-only audit log.
package struct StoredEvent: Sendable, Equatable {
    /// The leaf's position: 0, 1, 2 ... without a gap.
    package let index: UInt64
    /// `FleetEvent.leafBytes` as it was written.
    package let leaf: [UInt8]
    /// RFC 6962 leaf hash: SHA-256 of a zero byte and the leaf.
    package let hash: Digest
    /// When it was written, in Unix seconds.
    package let unix: UInt64
}

extension Registry {
    /// Appends `event` on its own, for a change that lives outside the registry.
    ///
    /// - Returns: its position.
    @discardableResult
    package func record(_ event: FleetEvent, nowUnix: UInt64) async throws(Fault) -> UInt64 {
        try await write("record an event") { db in
            try append(event, to: db, nowUnix: nowUnix)
        }
    }

    /// At most `limit` leaves from position `first`, in order.
    package func events(from first: UInt64, limit: Int) async throws(Fault) -> [StoredEvent] {
        try await read("read the log") { db in
            try StoredEvent.fetchAll(
                db, sql: "SELECT * FROM events WHERE number >= ? ORDER BY number LIMIT ?",
                arguments: [first.storable, max(0, limit)])
        }
    }

    /// Leaves in the log.
    package func eventCount() async throws(Fault) -> UInt64 {
        try await read("read the log") { db in try logSize(in: db) }
    }
}

/// Appends `event` in the caller's transaction, so that a change and its leaf are written together.
///
/// - Parameters:
///   - new: the rows that the caller added.
///   - rows: everything else that history fixes and the caller changed, as the change left it.
/// - Returns: its position.
@discardableResult
func append(
    _ event: FleetEvent, to db: Database, nowUnix: UInt64, adding new: [FacetRows] = [],
    sealing rows: [FacetRows] = []
) throws -> UInt64 {
    let position = try logSize(in: db)
    try requireNoSeals(from: position, in: db)
    for rows in new { try requireNeverSealed(rows, in: db) }
    let rows = new + rows
    let salt = rows.isEmpty ? nil : freshSalt()
    let sealed = try salt.map { try seal(rows, at: position, salt: $0, in: db) }
    let leaf = event.leafBytes(unix: nowUnix.storable, rows: sealed)
    guard leaf.count <= LogProof.largestLeaf else {
        throw Fault(
            .invalid, "an event of \(leaf.count) bytes does not fit the log",
            remedy: "give a shorter reason or name")
    }
    // A number above Int64's, or a zero in a text, is JSON that not every reader takes.
    guard LeafFields(leaf) != nil else {
        throw Fault(.invalid, "an event holds a number or text that readers of the log refuse")
    }
    let hash = Merkle.leafHash(leaf)
    try db.cachedStatement(sql: "INSERT INTO events VALUES (?, ?, ?, ?, ?)").execute(
        arguments: [position, Data(leaf), hash, nowUnix.storable, salt])
    try storeNodes(above: hash, at: position, in: db)
    return position
}

private func freshSalt() -> Digest? {
    var random = SystemRandom()
    var bytes = [UInt8](repeating: 0, count: Digest.byteCount)
    bytes.withUnsafeMutableBytes { random.fill($0) }
    return Digest(bytes: bytes)
}

extension StoredEvent: FetchableRecord {
    init(row: Row) throws {
        let leaf: Data = try row.value("leaf")
        index = try row.value("number")
        self.leaf = Array(leaf)
        hash = try row.value("leafHash")
        unix = try row.value("unix")
    }
}

import Cryptography
package import Federation
import Foundation
import GRDB

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
    package func record(_ event: FleetEvent, nowUnix: UInt64) async throws(Fault) {
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
        try await read("read the log") { db in try nextEventNumber(in: db) }
    }
}

/// Appends `event` in the caller's transaction, so that a change and its leaf are written together.
func append(_ event: FleetEvent, to db: Database, nowUnix: UInt64) throws {
    let leaf = event.leafBytes
    try StoredEvent(
        index: try nextEventNumber(in: db), leaf: leaf, hash: SHA256.digest(of: [0] + leaf),
        unix: nowUnix.storable
    ).insert(db)
}

private func nextEventNumber(in db: Database) throws -> UInt64 {
    try UInt64.fetchOne(db, sql: "SELECT COALESCE(MAX(number) + 1, 0) FROM events") ?? 0
}

extension StoredEvent: FetchableRecord, PersistableRecord {
    static var databaseTableName: String { "events" }

    init(row: Row) throws {
        let leaf: Data = try row.value("leaf")
        index = try row.value("number")
        self.leaf = Array(leaf)
        hash = try row.value("leafHash")
        unix = try row.value("unix")
    }

    func encode(to container: inout PersistenceContainer) {
        container["number"] = index
        container["leaf"] = Data(leaf)
        container["leafHash"] = hash
        container["unix"] = unix
    }
}

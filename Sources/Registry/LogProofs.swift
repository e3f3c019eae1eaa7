package import Federation
import GRDB
package import Provenance
import Synchronization

extension Registry {
    /// The newest checkpoint: of every event that was written.
    ///
    /// - Throws: `untrusted` when it is not the log key's.
    package func checkpoint() async throws(Fault) -> SignedCheckpoint {
        let key = log.verifier
        return try await read("read the checkpoint") { db in
            // Every check-in asks for it; the same bytes need not be verified again.
            let note = try storedNote(in: db)
            if let known = self.newest.withLock({ $0 }), known.note == note { return known }
            let signed = try verified(note, key: key)
            self.newest.withLock { $0 = signed }
            return signed
        }
    }

    /// The leaf at `index`, with the proof that the newest checkpoint covers it.
    ///
    /// - Throws: `notFound` when the log is not that long.
    package func inclusionProof(index: UInt64) async throws(Fault) -> LogProof {
        let key = log.verifier
        return try await read("prove event \(index)") { db in
            try proof(ofLeafAt: index, key: key, in: db)
        }
    }

    /// The leaf that says who signed a model version, with its proof.
    ///
    /// - Throws: `notFound`.
    package func modelProof(plan: PlanID, version: UInt64) async throws(Fault) -> LogProof {
        let key = log.verifier
        return try await read("prove the model \(plan) \(version)") { db in
            let position = try UInt64.fetchOne(
                db, sql: "SELECT position FROM models WHERE plan = ? AND version = ?",
                arguments: [plan, version.storable])
            guard let position else { throw unknownModel(plan, version: version) }
            return try proof(ofLeafAt: position, key: key, in: db)
        }
    }

    /// The hashes that show that the log's first `from` events were left as they were in its first
    /// `to`.
    ///
    /// - Throws: `invalid` unless `from` <= `to` <= the log's length.
    package func consistencyPath(from: UInt64, to: UInt64) async throws(Fault) -> [Digest] {
        try await read("prove the log's growth from \(from) to \(to)") { db in
            let size = try logSize(in: db)
            guard from <= to, to <= size else {
                throw Fault(
                    .invalid, "the log of \(size) events has not grown from \(from) to \(to)",
                    remedy: "a checkpoint that is ahead of this log is of another one")
            }
            return try LogTree.consistencyPath(from: from, to: to) {
                try storedHash(of: $0, in: db)
            }
        }
    }

    /// The position of the first event at or after `unix`; the log's length when there is none yet.
    package func position(ofFirstEventSince unix: UInt64) async throws(Fault) -> UInt64 {
        try await read("find the first event since \(unix)") { db in
            let first = try UInt64.fetchOne(
                db, sql: "SELECT MIN(number) FROM events WHERE unix >= ?",
                arguments: [unix.storable])
            return try first ?? logSize(in: db)
        }
    }
}

private func proof(ofLeafAt index: UInt64, key: LogKey, in db: Database) throws -> LogProof {
    let signed = try storedCheckpoint(key: key, in: db)
    let size = signed.checkpoint.size
    let event = try StoredEvent.fetchOne(
        db, sql: "SELECT * FROM events WHERE number = ?", arguments: [index.storable])
    guard let event, index < size else {
        throw Fault(.notFound, "the log has \(size) events and none at position \(index)")
    }
    let path = try LogTree.inclusionPath(index: index, size: size) {
        try storedHash(of: $0, in: db)
    }
    return LogProof(leaf: event.leaf, index: index, path: path, checkpoint: signed.note)
}

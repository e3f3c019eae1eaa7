import Federation
import GRDB
import Glibc
import Provenance

/// Gives a registry its first checkpoint, in the migration that made the tables. One that an older
/// version wrote is taken as it is found: its leaves get their tree, and one event seals every row.
///
/// - Parameter sealsOlder: whether a registry with events may be taken as it is found. Who could make
///   it look old could have anything signed.
/// - Throws: `untrusted` when the log was signed before, or may not be taken: the registry only looks
///   old.
func beginTrustChain(
    in db: Database, log: LogSigner, files: LogFiles, sealsOlder: Bool, nowUnix: UInt64
) throws {
    guard access("\(files.directory)/\(LogFiles.checkpointName)", F_OK) != 0 else {
        throw Fault(
            .untrusted, "\(files.directory) holds a signed log, but the registry none",
            remedy: "restore the registry from a backup")
    }
    if try logSize(in: db) > 0 {
        guard sealsOlder else {
            throw Fault(
                .untrusted, "the registry is older than the trust set, which names a signed log",
                remedy: "restore the registry from a backup")
        }
        try storeNodesOfOlderEvents(in: db)
        try findSignedModels(in: db)
        try append(
            FleetEvent(.registrySealed, []), to: db, nowUnix: nowUnix,
            sealing: try Facet.all.compactMap { try $0.existing(in: db)?.history }
                + [Facet.event[]])
    }
    try storeCheckpoint(signedBy: log, in: db)
}

private func storeNodesOfOlderEvents(in db: Database) throws {
    let events = try Row.fetchCursor(
        db, sql: "SELECT number, leafHash FROM events ORDER BY number")
    while let event = try events.next() {
        try storeNodes(above: event.value("leafHash"), at: event.value("number"), in: db)
    }
}

/// Sets every model's position.
private func findSignedModels(in db: Database) throws {
    try db.execute(
        sql: """
            UPDATE models SET position = signed.number FROM (
                SELECT MIN(number) AS number, json_extract(leaf, '$.plan') AS plan,
                    json_extract(leaf, '$.version') AS version
                FROM (SELECT number, CAST(leaf AS TEXT) AS leaf FROM events)
                WHERE json_extract(leaf, '$.event') = 'modelSigned' GROUP BY 2, 3
            ) AS signed WHERE signed.plan = models.plan AND signed.version = models.version
            """)
}

package import Federation
import GRDB

extension Registry {
    /// The most versions that one transaction gives up.
    private static let versionsAtOnce = 100

    /// Gives up the weights of a plan's older versions: model.onnx, master weights and optimiser
    /// state, and what their rounds released. What says where a version came from stays: its
    /// signature, statement and model card. Never goes what the newest version or a round in flight
    /// needs.
    ///
    /// - Parameters:
    ///   - newest: how many of the newest versions keep theirs; at least 1.
    ///   - event: the leaf of one version, with SHA-256 of its model.onnx.
    /// - Returns: the versions given up now, oldest first.
    /// - Throws: `untrusted` when a version's row was changed from outside; `storage`.
    package func collectVersions(
        of plan: PlanID, keeping newest: Int, nowUnix: UInt64,
        event: @escaping @Sendable (_ version: UInt64, _ model: Digest) -> FleetEvent
    ) async throws(Fault) -> [UInt64] {
        var collected: [UInt64] = []
        while true {
            let versions = try await write("collect versions of \(plan)") { db in
                try markCollected(
                    plan, keeping: max(1, newest), atMost: Self.versionsAtOnce, nowUnix: nowUnix,
                    event: event, in: db)
            }
            try await removeWeights(of: plan, versions)
            collected += versions
            guard versions.count == Self.versionsAtOnce else { return collected }
        }
    }

    /// Removes blobs that no row names: what a crash left between a blob and its row, or between a
    /// collection and the end of its weights. Only for a process that no other writes beside.
    ///
    /// - Returns: how many there were.
    /// - Throws: `storage`.
    package func collectOrphans() async throws(Fault) -> Int {
        let kept = try await read("look up what is kept") { db in try keptBlobs(in: db) }
        return try await onDisk("remove what is not kept") { () throws(Fault) in
            try self.remove(try self.blobs.all().filter { !kept.contains($0) })
        }
    }

    private func removeWeights(of plan: PlanID, _ versions: [UInt64]) async throws(Fault) {
        guard let first = versions.first, let last = versions.last else { return }
        // No row can come to name a blob while this holds the registry.
        _ = try await write("remove weights of \(plan)") { db in
            let weights = try weights(of: plan, from: first, to: last, in: db)
            return try self.remove(weights.subtracting(try keptBlobs(among: weights, in: db)))
        }
    }

    private func remove(_ digests: some Collection<Digest>) throws(Fault) -> Int {
        guard !digests.isEmpty else { return 0 }
        var removed = 0
        try blobs.whileNobodyCopies { () throws(Fault) in
            for digest in digests {
                try pins.unlessKept(digest) { () throws(Fault) in
                    try blobs.remove(digest)
                    removed += 1
                }
            }
        }
        return removed
    }
}

/// Marks the oldest versions beyond the `newest`, at most `limit` of them, and returns them.
private func markCollected(
    _ plan: PlanID, keeping newest: Int, atMost limit: Int, nowUnix: UInt64,
    event: (UInt64, Digest) -> FleetEvent, in db: Database
) throws -> [UInt64] {
    let rows = try Row.fetchAll(
        db,
        sql: """
            SELECT version, modelDigest FROM models
                WHERE plan = ?1 AND collectedUnix IS NULL
                    AND version <= (SELECT MAX(version) FROM models WHERE plan = ?1) - ?2
                    AND version NOT IN (SELECT baseVersion FROM rounds
                        WHERE plan = ?1 AND phase NOT IN ('published', 'abandoned'))
                ORDER BY version LIMIT ?3
            """, arguments: [plan, newest, limit])
    return try rows.map { row in
        let version: UInt64 = try row.value("version")
        try requireAsSealed(Facet.model[plan, version], in: db)
        try db.execute(
            sql: "UPDATE models SET collectedUnix = ? WHERE plan = ? AND version = ?",
            arguments: [nowUnix.storable, plan, version])
        try append(
            event(version, try row.value("modelDigest")), to: db, nowUnix: nowUnix,
            adding: [Facet.collection[plan, version]])
        return version
    }
}

/// The weights that rows of collected versions in this range name, and of the rounds that go with
/// them.
private func weights(
    of plan: PlanID, from first: UInt64, to last: UInt64, in db: Database
) throws -> Set<Digest> {
    let ofVersion = "plan = ?1 AND version BETWEEN ?2 AND ?3"
    let ofRound = "plan = ?1 AND ifnull(publishedVersion, baseVersion) BETWEEN ?2 AND ?3"
    let columns =
        ["modelDigest", "masterDigest", "velocityDigest"].map { ($0, "models", ofVersion) }
        + ["aggregateDigest", "masterDigest", "velocityDigest"].map { ($0, "rounds", ofRound) }
    var weights: Set<Digest> = []
    for (column, table, condition) in columns {
        let found = try Digest.fetchCursor(
            db, sql: "SELECT \(column) FROM \(table) WHERE \(condition) AND \(column) IS NOT NULL",
            arguments: [plan, first, last])
        while let digest = try found.next() { weights.insert(digest) }
    }
    return weights
}

/// The blobs that some row names and keeps.
///
/// - Parameter candidates: only of these; nil for all.
func keptBlobs(among candidates: Set<Digest>? = nil, in db: Database) throws -> Set<Digest> {
    var kept: Set<Digest> = []
    for facet in Facet.all {
        for column in facet.blobs {
            var sql = """
                SELECT DISTINCT \(column.name) FROM \(facet.table)
                    WHERE \(column.name) IS NOT NULL AND \(column.isKept)
                """
            var arguments = StatementArguments()
            if let candidates {
                let places = repeatElement("?", count: candidates.count).joined(separator: ", ")
                sql += " AND \(column.name) IN (\(places))"
                arguments = StatementArguments(Array(candidates))
            }
            let found = try Digest.fetchCursor(db, sql: sql, arguments: arguments)
            while let digest = try found.next() { kept.insert(digest) }
        }
    }
    return kept
}

package import Federation
import GRDB

/// A part of a list, and whether the list goes on after it.
package struct Page<Item: Sendable>: Sendable {
    package let items: [Item]
    package let hasMore: Bool

    /// - Parameter items: one more than `limit` where there are so many.
    init(_ items: [Item], limit: Int) {
        self.init(items: Array(items.prefix(limit)), hasMore: items.count > limit)
    }

    private init(items: [Item], hasMore: Bool) {
        self.items = items
        self.hasMore = hasMore
    }

    /// What `transform` makes of each item.
    func map<Other: Sendable>(_ transform: (Item) throws -> Other) rethrows -> Page<Other> {
        Page<Other>(items: try items.map(transform), hasMore: hasMore)
    }
}

// Lists that grow with the fleet's age, a page at a time, so that a long one is never in memory whole.
extension Registry {
    /// At most `limit` rounds with numbers above `after`, oldest first.
    ///
    /// - Parameter plan: whose; nil: of every plan.
    package func rounds(
        plan: PlanID?, after: RoundID, limit: Int
    ) async throws(Fault) -> Page<StoredRound> {
        try await read("list the rounds") { db in
            guard let plan else {
                return try roundPage(where: "TRUE", [], after: after, limit: limit, in: db)
            }
            return try roundPage(
                where: "rounds.plan = ?", [plan], after: after, limit: limit, in: db)
        }
    }

    /// At most `limit` rounds with numbers below `before`, newest first.
    ///
    /// - Parameters:
    ///   - plan: whose; nil: of every plan.
    ///   - before: nil: from the newest on.
    package func rounds(
        plan: PlanID?, before: RoundID?, limit: Int
    ) async throws(Fault) -> Page<StoredRound> {
        try await read("list the newest rounds") { db in
            let rounds = try StoredRound.fetchAll(
                db,
                sql: StoredRound.selection
                    + " WHERE (?1 IS NULL OR rounds.plan = ?1) AND rounds.id < ?2"
                    + " ORDER BY rounds.id DESC LIMIT ?3",
                arguments: [plan, before?.number.storable ?? UInt64(Int64.max), limit + 1])
            return try Page(rounds, limit: limit).map { try $0.withHistory(in: db) }
        }
    }

    /// At most `limit` rounds of a job with numbers above `after`, oldest first.
    package func rounds(
        job: UInt64, after: RoundID, limit: Int
    ) async throws(Fault) -> Page<StoredRound> {
        try await read("list the rounds of job \(job)") { db in
            try roundPage(
                where: "rounds.job = ?", [job.storable], after: after, limit: limit, in: db)
        }
    }

    /// At most `limit` versions of a plan's model from `first` on, oldest first.
    package func models(
        _ plan: PlanID, from first: UInt64, limit: Int
    ) async throws(Fault) -> Page<StoredModel> {
        try await read("list the models of \(plan)") { db in
            let models = try StoredModel.fetchAll(
                db,
                sql:
                    "SELECT * FROM models WHERE plan = ? AND version >= ? ORDER BY version LIMIT ?",
                arguments: [plan, first.storable, limit + 1])
            return try Page(models, limit: limit).map { model in
                try requireAsSealed(model, in: db)
                return try model.withFiles(in: db)
            }
        }
    }

    /// At most `limit` jobs with numbers above `after`, oldest first.
    ///
    /// - Parameters:
    ///   - plan: whose; nil: of every plan.
    ///   - isOpen: whether only those that have not ended.
    package func jobs(
        plan: PlanID?, after: UInt64, isOpen: Bool, limit: Int
    ) async throws(Fault) -> Page<StoredJob> {
        try await read("list the jobs") { db in
            let jobs = try StoredJob.fetchAll(
                db,
                sql: """
                    SELECT * FROM jobs WHERE id > ?1 AND (?2 IS NULL OR plan = ?2)
                        AND (state = 'running' OR NOT ?3) ORDER BY id LIMIT ?4
                    """, arguments: [after.storable, plan, isOpen, limit + 1])
            return Page(jobs, limit: limit)
        }
    }
}

private func roundPage(
    where condition: String, _ arguments: StatementArguments, after: RoundID, limit: Int,
    in db: Database
) throws -> Page<StoredRound> {
    let rounds = try StoredRound.fetchAll(
        db,
        sql: StoredRound.selection
            + " WHERE \(condition) AND rounds.id > ? ORDER BY rounds.id LIMIT ?",
        arguments: arguments + [after.number.storable, limit + 1])
    return try Page(rounds, limit: limit).map { try $0.withHistory(in: db) }
}

extension StoredRound {
    fileprivate func withHistory(in db: Database) throws -> StoredRound {
        var round = self
        round.history = try StoredPhase.fetchAll(
            db.cachedStatement(sql: "SELECT * FROM round_history WHERE round = ? ORDER BY step"),
            arguments: [at.round])
        return round
    }
}

package import Federation
import GRDB

/// What one attempt of a round spent of its population's privacy budget.
package struct StoredCharge: Sendable, Equatable {
    package let at: RoundAttempt
    package let plan: PlanID
    package let population: String
    /// z: noise standard deviation over the sensitivity.
    package let noiseMultiplier: Double
    /// Probability that one agent took part, in (0, 1].
    package let samplingRate: Double
    package let delta: Double
    /// The population's total after this charge.
    package let epsilonAfter: Double
    package let chargedUnix: UInt64
}

extension Registry {
    /// Charges the budget for one attempt, before its noise is drawn: a crash may overstate what
    /// was spent, never understate it.
    ///
    /// - Parameters:
    ///   - epsilonAfter: what the population has spent with this charge, given all before it, oldest first. Asked for as the
    ///     charge is written, so that totals grow in the log's order whoever is charged at the same time.
    ///   - event: the charge for the log, given that total.
    /// - Returns: that total.
    /// - Throws: `conflict` when this (plan, round, attempt) is charged already; `gone` when the
    ///   round has ended or `at` is not its current attempt; `notFound`.
    package func chargeBudget(
        _ at: RoundAttempt, plan: PlanID, population: String, noiseMultiplier: Double,
        samplingRate: Double, delta: Double, nowUnix: UInt64,
        epsilonAfter: @escaping @Sendable ([StoredCharge]) -> Double,
        event: @escaping @Sendable (Double) -> FleetEvent
    ) async throws(Fault) -> Double {
        try await write("charge the budget for round \(at)") { db in
            try requireOpen(at, in: db)
            let isCharged = try Bool.fetchOne(
                db,
                sql: """
                    SELECT EXISTS (SELECT 1 FROM ledger
                        WHERE plan = ? AND round = ? AND attempt = ?)
                    """, arguments: [plan, at.round, at.attempt])
            guard isCharged == false else {
                throw Fault(.conflict, "round \(at) of \(plan) is already charged")
            }
            let epsilon = epsilonAfter(try storedCharges(against: population, in: db))
            try StoredCharge(
                at: at, plan: plan, population: population, noiseMultiplier: noiseMultiplier,
                samplingRate: samplingRate, delta: delta, epsilonAfter: epsilon,
                chargedUnix: nowUnix.storable
            ).insert(db)
            try append(
                event(epsilon), to: db, nowUnix: nowUnix,
                adding: [Facet.charge[plan, at.round, at.attempt]])
            return epsilon
        }
    }

    /// How often `plan` was charged.
    package func charges(plan: PlanID) async throws(Fault) -> Int {
        try await read("count the charges of \(plan)") { db in
            try Int.fetchOne(
                db, sql: "SELECT COUNT(*) FROM ledger WHERE plan = ?", arguments: [plan]) ?? 0
        }
    }

    /// How many rounds of `plan` were begun, every attempt of each, whatever became of them.
    package func roundsBegun(plan: PlanID) async throws(Fault) -> Int {
        try await read("count the rounds of \(plan)") { db in
            try Int.fetchOne(
                db, sql: "SELECT SUM(attempt) FROM rounds WHERE plan = ?", arguments: [plan]) ?? 0
        }
    }

    /// What a job that has ended left of its population's budget: the last charge for its rounds or, where there is none, the
    /// last one before it was asked for.
    ///
    /// - Returns: nil when nothing had been spent; `charges` is how often its plan had been charged by then.
    package func lastCharge(
        ofJob job: UInt64, population: String
    ) async throws(Fault) -> (charge: StoredCharge, charges: Int)? {
        try await read("look up what job \(job) has spent") { db in
            let row =
                try Row.fetchOne(
                    db,
                    sql: """
                        SELECT ledger.*, ledger.rowid AS position FROM rounds
                            JOIN ledger ON ledger.plan = rounds.plan AND ledger.round = rounds.id
                            WHERE rounds.job = ? ORDER BY ledger.rowid DESC LIMIT 1
                        """, arguments: [job.storable])
                ?? Row.fetchOne(
                    db,
                    sql: """
                        SELECT *, rowid AS position FROM ledger WHERE population = ? AND chargedUnix
                            <= (SELECT createdUnix FROM jobs WHERE id = ?)
                            ORDER BY rowid DESC LIMIT 1
                        """, arguments: [population, job.storable])
            guard let row else { return nil }
            let charges = try Int.fetchOne(
                db,
                sql: """
                    SELECT COUNT(*) FROM ledger
                        WHERE plan = (SELECT plan FROM jobs WHERE id = ?) AND rowid <= ?
                    """, arguments: [job.storable, try row.value("position") as Int64])
            return (try StoredCharge(row: row), charges ?? 0)
        }
    }

    /// Every charge against `population`, oldest first.
    package func ledger(population: String) async throws(Fault) -> [StoredCharge] {
        try await ledger(population: population, after: 0, limit: .max).charges
    }

    /// At most `limit` charges against `population`, oldest first, without the first `after`; and
    /// how many there are in all.
    package func ledger(
        population: String, after: UInt64, limit: Int
    ) async throws(Fault) -> (charges: [StoredCharge], total: Int) {
        try await read("read the ledger of \(population)") { db in
            let charges = try storedCharges(
                against: population, after: after, limit: limit, in: db)
            let total = try Int.fetchOne(
                db, sql: "SELECT COUNT(*) FROM ledger WHERE population = ?",
                arguments: [population])
            return (charges, total ?? 0)
        }
    }
}

extension StoredCharge: FetchableRecord, PersistableRecord {
    static var databaseTableName: String { "ledger" }

    init(row: Row) throws {
        at = RoundAttempt(round: try row.value("round"), attempt: try row.value("attempt"))
        plan = try row.value("plan")
        population = try row.value("population")
        noiseMultiplier = try row.value("noiseMultiplier")
        samplingRate = try row.value("samplingRate")
        delta = try row.value("delta")
        epsilonAfter = try row.value("epsilonAfter")
        chargedUnix = try row.value("chargedUnix")
    }

    func encode(to container: inout PersistenceContainer) {
        container["plan"] = plan
        container["round"] = at.round
        container["attempt"] = at.attempt
        container["population"] = population
        container["noiseMultiplier"] = noiseMultiplier
        container["samplingRate"] = samplingRate
        container["delta"] = delta
        container["epsilonAfter"] = epsilonAfter
        container["chargedUnix"] = chargedUnix
    }
}

/// At most `limit` charges against `population`, oldest first, without the first `after`.
private func storedCharges(
    against population: String, after: UInt64 = 0, limit: Int = .max, in db: Database
) throws -> [StoredCharge] {
    try StoredCharge.fetchAll(
        db, sql: "SELECT * FROM ledger WHERE population = ? ORDER BY rowid LIMIT ? OFFSET ?",
        arguments: [population, limit, after.storable])
}

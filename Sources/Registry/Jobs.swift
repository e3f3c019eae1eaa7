package import Federation
import GRDB

/// A request to run a number of rounds of one plan, one after another.
package struct StoredJob: Sendable, Equatable {
    package let job: UInt64
    package let plan: PlanID
    /// Rounds wanted.
    package let rounds: Int
    package let roundsDone: Int
    /// `running`, `finished`, `failed` or `cancelled`.
    package let state: String
    /// Why it failed or was cancelled.
    package let detail: String
    /// Empty when the caller gave none.
    package let idempotencyKey: String
    package let createdUnix: UInt64
}

extension Registry {
    /// Creates a job in state `running`, or finds the one that the same key created before.
    ///
    /// - Parameter event: makes the event of a new job once its number is known.
    /// - Throws: `notFound` for an unknown plan; `invalid` when `rounds` is not positive;
    ///   `conflict` when the key belongs to a job of another number of rounds.
    package func createJob(
        plan: PlanID, rounds: Int, idempotencyKey: String, nowUnix: UInt64,
        event: @escaping @Sendable (UInt64) -> FleetEvent
    ) async throws(Fault) -> (job: UInt64, isNew: Bool) {
        guard rounds > 0 else { throw Fault(.invalid, "a job needs at least one round") }
        return try await write("create a job of \(plan)") { db in
            try requirePlan(plan, in: db)
            if let earlier = try jobWithKey(idempotencyKey, plan: plan, in: db) {
                guard earlier.rounds == rounds else {
                    throw Fault(
                        .conflict,
                        "the idempotency key belongs to job \(earlier.job), which wants"
                            + " \(earlier.rounds) rounds",
                        remedy: "use a new key, or ask for the same number of rounds")
                }
                return (earlier.job, false)
            }
            try db.execute(
                sql: """
                    INSERT INTO jobs (plan, rounds, state, idempotencyKey, createdUnix)
                        VALUES (?, ?, 'running', ?, ?)
                    """, arguments: [plan, rounds, idempotencyKey, nowUnix.storable])
            let job = UInt64(db.lastInsertedRowID)
            try append(event(job), to: db, nowUnix: nowUnix, adding: [Facet.job[job]])
            return (job, true)
        }
    }

    /// Says where the job stands; one that has ended stays as it ended. Not an event: its rounds are.
    ///
    /// - Throws: `notFound`.
    package func setJob(
        _ job: UInt64, state: String, detail: String, roundsDone: Int
    ) async throws(Fault) {
        try await write("note the state of job \(job)") { db in
            try db.execute(
                sql: """
                    UPDATE jobs SET state = ?, detail = ?, roundsDone = ?
                        WHERE id = ? AND state = 'running'
                    """, arguments: [state, detail, roundsDone, job.storable])
            guard db.changesCount == 0 else { return }
            _ = try stateOfJob(job, in: db)
        }
    }

    /// One job.
    ///
    /// - Throws: `notFound`.
    package func job(_ job: UInt64) async throws(Fault) -> StoredJob {
        try await read("read job \(job)") { db in
            let stored = try StoredJob.fetchOne(
                db, sql: "SELECT * FROM jobs WHERE id = ?", arguments: [job.storable])
            guard let stored else { throw Fault(.notFound, "there is no job \(job)") }
            return stored
        }
    }

    /// Ends a job that has not ended as `cancelled`; its round, if one is in flight, ends by itself.
    ///
    /// - Throws: `notFound`; `conflict` when it has ended.
    package func cancelJob(
        _ job: UInt64, detail: String, nowUnix: UInt64, event: FleetEvent
    ) async throws(Fault) {
        try await write("cancel job \(job)") { db in
            try db.execute(
                sql: """
                    UPDATE jobs SET state = 'cancelled', detail = ?
                        WHERE id = ? AND state = 'running'
                    """, arguments: [detail, job.storable])
            guard db.changesCount == 1 else {
                throw Fault(.conflict, "job \(job) is already \(try stateOfJob(job, in: db))")
            }
            try append(event, to: db, nowUnix: nowUnix)
        }
    }

    /// The newest job of a plan; 0 when it has none.
    package func lastJob(of plan: PlanID) async throws(Fault) -> UInt64 {
        try await read("look up the newest job of \(plan)") { db in
            try UInt64.fetchOne(
                db, sql: "SELECT MAX(id) FROM jobs WHERE plan = ?", arguments: [plan]) ?? 0
        }
    }

    /// How a job's rounds went, as they are history: how many it published, and why the newest that
    /// ended was abandoned, if it was.
    package func outcome(
        ofJob job: UInt64
    ) async throws(Fault) -> (published: Int, abandoned: String?) {
        try await read("count the rounds of job \(job)") { db in
            let published = try Int.fetchOne(
                db, sql: "SELECT COUNT(*) FROM rounds WHERE job = ? AND phase = 'published'",
                arguments: [job.storable])
            let last = try Row.fetchOne(
                db,
                sql: """
                    SELECT phase, reason FROM rounds WHERE job = ?
                        AND phase IN ('published', 'abandoned') ORDER BY id DESC LIMIT 1
                    """, arguments: [job.storable])
            guard let last, try last.value("phase") == RoundPhase.abandoned else {
                return (published ?? 0, nil)
            }
            return (published ?? 0, try last.value("reason") as String)
        }
    }

    /// Every job that has not ended, oldest first.
    package func openJobs() async throws(Fault) -> [StoredJob] {
        try await read("list the open jobs") { db in
            try StoredJob.fetchAll(
                db, sql: "SELECT * FROM jobs WHERE state = 'running' ORDER BY id")
        }
    }

    /// When the newest round of a plan started; nil before the first.
    package func lastRoundStart(of plan: PlanID) async throws(Fault) -> UInt64? {
        try await read("look up the newest round of \(plan)") { db in
            try UInt64.fetchOne(
                db,
                sql:
                    "SELECT startedUnixMilliseconds FROM rounds WHERE plan = ? ORDER BY id DESC LIMIT 1",
                arguments: [plan])
        }
    }

    /// Every job, oldest first.
    package func jobs() async throws(Fault) -> [StoredJob] {
        try await read("list the jobs") { db in
            try StoredJob.fetchAll(db, sql: "SELECT * FROM jobs ORDER BY id")
        }
    }
}

/// `running`, or how the job ended; throws `notFound`.
func stateOfJob(_ job: UInt64, in db: Database) throws -> String {
    let state = try String.fetchOne(
        db, sql: "SELECT state FROM jobs WHERE id = ?", arguments: [job.storable])
    guard let state else { throw Fault(.notFound, "there is no job \(job)") }
    return state
}

private func jobWithKey(_ key: String, plan: PlanID, in db: Database) throws -> StoredJob? {
    guard !key.isEmpty else { return nil }
    return try StoredJob.fetchOne(
        db, sql: "SELECT * FROM jobs WHERE plan = ? AND idempotencyKey = ?", arguments: [plan, key])
}

extension StoredJob: FetchableRecord {
    init(row: Row) throws {
        job = try row.value("id")
        plan = try row.value("plan")
        rounds = try row.value("rounds")
        roundsDone = try row.value("roundsDone")
        state = try row.value("state")
        detail = try row.value("detail")
        idempotencyKey = try row.value("idempotencyKey")
        createdUnix = try row.value("createdUnix")
    }
}

package import Federation
import GRDB

/// A plan in its current version.
package struct StoredPlan: Sendable, Equatable {
    package let plan: PlanID
    /// 1 for the first text applied under this name, then 2, 3 ...
    package let version: UInt64
    /// SHA-256 of the plan's text, a blob.
    package let digest: Digest
    package let population: String
    package let title: String
    package let appliedUnix: UInt64
    /// `preparing`, `ready` or `failed`.
    package let state: String
    /// The stage of preparing, or why it failed.
    package let detail: String
    /// The teacher's accuracy on the test data; nil until measured.
    package let accuracyTeacher: Double?
    /// The teacher that distillation after rounds goes on with, a blob; nil when there is none yet.
    package let teacherDigest: Digest?
    /// Since when, and why, none of its rounds starts; nil: they may.
    package let pause: StoredPause?
}

/// That no round of a plan starts.
package struct StoredPause: Sendable, Equatable {
    package let unix: UInt64
    /// In the words of whoever asked for it; may be empty.
    package let reason: String

    package init(unix: UInt64, reason: String) {
        self.unix = unix
        self.reason = reason
    }
}

extension Registry {
    /// Makes the text with `digest` the plan's current version, in state `preparing`; earlier
    /// versions are kept.
    ///
    /// - Returns: false, and changes nothing, when that text is already current.
    package func applyPlan(
        _ plan: PlanID, digest: Digest, population: String, title: String, nowUnix: UInt64,
        event: FleetEvent
    ) async throws(Fault) -> Bool {
        try await write("apply the plan \(plan)") { db in
            let current = try currentPlan(plan, in: db)
            guard current?.digest != digest else { return false }
            try requireAsSealed(Facet.plan[plan], in: db)
            let version = (current?.version ?? 0) + 1
            try db.execute(
                sql: """
                    INSERT INTO plans (id, currentVersion, state, detail)
                        VALUES (?, ?, 'preparing', '')
                        ON CONFLICT (id) DO UPDATE SET currentVersion = excluded.currentVersion,
                            state = 'preparing', detail = '', accuracyTeacher = NULL,
                            teacherDigest = NULL
                    """, arguments: [plan, version])
            try db.execute(
                sql: "INSERT INTO plan_versions VALUES (?, ?, ?, ?, ?, ?)",
                arguments: [plan, version, digest, population, title, nowUnix.storable])
            let changed = [Facet.plan[plan]]
            try append(
                event, to: db, nowUnix: nowUnix,
                adding: [Facet.planVersion[plan, version]] + (current == nil ? changed : []),
                sealing: current == nil ? [] : changed)
            return true
        }
    }

    /// Every plan in its current version, ordered by name.
    package func plans() async throws(Fault) -> [StoredPlan] {
        try await read("list the plans") { db in
            try StoredPlan.fetchAll(db, sql: StoredPlan.selection + " ORDER BY plans.id")
        }
    }

    /// The plan named `plan` in its current version.
    ///
    /// - Throws: `notFound`.
    package func plan(_ plan: PlanID) async throws(Fault) -> StoredPlan {
        try await read("read the plan \(plan)") { db in try requirePlan(plan, in: db) }
    }

    /// Says where the plan stands; nil keeps the teacher's accuracy as it is. Not an event.
    ///
    /// - Throws: `notFound`.
    package func setPlanState(
        _ plan: PlanID, state: String, detail: String, accuracyTeacher: Double?
    ) async throws(Fault) {
        try await write("note the state of the plan \(plan)") { db in
            try db.execute(
                sql: """
                    UPDATE plans SET state = ?, detail = ?,
                        accuracyTeacher = COALESCE(?, accuracyTeacher) WHERE id = ?
                    """, arguments: [state, detail, accuracyTeacher, plan])
            guard db.changesCount == 1 else { throw unknownPlan(plan) }
        }
    }

    /// Pauses the plan, or, when `pause` is nil, ends its pause.
    ///
    /// - Throws: `notFound`; `conflict` when it is paused, or not paused, already.
    package func setPause(
        _ plan: PlanID, _ pause: StoredPause?, nowUnix: UInt64, event: FleetEvent
    ) async throws(Fault) {
        try await write("\(pause == nil ? "resume" : "pause") the plan \(plan)") { db in
            let isPaused = try requirePlan(plan, in: db).pause != nil
            guard isPaused == (pause == nil) else {
                throw Fault(.conflict, "plan \(plan) is \(isPaused ? "already" : "not") paused")
            }
            try requireAsSealed(Facet.plan[plan], in: db)
            try db.execute(
                sql: "UPDATE plans SET pausedUnix = ?, pausedReason = ? WHERE id = ?",
                arguments: [pause?.unix.storable, pause?.reason, plan])
            try append(event, to: db, nowUnix: nowUnix, sealing: [Facet.plan[plan]])
        }
    }

    /// Keeps the teacher with `digest`, a blob, for distillation after rounds; another text of the
    /// plan begins without one. Nothing happens when it is kept already.
    ///
    /// - Throws: `notFound`.
    package func setTeacher(
        _ plan: PlanID, digest: Digest, nowUnix: UInt64, event: FleetEvent
    ) async throws(Fault) {
        try await write("keep the teacher of the plan \(plan)") { db in
            guard try requirePlan(plan, in: db).teacherDigest != digest else { return }
            try requireAsSealed(Facet.plan[plan], in: db)
            try db.execute(
                sql: "UPDATE plans SET teacherDigest = ? WHERE id = ?", arguments: [digest, plan])
            try append(event, to: db, nowUnix: nowUnix, sealing: [Facet.plan[plan]])
        }
    }
}

/// The plan named `plan` in its current version; throws `notFound`.
@discardableResult
func requirePlan(_ plan: PlanID, in db: Database) throws -> StoredPlan {
    guard let stored = try currentPlan(plan, in: db) else { throw unknownPlan(plan) }
    return stored
}

private func currentPlan(_ plan: PlanID, in db: Database) throws -> StoredPlan? {
    try StoredPlan.fetchOne(
        db, sql: StoredPlan.selection + " WHERE plans.id = ?", arguments: [plan])
}

private func unknownPlan(_ plan: PlanID) -> Fault {
    Fault(
        .notFound, "there is no plan \(plan)",
        remedy: "`tributary-coordinator plan list` shows every plan, `plan apply` adds one")
}

extension StoredPlan: FetchableRecord {
    static let selection = """
        SELECT plans.state, plans.detail, plans.accuracyTeacher, plans.teacherDigest,
            plans.pausedUnix, plans.pausedReason, plan_versions.*
            FROM plans JOIN plan_versions
            ON plan_versions.plan = plans.id AND plan_versions.version = plans.currentVersion
        """

    init(row: Row) throws {
        plan = try row.value("plan")
        version = try row.value("version")
        digest = try row.value("digest")
        population = try row.value("population")
        title = try row.value("title")
        appliedUnix = try row.value("appliedUnix")
        state = try row.value("state")
        detail = try row.value("detail")
        accuracyTeacher = try row.optional("accuracyTeacher")
        teacherDigest = try row.optional("teacherDigest")
        let pausedUnix: UInt64? = try row.optional("pausedUnix")
        let reason: String? = try row.optional("pausedReason")
        pause = pausedUnix.map { StoredPause(unix: $0, reason: reason ?? "") }
    }
}

package import Federation
import GRDB

/// A model version that an agent would not take into service.
package struct StoredRefusal: Sendable, Equatable {
    package let plan: PlanID
    package let version: UInt64
    /// The agent's words.
    package let reason: String

    package init(plan: PlanID, version: UInt64, reason: String) {
        self.plan = plan
        self.version = version
        self.reason = reason
    }
}

extension Registry {
    /// The most refusals that one agent's reports may add to the log.
    private static let mostPerAgent = 1000

    /// Notes that an agent would not take a model version into service.
    ///
    /// - Parameter model: SHA-256 of what it got as model.onnx.
    /// - Returns: false, and changes nothing, when it said so before.
    /// - Throws: `notFound` for an unknown agent; `exhausted` for one that refused too often.
    package func refuse(
        _ agent: AgentID, plan: PlanID, version: UInt64, model: Digest, reason: String,
        nowUnix: UInt64, event: FleetEvent
    ) async throws(Fault) -> Bool {
        try await write("note what \(agent) refused") { db in
            _ = try requireAgent(agent, in: db)
            try db.execute(
                sql: """
                    INSERT INTO refusals VALUES (?, ?, ?, ?, ?, ?)
                        ON CONFLICT (agent, plan, version, model) DO NOTHING
                    """,
                arguments: [
                    agent, plan, version.storable, model, reason, nowUnix.storable,
                ])
            guard db.changesCount == 1 else { return false }
            let count = try Int.fetchOne(
                db, sql: "SELECT COUNT(*) FROM refusals WHERE agent = ?", arguments: [agent])
            guard count ?? 0 <= Self.mostPerAgent else {
                throw Fault(
                    .exhausted, "\(agent) refused \(Self.mostPerAgent) models already",
                    remedy: "revoke the device if it cannot be repaired")
            }
            try append(
                event, to: db, nowUnix: nowUnix,
                adding: [Facet.refusal[agent, plan, version.storable, model]])
            return true
        }
    }

    /// What each agent refused last, of those that ever refused a model.
    package func lastRefusals() async throws(Fault) -> [AgentID: StoredRefusal] {
        try await read("look up what was refused") { db in
            // SQLite takes the other columns from the row that has the maximum.
            let rows = try Row.fetchAll(
                db,
                sql: """
                    SELECT agent, plan, version, reason, MAX(rowid) FROM refusals
                        GROUP BY agent
                    """)
            var last: [AgentID: StoredRefusal] = [:]
            for row in rows {
                last[try row.value("agent")] = StoredRefusal(
                    plan: try row.value("plan"), version: try row.value("version"),
                    reason: try row.value("reason"))
            }
            return last
        }
    }
}

package import Federation
import GRDB

/// An enrolled device as the coordinator knows it.
package struct StoredAgent: Sendable, Equatable {
    package let id: AgentID
    /// Serial number of its certificate, hexadecimal.
    package let certificateSerial: String
    /// SHA-256 of its certificate's DER.
    package let certificateDigest: Digest
    package let certificateExpiresUnix: UInt64
    /// SHA-256 of the certificate before, as long as that one counts as well: until the newer one
    /// is used.
    package let previousCertificateDigest: Digest?
    package let enrolledUnix: UInt64
    /// Last check-in, 0 before the first.
    package let lastSeenUnix: UInt64
    /// Of the agent's program, as it reported; empty before its first check-in, like the next two.
    package let version: String
    package let cpuFeatures: String
    package let memoryKiB: UInt64
    /// Of the trust set it last said it has; 0 before.
    package let trustSetVersion: UInt64
    /// When it was revoked; nil while it is active.
    package let revokedUnix: UInt64?
    package let revokedReason: String
    /// What it said at its last check-in, ordered by plan.
    package fileprivate(set) var plans: [Readiness]

    package var isRevoked: Bool { revokedUnix != nil }

    /// Whether the certificate with `digest` is one that it may show now.
    package func mayShow(certificate digest: Digest) -> Bool {
        digest == certificateDigest || digest == previousCertificateDigest
    }
}

extension Registry {
    /// Every agent ever enrolled, ordered by name.
    package func agents() async throws(Fault) -> [StoredAgent] {
        try await read("list the agents") { db in
            let plans = try Row.fetchAll(db, sql: "SELECT * FROM agent_plans ORDER BY plan")
            let byAgent = Dictionary(grouping: plans) { $0["agent"] as String }
            return try StoredAgent.fetchAll(db, sql: "SELECT * FROM agents ORDER BY id").map {
                var agent = $0
                agent.plans = try byAgent[agent.id.name, default: []].map(
                    Readiness.init(row:))
                return agent
            }
        }
    }

    /// At most `limit` agents whose names come after `after`, ordered by name.
    package func agents(after: String, limit: Int) async throws(Fault) -> Page<StoredAgent> {
        try await read("list the agents") { db in
            let agents = try StoredAgent.fetchAll(
                db, sql: "SELECT * FROM agents WHERE id > ? ORDER BY id LIMIT ?",
                arguments: [after, limit + 1])
            return try Page(agents, limit: limit).map { agent in
                var agent = agent
                agent.plans = try Readiness.fetchAll(
                    db.cachedStatement(
                        sql: "SELECT * FROM agent_plans WHERE agent = ? ORDER BY plan"),
                    arguments: [agent.id])
                return agent
            }
        }
    }

    /// How many active agents have each version of the program, the most frequent first; a device that has not checked in
    /// yet has the version "".
    package func agentVersions() async throws(Fault) -> [(version: String, agents: Int)] {
        try await read("count the agents by version") { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT version, COUNT(*) AS agents FROM agents WHERE revokedUnix IS NULL
                        GROUP BY version ORDER BY agents DESC, version
                    """
            ).map { (version: try $0.value("version"), agents: try $0.value("agents")) }
        }
    }

    /// The agent named `id`.
    ///
    /// - Throws: `notFound`.
    package func agent(_ id: AgentID) async throws(Fault) -> StoredAgent {
        try await read("read the agent \(id)") { db in
            var agent = try requireAgent(id, in: db)
            agent.plans = try Readiness.fetchAll(
                db, sql: "SELECT * FROM agent_plans WHERE agent = ? ORDER BY plan", arguments: [id])
            return agent
        }
    }

    /// Ends an agent's membership for good.
    ///
    /// - Throws: `notFound`; `conflict` when it is already revoked.
    package func revoke(
        _ agent: AgentID, reason: String, nowUnix: UInt64, event: FleetEvent
    ) async throws(Fault) {
        try await write("revoke \(agent)") { db in
            guard try !requireAgent(agent, in: db).isRevoked else {
                throw Fault(.conflict, "the agent \(agent) is already revoked")
            }
            try requireAsSealed(Facet.agent[agent], in: db)
            try db.execute(
                sql: "UPDATE agents SET revokedUnix = ?, revokedReason = ? WHERE id = ?",
                arguments: [nowUnix.storable, reason, agent])
            try append(event, to: db, nowUnix: nowUnix, sealing: [Facet.agent[agent]])
        }
    }

    /// Notes a check-in: what the agent is, and what it holds for each plan, replacing what it said
    /// before. Not an event.
    ///
    /// - Throws: `notFound`.
    package func sawAgent(
        _ agent: AgentID, nowUnix: UInt64, version: String, cpuFeatures: String,
        memoryKiB: UInt64, trustSetVersion: UInt64 = 0, plans: [Readiness]
    ) async throws(Fault) {
        try await write("note the check-in of \(agent)") { db in
            try db.execute(
                sql: """
                    UPDATE agents SET lastSeenUnix = ?, version = ?, cpuFeatures = ?,
                        memoryKiB = ?, trustSetVersion = ? WHERE id = ?
                    """,
                arguments: [
                    nowUnix.storable, version, cpuFeatures, memoryKiB.storable,
                    trustSetVersion.storable, agent,
                ])
            guard db.changesCount == 1 else { throw unknownAgent(agent) }
            try db.execute(sql: "DELETE FROM agent_plans WHERE agent = ?", arguments: [agent])
            for plan in plans {
                try db.execute(
                    sql: "INSERT OR REPLACE INTO agent_plans VALUES (?, ?, ?, ?, ?, ?)",
                    arguments: [
                        agent, plan.plan, plan.planDigest, plan.examples.storable,
                        plan.unreadable.storable, plan.modelVersion?.storable,
                    ])
            }
        }
    }
}

func requireAgent(_ id: AgentID, in db: Database) throws -> StoredAgent {
    guard let agent = try StoredAgent.fetchOne(db, key: id) else { throw unknownAgent(id) }
    return agent
}

private func unknownAgent(_ id: AgentID) -> Fault {
    Fault(
        .notFound, "there is no agent \(id)",
        remedy: "`tributary-coordinator agent list` shows every agent")
}

extension StoredAgent: FetchableRecord, TableRecord {
    static var databaseTableName: String { "agents" }

    init(row: Row) throws {
        id = try row.value("id")
        certificateSerial = try row.value("certificateSerial")
        certificateDigest = try row.value("certificateDigest")
        certificateExpiresUnix = try row.value("certificateExpiresUnix")
        let isNewestUsed = try row.optional("certificateUsedUnix") as UInt64? != nil
        previousCertificateDigest =
            isNewestUsed ? nil : try row.optional("previousCertificateDigest")
        enrolledUnix = try row.value("enrolledUnix")
        lastSeenUnix = try row.value("lastSeenUnix")
        version = try row.value("version")
        cpuFeatures = try row.value("cpuFeatures")
        memoryKiB = try row.value("memoryKiB")
        trustSetVersion = try row.value("trustSetVersion")
        revokedUnix = try row.optional("revokedUnix")
        revokedReason = try row.value("revokedReason")
        plans = []
    }
}

extension Readiness: FetchableRecord {
    init(row: Row) throws {
        self.init(
            plan: try row.value("plan"),
            planDigest: try row.optional("planDigest"),
            examples: try row.value("examples"),
            unreadable: try row.value("unreadable"),
            modelVersion: try row.optional("modelVersion"))
    }
}

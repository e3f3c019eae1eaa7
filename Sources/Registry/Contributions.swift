package import Federation
import GRDB

/// An update that was recorded for a round.
package struct StoredContribution: Sendable, Equatable {
    package let agent: AgentID
    package let updateDigest: Digest
    /// Whether it is missing from the sum: its bytes were lost with a coordinator that died, and did
    /// not come again, or the sum was closed first.
    package let isLost: Bool
}

/// An update that is to be recorded for a round.
package struct NewContribution: Sendable, Equatable {
    /// What became of it.
    package enum Record: Sendable, Equatable {
        case first
        /// The same update was on record.
        case again
        /// Another one was, and stays.
        case conflict
    }

    package let agent: AgentID
    package let updateDigest: Digest
    package let bytes: UInt64

    package init(agent: AgentID, updateDigest: Digest, bytes: UInt64) {
        self.agent = agent
        self.updateDigest = updateDigest
        self.bytes = bytes
    }
}

extension Registry {
    /// Stores whether `agent` was selected, once a (round, agent): a coin is never drawn again, not
    /// even in a new attempt.
    ///
    /// - Returns: the stored value, which is `selected` only if this is the first call.
    /// - Throws: `gone` when the round has ended or `at` is not its current attempt; `notFound`.
    package func recordCoin(
        _ at: RoundAttempt, agent: AgentID, selected: Bool
    ) async throws(Fault) -> Bool {
        try await write("store the coin of \(agent) in round \(at)") { db in
            try requireOpen(at, in: db)
            let stored = try Bool.fetchOne(
                db, sql: "SELECT selected FROM round_coins WHERE round = ? AND agent = ?",
                arguments: [at.round, agent])
            if let stored { return stored }
            try db.execute(
                sql: "INSERT INTO round_coins VALUES (?, ?, ?)",
                arguments: [at.round, agent, selected])
            return selected
        }
    }

    /// Whose coins were drawn for a round, and what they said.
    package func coins(of round: RoundID) async throws(Fault) -> [AgentID: Bool] {
        try await read("list the coins of round \(round)") { db in
            let coins = try Row.fetchAll(
                db, sql: "SELECT agent, selected FROM round_coins WHERE round = ?",
                arguments: [round])
            return try coins.reduce(into: [:]) { coins, row in
                let agent: AgentID = try row.value("agent")
                coins[agent] = try row.value("selected")
            }
        }
    }

    /// Notes that `agent`'s update, of `bytes` bytes, is counted in this attempt.
    ///
    /// - Returns: whether it is the first time.
    /// - Throws: `conflict` when another update of the agent was recorded; otherwise as
    ///   `recordContributions`.
    package func recordContribution(
        _ at: RoundAttempt, agent: AgentID, updateDigest: Digest, bytes: UInt64
    ) async throws(Fault) -> Bool {
        let update = NewContribution(agent: agent, updateDigest: updateDigest, bytes: bytes)
        guard let record = try await recordContributions(at, [update]).first, record != .conflict
        else {
            throw Fault(.conflict, "another update of \(agent) was recorded for round \(at)")
        }
        return record == .first
    }

    /// Notes that these updates are counted in this attempt. The same update may be counted again by a
    /// coordinator that lost it; another one may not take its place.
    ///
    /// - Returns: of each whether it is noted.
    /// - Throws: `gone` when the round takes no more updates or `at` is not its current attempt;
    ///   `notFound`. None is noted then.
    package func recordContributions(
        _ at: RoundAttempt, _ updates: [NewContribution]
    ) async throws(Fault) -> [NewContribution.Record] {
        try await write("count the updates of \(updates.count) agents in round \(at)") { db in
            // Later, what was recorded is what is in the sum.
            let phase = try requirePhase(of: at, in: db)
            guard phase == .selecting || phase == .training else {
                throw Fault(.gone, "round \(at.round) is \(phase.rawValue)")
            }
            let insertion = try db.cachedStatement(
                sql: """
                    INSERT INTO contributions VALUES (?, ?, ?, ?, ?, NULL)
                        ON CONFLICT (round, attempt, agent) DO NOTHING
                    """)
            let renewal = try db.cachedStatement(
                sql: """
                    UPDATE contributions SET lost = NULL
                        WHERE round = ? AND attempt = ? AND agent = ? AND updateDigest = ?
                    """)
            return try updates.map { update in
                try insertion.execute(arguments: [
                    at.round, at.attempt, update.agent, update.updateDigest,
                    update.bytes.storable,
                ])
                guard db.changesCount == 0 else { return .first }
                try renewal.execute(arguments: [
                    at.round, at.attempt, update.agent, update.updateDigest,
                ])
                return db.changesCount == 1 ? .again : .conflict
            }
        }
    }

    /// The updates recorded for this attempt, ordered by agent.
    package func contributions(
        of at: RoundAttempt
    ) async throws(Fault) -> [StoredContribution] {
        try await read("list the updates of round \(at)") { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT agent, updateDigest, lost IS NOT NULL AS isLost FROM contributions
                        WHERE round = ? AND attempt = ? ORDER BY agent
                    """, arguments: [at.round.number.storable, at.attempt]
            ).map { row in
                StoredContribution(
                    agent: try row.value("agent"), updateDigest: try row.value("updateDigest"),
                    isLost: try row.value("isLost"))
            }
        }
    }

    /// Adds to the round's count of payload bytes received and sent.
    ///
    /// - Throws: `gone` when the round has ended, which fixes them; `notFound`.
    package func addTraffic(
        _ at: RoundAttempt, bytesIn: UInt64, bytesOut: UInt64
    ) async throws(Fault) {
        try await write("count the traffic of round \(at)") { db in
            try requireOpen(at, in: db)
            try db.execute(
                sql:
                    "UPDATE rounds SET bytesIn = bytesIn + ?, bytesOut = bytesOut + ? WHERE id = ?",
                arguments: [bytesIn.storable, bytesOut.storable, at.round.number.storable])
        }
    }
}

/// Marks what was recorded for an attempt and is not in its sum.
func markLost(allBut counted: Set<AgentID>, in at: RoundAttempt, in db: Database) throws {
    let recorded = try AgentID.fetchAll(
        db,
        sql: """
            SELECT agent FROM contributions WHERE round = ? AND attempt = ? AND lost IS NULL
            """, arguments: [at.round, at.attempt])
    for agent in recorded where !counted.contains(agent) {
        try db.execute(
            sql: "UPDATE contributions SET lost = 1 WHERE round = ? AND attempt = ? AND agent = ?",
            arguments: [at.round, at.attempt, agent])
    }
}

/// Throws `gone` when the round has ended, or as `requirePhase`.
func requireOpen(_ at: RoundAttempt, in db: Database) throws {
    let phase = try requirePhase(of: at, in: db)
    guard !phase.isFinal else { throw Fault(.gone, "round \(at.round) is \(phase.rawValue)") }
}

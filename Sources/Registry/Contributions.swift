package import Federation
import GRDB

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

    /// Notes that `agent`'s update, of `bytes` bytes, is counted in this attempt.
    ///
    /// - Returns: false, and changes nothing, when it was counted before.
    /// - Throws: `gone` when the round has ended or `at` is not its current attempt; `notFound`.
    package func recordContribution(
        _ at: RoundAttempt, agent: AgentID, updateDigest: Digest, bytes: UInt64
    ) async throws(Fault) -> Bool {
        try await write("count the update of \(agent) in round \(at)") { db in
            try requireOpen(at, in: db)
            try db.execute(
                sql: """
                    INSERT INTO contributions VALUES (?, ?, ?, ?, ?)
                        ON CONFLICT (round, attempt, agent) DO NOTHING
                    """, arguments: [at.round, at.attempt, agent, updateDigest, bytes.storable])
            return db.changesCount == 1
        }
    }

    /// The updates counted in this attempt, ordered by agent.
    package func contributions(
        of at: RoundAttempt
    ) async throws(Fault) -> [(agent: AgentID, updateDigest: Digest)] {
        try await read("list the updates of round \(at)") { db in
            try Row.fetchAll(
                db,
                sql: """
                    SELECT agent, updateDigest FROM contributions WHERE round = ? AND attempt = ?
                        ORDER BY agent
                    """, arguments: [at.round.number.storable, at.attempt]
            ).map { (try $0.value("agent"), try $0.value("updateDigest")) }
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

/// Throws `gone` when the round has ended, or as `requirePhase`.
func requireOpen(_ at: RoundAttempt, in db: Database) throws {
    let phase = try requirePhase(of: at, in: db)
    guard !phase.isFinal else { throw Fault(.gone, "round \(at.round) is \(phase.rawValue)") }
}

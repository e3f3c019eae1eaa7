package import Federation
import GRDB

/// When the present phase of a round ends, by the monotonic clock of one boot of the machine: after
/// another boot it means nothing.
package struct StoredDeadline: Sendable, Equatable {
    package let bootID: String
    package let at: MonotonicInstant

    package init(bootID: String, at: MonotonicInstant) {
        self.bootID = bootID
        self.at = at
    }
}

/// Who took part in a round of a plan that does not keep it secret.
package struct StoredParticipation: Sendable, Equatable {
    /// The examples that the counted updates were trained on, and the updates that were refused.
    package let examples: UInt64
    package let rejected: Int

    package init(examples: UInt64, rejected: Int) {
        self.examples = examples
        self.rejected = rejected
    }
}

/// A round at its current attempt, with what has been counted for it.
package struct StoredRound: Sendable, Equatable {
    package let at: RoundAttempt
    package let plan: PlanID
    package let job: UInt64
    package let phase: RoundPhase
    /// Why it was abandoned; empty otherwise.
    package let reason: String
    /// The version that agents train from.
    package let baseVersion: UInt64
    package let rotationSeed: UInt64
    package let latticeID: Digest
    /// An adaptive clipping norm in this round, and, once it is released, after it; nil when the
    /// plan's own stays.
    package let clippingNorm: Float?
    package let nextClippingNorm: Float?
    package let startedUnixMilliseconds: UInt64
    /// When it was published or abandoned.
    package let endedUnixMilliseconds: UInt64?
    /// Blobs of the release: the noised sum, the new master weights, the optimiser's state. Nil
    /// before it.
    package let aggregateDigest: Digest?
    package let masterDigest: Digest?
    package let velocityDigest: Digest?
    /// From which the salts of the update commitments come; nil before the release.
    package let commitmentSecret: Digest?
    /// Nil before the release, and in private plans.
    package let participation: StoredParticipation?
    /// Nil once the sum is closed, and where an older version wrote the round.
    package let deadline: StoredDeadline?
    package let publishedVersion: UInt64?
    /// Test accuracy of the published version.
    package let accuracy: Double?
    /// Of distillation before it was published; nil when it was not tried.
    package let distillation: DistillationTrial?
    /// The population's total after the round's last charge; nil when it was not charged.
    package let epsilonAfter: Double?
    /// The attempt of that charge.
    package let chargedAttempt: UInt32?
    /// Agents whose coin said yes.
    package let selected: Int
    /// Updates counted in the current attempt.
    package let reported: Int
    /// Update payload received and model payload sent, in bytes.
    package let bytesIn: UInt64
    package let bytesOut: UInt64
    /// Which coordinator drives the round, and its fencing term.
    package let owner: String
    package let term: UInt64
    /// Every phase entered, oldest first.
    package internal(set) var history: [StoredPhase]
}

/// One step of a round's history.
package struct StoredPhase: Sendable, Equatable {
    package let attempt: UInt32
    package let phase: RoundPhase
    package let unixMilliseconds: UInt64
}

extension Registry {
    /// Rounds of `plan`, or of every plan when nil, oldest first.
    package func rounds(plan: PlanID?) async throws(Fault) -> [StoredRound] {
        try await read("list the rounds") { db in
            let steps = try Row.fetchAll(
                db,
                sql: """
                    SELECT round_history.* FROM round_history JOIN rounds ON rounds.id = round
                        WHERE ?1 IS NULL OR rounds.plan = ?1 ORDER BY step
                    """, arguments: [plan])
            let byRound = Dictionary(grouping: steps) { $0["round"] as Int64 }
            return try StoredRound.fetchAll(
                db,
                sql: StoredRound.selection
                    + " WHERE ?1 IS NULL OR rounds.plan = ?1 ORDER BY rounds.id", arguments: [plan]
            ).map {
                var round = $0
                round.history = try byRound[Int64(round.at.round.number), default: []]
                    .map(StoredPhase.init(row:))
                return round
            }
        }
    }

    /// One round.
    ///
    /// - Throws: `notFound`.
    package func round(_ id: RoundID) async throws(Fault) -> StoredRound {
        try await read("read round \(id)") { db in
            let round = try StoredRound.fetchOne(
                db, sql: StoredRound.selection + " WHERE rounds.id = ?",
                arguments: [id.number.storable])
            guard var round else { throw unknownRound(id) }
            round.history = try StoredPhase.fetchAll(
                db, sql: "SELECT * FROM round_history WHERE round = ? ORDER BY step",
                arguments: [id])
            return round
        }
    }

    /// Rounds neither published nor abandoned, oldest first, without their history: what a restarted
    /// coordinator must deal with.
    package func unfinishedRounds() async throws(Fault) -> [StoredRound] {
        try await read("list the unfinished rounds") { db in
            try StoredRound.fetchAll(
                db,
                sql: StoredRound.selection
                    + " WHERE rounds.phase NOT IN ('published', 'abandoned') ORDER BY rounds.id")
        }
    }
}

/// What a caller is told about a round that was never started.
func unknownRound(_ id: RoundID) -> Fault {
    Fault(
        .notFound, "there is no round \(id)",
        remedy: "`tributary-coordinator round list` shows every round")
}

extension StoredRound: FetchableRecord {
    static let selection = """
        SELECT rounds.*, models.accuracy, models.heldOutBefore, models.heldOutAfter,
            ledger.epsilonAfter, ledger.attempt AS chargedAttempt,
            (SELECT COUNT(*) FROM round_coins
                WHERE round_coins.round = rounds.id AND selected) AS selected,
            (SELECT COUNT(*) FROM contributions
                WHERE contributions.round = rounds.id
                    AND contributions.attempt = rounds.attempt AND lost IS NULL) AS reported
            FROM rounds
            LEFT JOIN models
                ON models.plan = rounds.plan AND models.version = rounds.publishedVersion
            LEFT JOIN ledger ON ledger.plan = rounds.plan AND ledger.round = rounds.id
                AND ledger.attempt = (SELECT MAX(attempt) FROM ledger AS charges
                    WHERE charges.plan = rounds.plan AND charges.round = rounds.id)
        """

    init(row: Row) throws {
        at = RoundAttempt(round: try row.value("id"), attempt: try row.value("attempt"))
        plan = try row.value("plan")
        job = try row.value("job")
        phase = try row.value("phase")
        reason = try row.value("reason")
        baseVersion = try row.value("baseVersion")
        rotationSeed = UInt64(bitPattern: try row.value("rotationSeed"))
        latticeID = try row.value("latticeID")
        clippingNorm = try row.optional("clippingNorm")
        nextClippingNorm = try row.optional("nextClippingNorm")
        startedUnixMilliseconds = try row.value("startedUnixMilliseconds")
        endedUnixMilliseconds = try row.optional("endedUnixMilliseconds")
        aggregateDigest = try row.optional("aggregateDigest")
        masterDigest = try row.optional("masterDigest")
        velocityDigest = try row.optional("velocityDigest")
        commitmentSecret = try row.optional("commitmentSecret")
        let examples: UInt64? = try row.optional("releasedExamples")
        let rejected: Int? = try row.optional("releasedRejected")
        participation = examples.map { StoredParticipation(examples: $0, rejected: rejected ?? 0) }
        let boot: String? = try row.optional("bootID")
        let nanoseconds: UInt64? = try row.optional("deadlineNanoseconds")
        if let boot, let nanoseconds {
            deadline = StoredDeadline(
                bootID: boot, at: MonotonicInstant(nanoseconds: nanoseconds))
        } else {
            deadline = nil
        }
        publishedVersion = try row.optional("publishedVersion")
        accuracy = try row.optional("accuracy")
        distillation = try DistillationTrial(row: row)
        epsilonAfter = try row.optional("epsilonAfter")
        chargedAttempt = try row.optional("chargedAttempt")
        selected = try row.value("selected")
        reported = try row.value("reported")
        bytesIn = try row.value("bytesIn")
        bytesOut = try row.value("bytesOut")
        owner = try row.value("owner")
        term = try row.value("term")
        history = []
    }
}

extension StoredPhase: FetchableRecord {
    init(row: Row) throws {
        attempt = try row.value("attempt")
        phase = try row.value("phase")
        unixMilliseconds = try row.value("unixMilliseconds")
    }
}

package import Federation
import GRDB

extension Registry {
    /// Starts a round of `plan` in phase `selecting`, attempt 1, and gives it a number never used
    /// before.
    ///
    /// - Parameters:
    ///   - baseVersion: the published version that agents train from.
    ///   - rotationSeed: of the round's lattice, whose id is `latticeID`.
    ///   - clippingNorm: of that lattice too, if clipping is adaptive.
    ///   - owner: which coordinator drives the round.
    ///   - deadline: when selection ends.
    ///   - event: makes the event once the round's number is known.
    /// - Throws: `conflict` when the plan has an unfinished round or the job has ended; `notFound` for
    ///   an unknown plan, job or version.
    package func startRound(
        plan: PlanID, job: UInt64, baseVersion: UInt64, rotationSeed: UInt64, latticeID: Digest,
        clippingNorm: Float? = nil, owner: String = "coordinator", deadline: StoredDeadline? = nil,
        nowUnixMilliseconds: UInt64, event: @escaping @Sendable (RoundAttempt) -> FleetEvent
    ) async throws(Fault) -> RoundAttempt {
        try await write("start a round of \(plan)") { db in
            try requirePlan(plan, in: db)
            try requireNoOpenRound(plan, in: db)
            try requireRunning(job: job, in: db)
            try db.execute(
                sql: """
                    INSERT INTO rounds (attempt, plan, job, phase, baseVersion, rotationSeed,
                        latticeID, clippingNorm, startedUnixMilliseconds, owner, bootID,
                        deadlineNanoseconds, term)
                        VALUES (1, ?, ?, 'selecting', ?, ?, ?, ?, ?, ?, ?, ?, 1)
                    """,
                arguments: [
                    plan, job.storable, baseVersion.storable, Int64(bitPattern: rotationSeed),
                    latticeID, clippingNorm, nowUnixMilliseconds.storable, owner,
                    deadline?.bootID, deadline?.at.nanoseconds.storable,
                ])
            let at = RoundAttempt(round: RoundID(UInt64(db.lastInsertedRowID)), attempt: 1)
            try note(.selecting, of: at, in: db, nowUnixMilliseconds: nowUnixMilliseconds)
            try append(
                event(at), to: db, nowUnix: nowUnixMilliseconds / 1000,
                adding: [Facet.roundStart[at.round]])
            return at
        }
    }

    /// Moves a round from phase `from` to `target`: selecting to training, or training to
    /// aggregating. The other phases are entered by `release`, `publish` and `abandon`, which store
    /// what they need.
    ///
    /// - Parameters:
    ///   - deadline: when the new phase ends; nil when it has none.
    ///   - counted: the agents whose updates are in the sum, which is closed when a round becomes
    ///     aggregating; nil when those of all that were recorded are.
    /// - Throws: `conflict` when the stored phase is not `from`, or the step is not one of the two;
    ///   `gone` when `at` is not the current attempt; `notFound`.
    package func transition(
        _ at: RoundAttempt, from: RoundPhase, to target: RoundPhase,
        deadline: StoredDeadline? = nil, counting counted: Set<AgentID>? = nil,
        nowUnixMilliseconds: UInt64, event: FleetEvent?
    ) async throws(Fault) {
        guard target == .training || target == .aggregating else {
            throw Fault(
                .conflict, "a round becomes \(target.rawValue) only together with its cause")
        }
        try await write("move round \(at) to \(target.rawValue)") { db in
            try move(at, from: from, to: target, in: db, nowUnixMilliseconds: nowUnixMilliseconds)
            try setDeadline(deadline, of: at, in: db)
            if let counted { try markLost(allBut: counted, in: at, in: db) }
            guard let event else { return }
            try append(event, to: db, nowUnix: nowUnixMilliseconds / 1000)
        }
    }

    /// Goes back to training with a round whose coordinator died while it aggregated: the sum is
    /// lost, and its updates have to come again. Where the attempt was charged, its noise may have
    /// been drawn, so that the next attempt begins.
    ///
    /// - Parameter event: makes the event of a new attempt.
    /// - Returns: the attempt that is collected for now.
    /// - Throws: `conflict` when the round is not aggregating; `gone` when `at` is not the current
    ///   attempt; `notFound`; `untrusted` when the round was changed from outside.
    package func collectAgain(
        _ at: RoundAttempt, deadline: StoredDeadline, nowUnixMilliseconds: UInt64,
        event: @escaping @Sendable (RoundAttempt) -> FleetEvent
    ) async throws(Fault) -> RoundAttempt {
        try await write("collect the updates of round \(at) again") { db in
            guard try requirePhase(of: at, in: db) == .aggregating else {
                throw try phaseConflict(at, to: .training, in: db)
            }
            try requireAsSealed(Facet.roundStart[at.round], in: db)
            let isCharged = try Bool.fetchOne(
                db, sql: "SELECT EXISTS (SELECT 1 FROM ledger WHERE round = ? AND attempt = ?)",
                arguments: [at.round, at.attempt])
            let next =
                isCharged == true
                ? RoundAttempt(round: at.round, attempt: at.attempt + 1) : at
            try db.execute(
                sql: "UPDATE rounds SET attempt = ?, phase = 'training' WHERE id = ?",
                arguments: [next.attempt, at.round])
            try setDeadline(deadline, of: next, in: db)
            try note(.training, of: next, in: db, nowUnixMilliseconds: nowUnixMilliseconds)
            if next != at {
                try append(
                    event(next), to: db, nowUnix: nowUnixMilliseconds / 1000,
                    sealing: [Facet.roundStart[at.round]])
            }
            return next
        }
    }

    /// Puts off the end of the present phase, as a restart does.
    ///
    /// - Throws: `gone` when the round has ended or `at` is not its current attempt; `notFound`.
    package func postpone(_ at: RoundAttempt, to deadline: StoredDeadline) async throws(Fault) {
        try await write("put off the deadline of round \(at)") { db in
            try requireOpen(at, in: db)
            try setDeadline(deadline, of: at, in: db)
        }
    }

    /// Ends a round without a new version, whatever phase it is in.
    ///
    /// - Throws: `conflict` when it has ended already; `gone` when `at` is not the current attempt;
    ///   `notFound`.
    package func abandon(
        _ at: RoundAttempt, reason: String, nowUnixMilliseconds: UInt64, event: FleetEvent
    ) async throws(Fault) {
        try await write("abandon round \(at)") { db in
            let phase = try requirePhase(of: at, in: db)
            try move(
                at, from: phase, to: .abandoned, in: db, nowUnixMilliseconds: nowUnixMilliseconds)
            try db.execute(
                sql: "UPDATE rounds SET reason = ? WHERE id = ?", arguments: [reason, at.round])
            try append(
                event, to: db, nowUnix: nowUnixMilliseconds / 1000, sealing: ended(at.round))
        }
    }

    /// Stores what a round made and moves it from aggregating to sealing. From then on these bytes
    /// are the result: a crash never adds the updates, or draws noise, again.
    ///
    /// - Parameters:
    ///   - aggregateDigest: blob of the noised integer sum.
    ///   - masterDigest: blob of the fp32 master weights after the server's step.
    ///   - velocityDigest: blob of the optimiser's state, nil when it has none.
    ///   - nextClippingNorm: C after the round, if clipping is adaptive.
    ///   - participation: who took part, for the version's card; nil in private plans, where it is
    ///     told to nobody.
    ///   - commitmentSecret: 32 bytes, from which the salts of the update commitments come.
    /// - Throws: `conflict` when the round is not aggregating; `gone` when `at` is not the current
    ///   attempt; `notFound`.
    package func release(
        _ at: RoundAttempt, aggregateDigest: Digest, masterDigest: Digest, velocityDigest: Digest?,
        nextClippingNorm: Float? = nil, participation: StoredParticipation? = nil,
        commitmentSecret: [UInt8], nowUnixMilliseconds: UInt64, event: FleetEvent
    ) async throws(Fault) {
        guard let secret = Digest(bytes: commitmentSecret) else {
            throw Fault(.invalid, "a commitment secret has \(Digest.byteCount) bytes")
        }
        try await write("release round \(at)") { db in
            guard try requirePhase(of: at, in: db) == .aggregating else {
                throw try phaseConflict(at, to: .sealing, in: db)
            }
            try db.execute(
                sql: """
                    UPDATE rounds SET aggregateDigest = ?, masterDigest = ?, velocityDigest = ?,
                        nextClippingNorm = ?, commitmentSecret = ?, releasedExamples = ?,
                        releasedRejected = ? WHERE id = ?
                    """,
                arguments: [
                    aggregateDigest, masterDigest, velocityDigest, nextClippingNorm, secret,
                    participation?.examples.storable, participation?.rejected, at.round,
                ])
            try move(
                at, from: .aggregating, to: .sealing, in: db,
                nowUnixMilliseconds: nowUnixMilliseconds)
            try append(
                event, to: db, nowUnix: nowUnixMilliseconds / 1000,
                sealing: [Facet.roundRelease[at.round]])
        }
        pins.settle(Set([aggregateDigest, masterDigest] + [velocityDigest].compactMap(\.self)))
    }

    /// Adds the sealed model and moves the round from sealing to published.
    ///
    /// - Parameter events: the last is `modelSigned`, the leaf that the model's proof is of.
    /// - Throws: `conflict` when the round is not sealing or the version is not the plan's next;
    ///   `invalid` when the model is of another plan or round, or no event signs it; `gone` when
    ///   `at` is not the current attempt; `notFound`.
    package func publish(
        _ at: RoundAttempt, model: StoredModel, nowUnixMilliseconds: UInt64, events: [FleetEvent]
    ) async throws(Fault) {
        try await write("publish round \(at)") { db in
            let plan = try PlanID.fetchOne(
                db, sql: "SELECT plan FROM rounds WHERE id = ?", arguments: [at.round])
            guard plan == nil || (model.plan == plan && model.round == at.round) else {
                throw Fault(.invalid, "the model is not one of round \(at.round)")
            }
            guard try requirePhase(of: at, in: db) == .sealing else {
                throw try phaseConflict(at, to: .published, in: db)
            }
            try insertNext(model, in: db)
            try move(
                at, from: .sealing, to: .published, in: db,
                nowUnixMilliseconds: nowUnixMilliseconds, version: model.version)
            let nowUnix = nowUnixMilliseconds / 1000
            for event in events.dropLast() { try append(event, to: db, nowUnix: nowUnix) }
            try appendSigned(
                model, by: events.last, to: db, nowUnix: nowUnix, sealing: ended(at.round))
        }
        pins.settle(model.blobs)
    }
}

/// What the end of a round fixes.
private func ended(_ round: RoundID) -> [FacetRows] {
    [
        Facet.round[round], Facet.roundStep[round], Facet.coin[round],
        Facet.contribution[round],
    ]
}

/// The stored phase; throws `notFound`, or `gone` when `at` is not the round's current attempt.
func requirePhase(of at: RoundAttempt, in db: Database) throws -> RoundPhase {
    let row = try Row.fetchOne(
        db.cachedStatement(sql: "SELECT phase, attempt FROM rounds WHERE id = ?"),
        arguments: [at.round.number.storable])
    guard let row else { throw unknownRound(at.round) }
    let attempt: UInt32 = try row.value("attempt")
    guard attempt == at.attempt else {
        throw Fault(.gone, "round \(at.round) is at attempt \(attempt), not \(at.attempt)")
    }
    return try row.value("phase")
}

/// Enters `target` if the stored phase is `from`, with a line of history; `version` only when it is
/// published.
private func move(
    _ at: RoundAttempt, from: RoundPhase, to target: RoundPhase, in db: Database,
    nowUnixMilliseconds: UInt64, version: UInt64? = nil
) throws {
    try db.execute(
        sql: """
            UPDATE rounds SET phase = ?, publishedVersion = ?, endedUnixMilliseconds = ?
                WHERE id = ? AND attempt = ? AND phase = ?
            """,
        arguments: [
            target, version, target.isFinal ? nowUnixMilliseconds.storable : nil,
            at.round.number.storable, at.attempt, from,
        ])
    guard db.changesCount == 1, from.mayBecome(target) else {
        throw try phaseConflict(at, to: target, in: db)
    }
    try note(target, of: at, in: db, nowUnixMilliseconds: nowUnixMilliseconds)
}

private func setDeadline(
    _ deadline: StoredDeadline?, of at: RoundAttempt, in db: Database
) throws {
    try db.execute(
        sql: "UPDATE rounds SET bootID = ?, deadlineNanoseconds = ? WHERE id = ?",
        arguments: [deadline?.bootID, deadline?.at.nanoseconds.storable, at.round])
}

private func phaseConflict(
    _ at: RoundAttempt, to target: RoundPhase, in db: Database
) throws -> Fault {
    let phase = try requirePhase(of: at, in: db)
    return Fault(
        .conflict, "round \(at) is \(phase.rawValue) and cannot become \(target.rawValue) now")
}

private func note(
    _ phase: RoundPhase, of at: RoundAttempt, in db: Database, nowUnixMilliseconds: UInt64
) throws {
    try db.execute(
        sql: """
            INSERT INTO round_history SELECT ?1, COUNT(*), ?2, ?3, ?4
                FROM round_history WHERE round = ?1
            """, arguments: [at.round, at.attempt, phase, nowUnixMilliseconds.storable])
}

private func requireNoOpenRound(_ plan: PlanID, in db: Database) throws {
    let open = try RoundID.fetchOne(
        db,
        sql: "SELECT id FROM rounds WHERE plan = ? AND phase NOT IN ('published', 'abandoned')",
        arguments: [plan])
    if let open {
        throw Fault(
            .conflict, "round \(open) of \(plan) has not ended",
            remedy: "wait for it, or stop it with `tributary-coordinator round cancel \(open)`")
    }
}

/// A job may be cancelled while its next round is being prepared.
private func requireRunning(job: UInt64, in db: Database) throws {
    let state = try stateOfJob(job, in: db)
    guard state == "running" else {
        throw Fault(
            .conflict, "job \(job) is \(state)",
            remedy: "start other rounds with `tributary-coordinator round start`")
    }
}

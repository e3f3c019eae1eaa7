import Cryptography
import Federation
import Logging
import Provenance
import Registry
import Wire

// The transparency log between the coordinator and its agents: proofs for them, and what their checkpoints say of us.

/// Why the coordinator's state cannot be the newest.
struct Rollback: Sendable, Equatable {
    /// Entries that an agent has seen of our log.
    let size: UInt64
    /// Entries that there are.
    let ours: UInt64
    /// Who showed it.
    let agent: AgentID

    var fault: Fault {
        Fault(
            .conflict,
            size > ours
                ? "this state is not the newest: agent \(agent) has seen \(size) entries of the log,"
                    + " signed with its key, and here are \(ours)"
                : "this state is not the newest: of the log's \(ours) entries the first \(size) are"
                    + " others than agent \(agent) has seen, signed with its key",
            remedy: "an older backup seems to have been restored: stop, bring back the newest state"
                + " directory, and start again; budgets spent since the backup are not known here, and"
                + " `tributary-coordinator restore --help` says what is left if there is no newer one"
        )
    }
}

extension Fleet {
    /// Nothing that spends privacy may begin on a state that was set back: it would be spent twice.
    ///
    /// - Throws: `conflict` saying what an agent has shown.
    func refuseIfRolledBack() throws(Fault) {
        if let rolledBack { throw rolledBack.fault }
    }

    /// What doctor says of it.
    func describeContinuity() throws(Fault) -> String {
        try refuseIfRolledBack()
        let count = presence.values.count { $0.checkpoint != nil }
        return "\(counted(count, "agent")) showed checkpoints that this log contains"
    }

    /// Looks at the checkpoint that an agent keeps of our log. Its signature is verified only when the log does not
    /// contain it: then it decides whether the agent errs or this state was set back.
    func compareLog(with note: [UInt8], of agent: AgentID) async throws(Fault) {
        guard rolledBack == nil, !note.isEmpty, presence[agent]?.checkpoint != note,
            let theirs = try? Checkpoint(text: SignedNote(parsing: note).text)
        else { return }
        let ours = try await registry.checkpoint().checkpoint
        if try await log(ours, contains: theirs) {
            presence[agent, default: Presence()].checkpoint = note
            return
        }
        guard (try? SignedCheckpoint(note: note, key: keys.log.verifier)) != nil else {
            log.warning(
                "an agent keeps a checkpoint that is not of this log",
                metadata: ["agent": "\(agent)", "size": "\(theirs.size)"])
            return
        }
        let rollback = Rollback(size: theirs.size, ours: ours.size, agent: agent)
        rolledBack = rollback
        log.error(
            "this coordinator's state was set back",
            metadata: [
                "agent": "\(agent)", "seen": "\(theirs.size)", "here": "\(ours.size)",
                "why": "\(rollback.fault)",
            ])
        progress.fire()
    }

    private func log(_ ours: Checkpoint, contains theirs: Checkpoint) async throws(Fault) -> Bool {
        guard theirs.origin == ours.origin, theirs.size <= ours.size else { return false }
        let path =
            theirs.size > 0
            ? try await registry.consistencyPath(from: theirs.size, to: ours.size) : []
        return LogTree.isConsistent(
            from: theirs.size, fromRoot: theirs.root, to: ours.size, toRoot: ours.root, path: path)
    }

    /// The proof that a model version is in the log, and what leads to it from the checkpoint that the agent keeps.
    ///
    /// - Throws: `notFound`.
    func logProof(_ request: LogProofRequest) async throws(Fault) -> Wire.LogProof {
        let id = try plan(named: request.plan).plan.id
        let proof = try await registry.modelProof(plan: id, version: request.version)
        let size = try SignedCheckpoint(note: proof.checkpoint, key: keys.log.verifier)
            .checkpoint.size
        // An agent that has seen more than there is finds out by the checkpoint.
        let consistency =
            request.fromSize <= size ? try await consistency(from: request.fromSize, to: size) : []
        return Wire.LogProof(proof: proof.encoded(), consistency: consistency)
    }

    /// Writes down, once, that an agent refuses a model.
    ///
    /// - Throws: `notFound` for a model that there is not; `unavailable` while the disk refuses writes.
    func note(_ refusal: ModelRefusal, by agent: AgentID) async throws(Fault) {
        let id = try plan(named: refusal.plan).plan.id
        guard let digest = Digest(bytes: refusal.modelDigest) else {
            throw Fault(
                .invalid, "a model's digest has \(Digest.byteCount) bytes",
                remedy: "update the agent or the coordinator: their versions do not fit")
        }
        _ = try await registry.model(id, version: refusal.version)
        let reason = String(refusal.reason.prefix(Self.longestReason))
        let event = FleetEvent(
            .modelRefused,
            [
                ("agent", .text(agent.name)), ("plan", .text(id.name)),
                ("version", .number(refusal.version)), ("model", .text(digest.hex)),
                ("reason", .text(reason)),
            ])
        let isNew = try await storing { () throws(Fault) in
            try await registry.refuse(
                agent, plan: id, version: refusal.version, model: digest, reason: reason,
                nowUnix: clock.unixSeconds, event: event)
        }
        guard isNew else { return }
        counts.modelsRefused += 1
        log.error(
            "an agent refuses a model",
            metadata: [
                "agent": "\(agent)", "plan": "\(id)", "version": "\(refusal.version)",
                "why": "\(reason)",
            ])
        progress.fire()
    }

    /// Characters of a device's reason that the log keeps.
    private static let longestReason = 1_000
}

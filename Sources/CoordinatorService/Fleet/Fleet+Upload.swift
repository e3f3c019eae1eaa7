import Aggregation
import Cryptography
import Federation
import Logging
import Registry
import Rounds
import UpdateCodec
import Wire

extension Fleet {
    /// The agent is alive; says whether its work is still wanted.
    func heartbeat(_ agent: AgentID, _ beat: Heartbeat) -> HeartbeatAck {
        let at = RoundAttempt(round: RoundID(beat.round), attempt: beat.attempt)
        guard let round = round(at), keys.isSubmitToken(beat.submitToken, at, agent: agent) else {
            return HeartbeatAck(wanted: false, leaseSeconds: 0)
        }
        let wanted = round.machine.heartbeat(from: agent, now: clock.now)
        return HeartbeatAck(
            wanted: wanted, leaseSeconds: UInt32(max(1, round.machine.rules.leaseSeconds)))
    }

    /// The agent cannot finish: the round goes on without it.
    func decline(_ agent: AgentID, _ decline: Decline) {
        let at = RoundAttempt(round: RoundID(decline.round), attempt: decline.attempt)
        guard let round = round(at), keys.isSubmitToken(decline.submitToken, at, agent: agent)
        else { return }
        logMember(agent, of: round, "agent declined", reason: "\(decline.reason)")
        remove(agent, from: round)
    }

    /// Logs what befell a member of a round. Who is in a private one stays out of the log.
    private func logMember(
        _ agent: AgentID, of round: ActiveRound, _ what: Logger.Message, reason: String
    ) {
        let who: Logger.Metadata =
            round.machine.rules.isPrivate
            ? ["plan": "\(round.plan.plan.id)"] : ["agent": "\(agent)", "round": "\(round.at)"]
        log.warning(what, metadata: who.merging(["reason": "\(reason)"]) { old, _ in old })
    }

    /// Whether an update is still wanted, and from which offset.
    func probe(_ agent: AgentID, _ probe: SubmitProbe) -> SubmitVerdict {
        let at = RoundAttempt(round: RoundID(probe.round), attempt: probe.attempt)
        guard keys.isSubmitToken(probe.submitToken, at, agent: agent) else {
            return .rejected(.badToken)
        }
        guard let round = round(at) else { return .gone }
        if let verdict = settled(agent, in: round) { return verdict }
        let upload = round.uploads[agent]
        return .wanted(
            offset: upload?.header.digest.bytes == probe.updateDigest ? upload?.offset ?? 0 : 0)
    }

    /// Opens or resumes an upload.
    func begin(_ agent: AgentID, _ header: SubmitHeader) -> SubmitVerdict {
        let at = RoundAttempt(round: RoundID(header.round), attempt: header.attempt)
        guard keys.isSubmitToken(header.submitToken, at, agent: agent) else {
            return .rejected(.badToken)
        }
        guard let round = round(at) else { return .gone }
        if let verdict = settled(agent, in: round) { return verdict }
        guard let latticeID = Digest(bytes: header.latticeId),
            let digest = Digest(bytes: header.updateDigest), header.updatesSummed == 1,
            header.size <= UInt64(Int32.max)
        else { return reject(agent, in: round, .malformed) }
        let expected = Upload.Header(
            latticeID: latticeID, baseVersion: header.baseVersion, examples: header.examples,
            withinClip: header.withinClip, size: Int(header.size), digest: digest)
        if let refusal = Upload.refusal(
            of: expected, lattice: round.lattice, latticeID: round.latticeID,
            baseVersion: round.base.version, maxExamples: round.plan.plan.round.maxExamples)
        {
            return reject(agent, in: round, refusal)
        }
        guard round.machine.uploadMoved(from: agent, now: clock.now) else { return .gone }
        if round.uploads[agent]?.header != expected { round.uploads[agent] = Upload(expected) }
        return .wanted(offset: round.uploads[agent]?.offset ?? 0)
    }

    /// A piece of an upload. Returns false when it does not fit, which ends the upload.
    func receive(_ agent: AgentID, _ at: RoundAttempt, _ chunk: SubmitChunk) -> Bool {
        guard let round = round(at), round.uploads[agent] != nil,
            round.machine.uploadMoved(from: agent, now: clock.now)
        else { return true }
        round.bytesIn += UInt64(chunk.data.count)
        return round.uploads[agent]?.append(chunk.data, at: chunk.offset) ?? false
    }

    /// Checks a complete update and adds it to the round's sum, at most once.
    func finish(_ agent: AgentID, _ at: RoundAttempt) async throws(Fault) -> SubmitVerdict {
        guard let round = round(at) else { return .gone }
        if let verdict = settled(agent, in: round) { return verdict }
        guard let upload = round.uploads[agent], upload.isComplete else {
            return .wanted(offset: round.uploads[agent]?.offset ?? 0)
        }
        guard !round.finishing.contains(agent) else { return .duplicate }
        guard SHA256.digest(of: upload.bytes) == upload.header.digest else {
            return reject(agent, in: round, .digestMismatch)
        }
        let update: CheckedUpdate
        do throws(UpdateRejectionError) { update = try checked(upload, of: round) } catch {
            return reject(agent, in: round, error.reason)
        }
        round.finishing.insert(agent)
        defer { round.finishing.remove(agent) }
        // Durable first: after a crash an update that was recorded is at worst asked for again, never counted twice.
        _ = try await registry.recordContribution(
            at, agent: agent, updateDigest: upload.header.digest,
            bytes: UInt64(upload.bytes.count))
        if let verdict = settled(agent, in: round) { return verdict }
        do throws(UpdateRejectionError) { try round.sum.fold(update) } catch {
            return reject(agent, in: round, error.reason)
        }
        _ = round.machine.reported(by: agent)
        round.uploads[agent] = nil
        round.events.fire()
        progress.fire()
        return .accepted
    }

    private func checked(
        _ upload: Upload, of round: ActiveRound
    ) throws(UpdateRejectionError) -> CheckedUpdate {
        guard let elements = UpdateElements(packed: upload.bytes, on: round.lattice) else {
            throw UpdateRejectionError(reason: .malformed)
        }
        return try round.sum.checked(
            elements, weight: round.plan.plan.updateWeight(examples: upload.header.examples),
            withinClip: upload.header.withinClip)
    }

    /// The upload does not fit together: a chunk left a gap or went past the end, or there was no header.
    func refuseUpload(_ agent: AgentID, _ at: RoundAttempt) -> SubmitVerdict {
        guard let round = round(at) else { return .gone }
        return settled(agent, in: round) ?? reject(agent, in: round, .malformed)
    }

    /// The active round of this attempt; nil when it is over.
    private func round(_ at: RoundAttempt) -> ActiveRound? {
        rounds.values.first { $0.at == at && $0.machine.isOpen }
    }

    /// The verdict when there is nothing left to send; nil while the update is wanted.
    private func settled(_ agent: AgentID, in round: ActiveRound) -> SubmitVerdict? {
        guard round.machine.isOpen else { return .gone }
        switch round.machine.standing(of: agent) {
        case .none: return .rejected(.notSelected)
        case .reported: return .duplicate
        case .declined: return .gone
        case .training, .uploading, .lapsed: return nil
        }
    }

    private func reject(
        _ agent: AgentID, in round: ActiveRound, _ reason: UpdateRejection
    ) -> SubmitVerdict {
        logMember(
            agent, of: round, "update rejected", reason: "\(reason.rawValue)")
        round.rejected += 1
        remove(agent, from: round)
        return .rejected(reason)
    }

    /// An agent's error removes that agent from the round, never the round.
    private func remove(_ agent: AgentID, from round: ActiveRound) {
        round.machine.declined(by: agent)
        round.uploads[agent] = nil
        round.events.fire()
        progress.fire()
    }
}

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
        guard let round = round(at, orLater: true),
            keys.isSubmitToken(beat.submitToken, at, agent: agent)
        else {
            return HeartbeatAck(wanted: false, leaseSeconds: 0)
        }
        let wanted = round.machine.heartbeat(from: agent, now: clock.now)
        return HeartbeatAck(
            wanted: wanted, leaseSeconds: UInt32(max(1, round.machine.rules.leaseSeconds)))
    }

    /// The agent cannot finish: the round goes on without it.
    func decline(_ agent: AgentID, _ decline: Decline) {
        let at = RoundAttempt(round: RoundID(decline.round), attempt: decline.attempt)
        guard let round = round(at, orLater: true),
            keys.isSubmitToken(decline.submitToken, at, agent: agent)
        else { return }
        counts[round.plan.plan.id].declined += 1
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
        guard let round = round(at) else { return verdictOfClosed(at, for: agent) }
        if let verdict = settled(agent, in: round) { return verdict }
        let upload = round.uploads[agent]
        return .wanted(
            offset: upload?.header.digest.bytes == probe.updateDigest ? upload?.offset ?? 0 : 0)
    }

    /// Opens or resumes an upload.
    ///
    /// - Returns: the verdict, and what takes the update when it is wanted.
    func begin(_ agent: AgentID, _ header: SubmitHeader) -> (SubmitVerdict, IncomingUpload?) {
        let at = RoundAttempt(round: RoundID(header.round), attempt: header.attempt)
        let verdict = open(agent, at, header)
        guard case .wanted = verdict else { return (verdict, nil) }
        return (verdict, upload(of: agent, at))
    }

    /// What takes the agent's update; nil while it has no place.
    func upload(of agent: AgentID, _ at: RoundAttempt) -> IncomingUpload? {
        round(at)?.uploads[agent]
    }

    private func open(
        _ agent: AgentID, _ at: RoundAttempt, _ header: SubmitHeader
    ) -> SubmitVerdict {
        guard keys.isSubmitToken(header.submitToken, at, agent: agent) else {
            return .rejected(.badToken)
        }
        guard let round = round(at) else { return verdictOfClosed(at, for: agent) }
        if let verdict = settled(agent, in: round) { return verdict }
        guard let latticeID = Digest(bytes: header.latticeId),
            let digest = Digest(bytes: header.updateDigest), header.updatesSummed == 1,
            header.size <= UInt64(Int32.max), header.metrics.isEmpty
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
        // What was recorded before a restart may come again; nothing else takes its place.
        if let recorded = round.recorded[agent], recorded != digest {
            return reject(agent, in: round, .digestMismatch)
        }
        if round.finishing.contains(agent) { return .later(seconds: 1) }
        // Whoever waits for a place to upload is no more late than who uploads.
        guard round.machine.uploadMoved(from: agent, now: clock.now) else { return .gone }
        if storage != .serving {
            drop(agent, from: round)
            return .later(seconds: Self.secondsUntilStored)
        }
        endUploads(of: agent, but: round)
        if let seconds = secondsToWait(for: expected.size, from: agent) {
            drop(agent, from: round)
            return .later(seconds: seconds)
        }
        if round.uploads[agent]?.header != expected {
            drop(agent, from: round)
            round.uploads[agent] = IncomingUpload(
                expected, in: spareMemory.take(for: expected.size), now: clock.now)
        }
        return .wanted(offset: round.uploads[agent]?.offset ?? 0)
    }

    /// When an agent is to submit again whose update the disk does not take.
    static let secondsUntilStored = 10.0

    /// Takes a place for an update of `bytes` bytes.
    ///
    /// - Returns: when to ask again; nil when there is a place.
    private func secondsToWait(for bytes: Int, from agent: AgentID) -> Double? {
        if !slots.hasRoom(for: bytes) {
            for holder in slots.holding where !isUploading(holder) { slots.release(holder) }
        }
        switch slots.wants(agent, bytes: bytes, now: clock.now, random: &random) {
        case .later(let seconds): return seconds
        case .admitted(let evicted):
            for round in rounds.values {
                for agent in evicted { drop(agent, from: round) }
            }
            return nil
        }
    }

    private func isUploading(_ agent: AgentID) -> Bool {
        rounds.values.contains {
            $0.machine.isOpen && ($0.uploads[agent] != nil || $0.finishing.contains(agent))
        }
    }

    /// A device sends one update at a time, and has one place: what it began elsewhere it begins again.
    private func endUploads(of agent: AgentID, but round: ActiveRound) {
        for other in rounds.values where other !== round && other.uploads[agent] != nil {
            drop(agent, from: other)
            slots.release(agent)
        }
    }

    /// The round takes no more: what has come of unfinished uploads is thrown away.
    func endUploads(of round: ActiveRound) {
        for agent in Array(round.uploads.keys) {
            drop(agent, from: round)
            slots.release(agent)
        }
        spareMemory = SpareMemory()
    }

    /// What has come of the agent's upload is thrown away.
    func drop(_ agent: AgentID, from round: ActiveRound) {
        guard let upload = round.uploads.removeValue(forKey: agent) else { return }
        round.bytesIn += upload.takeUncounted()
        upload.end()
    }

    /// Pieces of an upload arrive.
    func uploadMoves(_ agent: AgentID, _ at: RoundAttempt) {
        guard let round = round(at), let upload = round.uploads[agent],
            round.machine.uploadMoved(from: agent, now: clock.now)
        else { return }
        slots.moved(agent, now: clock.now)
        round.bytesIn += upload.takeUncounted()
    }

    /// The upload does not fit together: a chunk left a gap or went past the end, or there was no header.
    func refuseUpload(_ agent: AgentID, _ at: RoundAttempt) -> SubmitVerdict {
        guard let round = round(at) else { return verdictOfClosed(at, for: agent) }
        return settled(agent, in: round) ?? reject(agent, in: round, .malformed)
    }

    /// The active round of this attempt; nil when it is over.
    ///
    /// - Parameter orLater: whether a later attempt of the same round, which wants the same work, will do.
    func round(_ at: RoundAttempt, orLater: Bool = false) -> ActiveRound? {
        rounds.values.first { round in
            round.machine.isOpen
                && (round.at == at
                    || orLater && round.at.round == at.round && round.at.attempt > at.attempt)
        }
    }

    /// The verdict on an update of an attempt that takes none. An agent keeps what may be asked for again: what is in a sum
    /// that is not released yet, and what a later attempt wants, to which its next check-in leads.
    func verdictOfClosed(_ at: RoundAttempt, for agent: AgentID) -> SubmitVerdict {
        if round(at, orLater: true) != nil { return .later(seconds: 0) }
        let unreleased = rounds.values.first {
            $0.at == at && ($0.phase == .training || $0.phase == .aggregating)
        }
        guard let unreleased, unreleased.machine.standing(of: agent) != .declined else {
            return .gone
        }
        return unreleased.counted[agent] != nil
            ? .duplicate : .later(seconds: Self.secondsUntilReleased)
    }

    /// When an agent that came too late is to ask again whether that is final: should this process die before the release,
    /// its update is wanted after all.
    private static let secondsUntilReleased = 2.0

    /// The verdict when there is nothing left to send; nil while the update is wanted.
    func settled(_ agent: AgentID, in round: ActiveRound) -> SubmitVerdict? {
        guard round.machine.isOpen else { return verdictOfClosed(round.at, for: agent) }
        switch round.machine.standing(of: agent) {
        case .none: return .rejected(.notSelected)
        case .reported: return .duplicate
        case .declined: return .gone
        case .training, .uploading, .lapsed: return nil
        }
    }

    func reject(
        _ agent: AgentID, in round: ActiveRound, _ reason: UpdateRejection
    ) -> SubmitVerdict {
        logMember(
            agent, of: round, "update rejected", reason: "\(reason.rawValue)")
        round.rejected += 1
        counts[round.plan.plan.id].rejected[reason, default: 0] += 1
        remove(agent, from: round)
        return .rejected(reason)
    }

    /// An agent's error removes that agent from the round, never the round.
    private func remove(_ agent: AgentID, from round: ActiveRound) {
        round.machine.declined(by: agent)
        round.givenUp += 1
        drop(agent, from: round)
        slots.release(agent)
        round.events.fire()
        progress.fire()
    }
}

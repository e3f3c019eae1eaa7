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
    func begin(_ agent: AgentID, _ header: SubmitHeader) -> SubmitVerdict {
        let at = RoundAttempt(round: RoundID(header.round), attempt: header.attempt)
        guard keys.isSubmitToken(header.submitToken, at, agent: agent) else {
            return .rejected(.badToken)
        }
        guard let round = round(at) else { return verdictOfClosed(at, for: agent) }
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
        // What was recorded before a restart may come again; nothing else takes its place.
        if let recorded = round.recorded[agent], recorded != digest {
            return reject(agent, in: round, .digestMismatch)
        }
        if round.finishing.contains(agent) { return .later(seconds: 1) }
        // Whoever waits for a place to upload is no more late than who uploads.
        guard round.machine.uploadMoved(from: agent, now: clock.now) else { return .gone }
        if storage != .serving {
            round.uploads[agent] = nil
            return .later(seconds: Self.secondsUntilStored)
        }
        endUploads(of: agent, but: round)
        if let seconds = secondsToWait(for: expected.size, from: agent) {
            round.uploads[agent] = nil
            return .later(seconds: seconds)
        }
        if round.uploads[agent]?.header != expected { round.uploads[agent] = Upload(expected) }
        return .wanted(offset: round.uploads[agent]?.offset ?? 0)
    }

    /// When an agent is to submit again whose update the disk does not take.
    private static let secondsUntilStored = 10.0

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
                for agent in evicted { round.uploads[agent] = nil }
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
            other.uploads[agent] = nil
            slots.release(agent)
        }
    }

    /// The round takes no more: what has come of unfinished uploads is thrown away.
    func endUploads(of round: ActiveRound) {
        for agent in round.uploads.keys { slots.release(agent) }
        round.uploads = [:]
    }

    /// A piece of an upload. Returns false when it does not fit, which ends the upload.
    func receive(_ agent: AgentID, _ at: RoundAttempt, _ chunk: SubmitChunk) -> Bool {
        guard let round = round(at), round.uploads[agent] != nil,
            round.machine.uploadMoved(from: agent, now: clock.now)
        else { return true }
        slots.moved(agent, now: clock.now)
        round.bytesIn += UInt64(chunk.data.count)
        return round.uploads[agent]?.append(chunk.data, at: chunk.offset) ?? false
    }

    /// Checks a complete update and adds it to the round's sum, at most once.
    func finish(_ agent: AgentID, _ at: RoundAttempt) async throws(Fault) -> SubmitVerdict {
        guard let round = round(at) else { return verdictOfClosed(at, for: agent) }
        if let verdict = settled(agent, in: round) { return verdict }
        guard !round.finishing.contains(agent) else { return .duplicate }
        // Another may have taken its place meanwhile.
        guard let upload = round.uploads[agent] else { return .later(seconds: 1) }
        guard upload.isComplete else { return .wanted(offset: upload.offset) }
        round.finishing.insert(agent)
        defer {
            round.finishing.remove(agent)
            slots.finished(agent, now: clock.now)
        }
        round.uploads[agent] = nil
        switch try await count(upload, of: agent, in: round) {
        case .success(let verdict): return verdict
        case .failure(let rejection): return reject(agent, in: round, rejection.reason)
        }
    }

    /// Records an upload and adds it to the sum.
    private func count(
        _ upload: Upload, of agent: AgentID, in round: ActiveRound
    ) async throws(Fault) -> Result<SubmitVerdict, UpdateRejectionError> {
        let digest = upload.header.digest
        let bytes = upload.bytes.count
        let update: CheckedUpdate
        switch try await checked(upload, of: round) {
        case .success(let checked): update = checked
        case .failure(let rejection): return .failure(rejection)
        }
        // Durable first: after a crash an update that was recorded is at worst asked for again, never counted twice.
        do throws(Fault) {
            _ = try await registry.recordContribution(
                round.at, agent: agent, updateDigest: digest, bytes: UInt64(bytes))
        } catch {
            switch error.code {
            case .conflict: return .failure(UpdateRejectionError(reason: .digestMismatch))
            case .gone: return .success(verdictOfClosed(round.at, for: agent))
            // The agent keeps what the disk does not take.
            case .storage: return .success(.later(seconds: Self.secondsUntilStored))
            default: throw error
            }
        }
        round.recorded[agent] = digest
        await round.turns.begin(isolation: self)
        defer { round.turns.end() }
        if let verdict = settled(agent, in: round) { return .success(verdict) }
        let total = round.total
        let folding = try await away(bytes) {
            Result { () throws(UpdateRejectionError) in try total.fold(update) }
        }
        if case .failure(let rejection) = folding { return .failure(rejection) }
        round.counted[agent] = digest
        // Who has reported is not asked again: this is what keeps an update from counting twice.
        if surroundings.plantedBug != .countsUpdatesTwice {
            _ = round.machine.reported(by: agent)
        }
        round.events.fire()
        progress.fire()
        return .success(.accepted)
    }

    private func checked(
        _ upload: Upload, of round: ActiveRound
    ) async throws(Fault) -> Result<CheckedUpdate, UpdateRejectionError> {
        let total = round.total
        let lattice = round.lattice
        let weight = round.plan.plan.updateWeight(examples: upload.header.examples)
        return try await away(upload.bytes.count) {
            Result { () throws(UpdateRejectionError) in
                try total.checked(upload, on: lattice, weight: weight)
            }
        }
    }

    /// An update up to this size is looked at faster than handed over.
    private static let smallUpdateBytes = 64 << 10

    /// Does what takes time in proportion to an update's size: that of a large one elsewhere, so that agents are served
    /// meanwhile.
    private func away<Value: Sendable>(
        _ bytes: Int, _ body: @escaping @Sendable () -> Value
    ) async throws(Fault) -> Value {
        guard bytes > Self.smallUpdateBytes else { return body() }
        return try await compute { () throws(Fault) in body() }
    }

    /// The upload does not fit together: a chunk left a gap or went past the end, or there was no header.
    func refuseUpload(_ agent: AgentID, _ at: RoundAttempt) -> SubmitVerdict {
        guard let round = round(at) else { return verdictOfClosed(at, for: agent) }
        return settled(agent, in: round) ?? reject(agent, in: round, .malformed)
    }

    /// The active round of this attempt; nil when it is over.
    ///
    /// - Parameter orLater: whether a later attempt of the same round, which wants the same work, will do.
    private func round(_ at: RoundAttempt, orLater: Bool = false) -> ActiveRound? {
        rounds.values.first { round in
            round.machine.isOpen
                && (round.at == at
                    || orLater && round.at.round == at.round && round.at.attempt > at.attempt)
        }
    }

    /// The verdict on an update of an attempt that takes none. An agent keeps what may be asked for again: what is in a sum
    /// that is not released yet, and what a later attempt wants, to which its next check-in leads.
    private func verdictOfClosed(_ at: RoundAttempt, for agent: AgentID) -> SubmitVerdict {
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
    private func settled(_ agent: AgentID, in round: ActiveRound) -> SubmitVerdict? {
        guard round.machine.isOpen else { return verdictOfClosed(round.at, for: agent) }
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
        slots.release(agent)
        round.events.fire()
        progress.fire()
    }
}

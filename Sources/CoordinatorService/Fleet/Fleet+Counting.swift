import Aggregation
import Federation
import Registry
import Rounds
import Wire

extension Fleet {
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
        round.bytesIn += upload.takeUncounted()
        guard let bytes = upload.end() else { return reject(agent, in: round, .digestMismatch) }
        let update = FinishedUpdate(of: agent, header: upload.header, bytes: bytes)
        switch await outcome(of: update, in: round) {
        case .verdict(let verdict): return verdict
        case .refusal(let reason): return reject(agent, in: round, reason)
        case .fault(let fault): throw fault
        }
    }

    /// Waits until the update is counted, with those that come meanwhile: whoever comes first counts all that wait.
    private func outcome(
        of update: FinishedUpdate, in round: ActiveRound
    ) async -> FinishedUpdate.Outcome {
        round.finished.append(update)
        while true {
            if let outcome = update.outcome { return outcome }
            if update.isTaken || round.batches >= Self.mostBatches {
                await withCheckedContinuation { update.waiter = $0 }
                continue
            }
            round.batches += 1
            let batch = round.takeFinished(mostBytes: Self.mostBatchBytes)
            await count(batch, in: round)
            round.batches -= 1
            for counted in batch { spareMemory.give(counted.takeBytes()) }
            for other in batch { other.waiter.take()?.resume() }
            round.finished.first?.waiter.take()?.resume()
        }
    }

    /// While the updates of one batch wait for the disk, those of the next are looked at.
    private static let mostBatches = 2
    /// Of one batch: wide updates are counted beside one another, and none waits for many.
    private static let mostBatchBytes = 16 << 20

    /// Records updates and adds them to the sum.
    private func count(_ batch: [FinishedUpdate], in round: ActiveRound) async {
        do throws(Fault) {
            try await check(batch, in: round)
            try await record(batch.filter { $0.outcome == nil }, in: round)
            await round.turns.begin(isolation: self)
            defer { round.turns.end() }
            try await fold(batch.filter { $0.outcome == nil }, in: round)
        } catch {
            for update in batch where update.outcome == nil { update.outcome = .fault(error) }
        }
    }

    private func check(_ batch: [FinishedUpdate], in round: ActiveRound) async throws(Fault) {
        let total = round.total
        let plan = round.plan.plan
        let updates = batch.map { ($0.bytes, $0.header) }
        let checked = try await away(bytes: updates.reduce(0) { $0 + $1.0.count }) {
            updates.map { bytes, header in
                Result { () throws(UpdateRejectionError) in
                    try total.checked(
                        bytes, withinClip: header.withinClip,
                        weight: plan.updateWeight(examples: header.examples))
                }
            }
        }
        for (update, result) in zip(batch, checked) {
            switch result {
            case .success(let checked): update.checked = checked
            case .failure(let error): update.outcome = .refusal(error.reason)
            }
        }
    }

    /// Durable first: after a crash an update that was recorded is at worst asked for again, never counted twice.
    private func record(_ batch: [FinishedUpdate], in round: ActiveRound) async throws(Fault) {
        guard !batch.isEmpty else { return }
        let records: [NewContribution.Record]
        do throws(Fault) {
            records = try await registry.recordContributions(
                round.at,
                batch.map {
                    NewContribution(
                        agent: $0.agent, updateDigest: $0.header.digest,
                        bytes: UInt64($0.header.size))
                })
        } catch {
            for update in batch {
                switch error.code {
                case .gone: update.outcome = .verdict(verdictOfClosed(round.at, for: update.agent))
                // The agent keeps what the disk does not take.
                case .storage: update.outcome = .verdict(.later(seconds: Self.secondsUntilStored))
                default: throw error
                }
            }
            return
        }
        for (update, record) in zip(batch, records) {
            if record == .conflict {
                update.outcome = .refusal(.digestMismatch)
            } else {
                round.recorded[update.agent] = update.header.digest
            }
        }
    }

    private func fold(_ batch: [FinishedUpdate], in round: ActiveRound) async throws(Fault) {
        for update in batch {
            update.outcome = settled(update.agent, in: round).map { .verdict($0) }
        }
        let batch = batch.filter { $0.outcome == nil }
        guard !batch.isEmpty else { return }
        let total = round.total
        let updates = batch.compactMap { $0.takeChecked() }
        let refusals = try await away(bytes: batch.reduce(0) { $0 + $1.header.size }) {
            total.fold(updates)
        }
        for (update, refusal) in zip(batch, refusals) {
            switch refusal {
            case let refusal?: update.outcome = .refusal(refusal.reason)
            case nil:
                round.counted[update.agent] = update.header.digest
                counts[round.plan.plan.id].accepted += 1
                // Who has reported is not asked again: this is what keeps an update from counting twice.
                if surroundings.plantedBug != .countsUpdatesTwice {
                    _ = round.machine.reported(by: update.agent)
                }
                update.outcome = .verdict(.accepted)
            }
        }
        round.events.fire()
        progress.fire()
    }

    /// Updates up to this size are looked at faster than handed over.
    private static let smallBytes = 64 << 10

    /// Does what takes time in proportion to updates' sizes: that of large ones elsewhere, so that agents are served meanwhile.
    private func away<Value: Sendable>(
        bytes: Int, _ body: @escaping @Sendable () -> Value
    ) async throws(Fault) -> Value {
        guard bytes > Self.smallBytes else { return body() }
        return try await compute { () throws(Fault) in body() }
    }
}

/// An update that has come whole and is being counted. It lives inside the fleet actor.
final class FinishedUpdate {
    /// What becomes of it.
    enum Outcome {
        case verdict(SubmitVerdict)
        /// It is not what the round wants, which its agent is to hear.
        case refusal(UpdateRejection)
        case fault(Fault)
    }

    let agent: AgentID
    let header: Upload.Header
    private(set) var bytes: [UInt8]
    /// Set once it was looked at.
    var checked: CheckedUpdate?
    var outcome: Outcome?
    /// Whether somebody counts it.
    fileprivate(set) var isTaken = false
    /// Who waits for the outcome, or for a turn to count what waits.
    var waiter: CheckedContinuation<Void, Never>?

    init(of agent: AgentID, header: Upload.Header, bytes: consuming [UInt8]) {
        self.agent = agent
        self.header = header
        self.bytes = bytes
    }

    fileprivate func takeBytes() -> [UInt8] {
        defer { bytes = [] }
        return bytes
    }

    fileprivate func takeChecked() -> CheckedUpdate? { checked.take() }
}

extension ActiveRound {
    /// Takes the updates that wait longest to be counted: at least one, and no more than `mostBytes` otherwise.
    fileprivate func takeFinished(mostBytes: Int) -> [FinishedUpdate] {
        var bytes = 0
        let batch = Array(
            finished.prefix { update in
                defer { bytes += update.header.size }
                return bytes == 0 || bytes + update.header.size <= mostBytes
            })
        finished.removeFirst(batch.count)
        for update in batch { update.isTaken = true }
        return batch
    }
}

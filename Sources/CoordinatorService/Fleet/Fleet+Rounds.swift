import Federation
import Logging
import Privacy
import Registry
import Rounds
import UpdateCodec

extension Fleet {
    /// Runs one round to its end: the unfinished one of this job when there is one, otherwise a new one.
    ///
    /// - Returns: nil when a version was published, otherwise why not.
    /// - Throws: `unavailable` when the coordinator stops meanwhile; its next start goes on with the round. `storage` when
    ///   the state directory fails; another call goes on with the round.
    func runRound(job: UInt64, plan id: PlanID) async throws(Fault) -> AbandonReason? {
        if rounds[id] == nil { try await takeUpRounds(of: id) }
        let round: ActiveRound
        if let unfinished = rounds[id] {
            guard unfinished.job == job, !unfinished.isDriven else {
                throw Fault(
                    .conflict, "round \(unfinished.at) of \(id) has not ended",
                    remedy: "wait for it, or cancel it with `round cancel`")
            }
            round = unfinished
        } else {
            guard let plan = plans[id], plan.serving != nil else {
                return .failed("plan \(id) has no model")
            }
            if let refusal = budget(of: plan)?.refusal() { return .failed(refusal.description) }
            try refuseIfRolledBack()
            round = try await open(plan: id, job: job)
        }
        round.isDriven = true
        defer {
            round.isDriven = false
            if rounds[id] !== round { letGoOfBlobs(of: round) }
        }
        do throws(Fault) {
            if round.hasFailed { try await look(again: round) }
            if round.ending == nil, !round.phase.isFinal { round.ending = try await drive(round) }
            if let reason = round.ending, !round.phase.isFinal { try await abandon(round, reason) }
            forget(round)
            return round.ending
        } catch {
            return try await end(round, after: error)
        }
    }

    /// The round has ended, one way or the other.
    private func forget(_ round: ActiveRound) {
        countEnd(of: round)
        rounds[round.plan.plan.id] = nil
    }

    /// What becomes of a round whose driver failed.
    private func end(
        _ round: ActiveRound, after failure: Fault
    ) async throws(Fault) -> AbandonReason? {
        if let who = round.cancelledBy, failure.code == .conflict || failure.code == .gone {
            round.ending = .cancelled(by: who)
            forget(round)
            return round.ending
        }
        guard !Task.isCancelled else { throw Self.stopping }
        // The round did nothing wrong, and what it has is in memory: it waits until the disk takes it. A disk that is said to
        // serve, and fails all the same, is damaged.
        round.failures += 1
        if failure.code == .storage || failure.code == .unavailable,
            storage != .serving || round.failures < Self.mostFailures
        {
            round.hasFailed = true
            throw Fault(.storage, failure.message, remedy: failure.remedy)
        }
        log.error("round failed", metadata: ["round": "\(round.at)", "why": "\(failure)"])
        round.ending = .failed(publicWords(for: failure))
        if !round.phase.isFinal { try await abandon(round, .failed(publicWords(for: failure))) }
        forget(round)
        // Not thrown: whoever runs the job would take a fault of the disk for one to be waited out, and begin again.
        return round.ending
    }

    /// Reads where a round stands after the disk failed: what it was asked to write last may be there or not.
    private func look(again round: ActiveRound) async throws(Fault) {
        let stored = try await registry.round(round.at.round)
        round.phase = stored.phase
        if stored.phase == .abandoned, round.ending == nil {
            round.ending = round.cancelledBy.map { .cancelled(by: $0) } ?? .failed(stored.reason)
        }
        if stored.chargedAttempt == round.at.attempt { round.epsilonAfter = stored.epsilonAfter }
        if stored.phase == .abandoned { await settleReservation(of: round) }
        if let version = stored.publishedVersion {
            let model = try await registry.model(stored.plan, version: version)
            serve(model)
            plans[stored.plan]?.serving = model
        }
        round.hasFailed = false
    }

    /// How often the step of a round is taken again that fails although the storage serves.
    private static let mostFailures = 10

    private static let stopping = Fault(
        .unavailable, "the coordinator is stopping", remedy: "start it again; its rounds go on")

    /// Takes a round from where it stands to its version. Each step is taken once, however often it has to be tried.
    private func drive(_ round: ActiveRound) async throws(Fault) -> AbandonReason? {
        if let reason = try await collect(round) { return reason }
        if let rolledBack { return .failed(rolledBack.fault.description) }
        if let reason = try await release(round) { return reason }
        // Asked for while the disk failed, so that it is not written down yet.
        if let who = round.cancelledBy { return .cancelled(by: who) }
        return try await seal(round)
    }

    private func open(plan id: PlanID, job: UInt64) async throws(Fault) -> ActiveRound {
        // A text that is being applied now is this round's, or waits until it has ended.
        await beginChange(of: id)
        defer { endChange(of: id) }
        guard let plan = plans[id], let base = plan.serving else {
            throw Fault(
                .conflict, "plan \(id) has no model",
                remedy: "`tributary-coordinator plan show \(id)` says why")
        }
        // A pause that came meanwhile counts.
        if let why = hindrance(to: id) { throw Fault(.conflict, why) }
        let clippingNorm = plan.clippingNorm
        let lattice = Lattice(
            plan: plan.plan, clippingNorm: clippingNorm,
            rotationSeed: surroundings.randomness.rotationSeed())
        let latticeID = latticeDigest(lattice)
        // Who is known to follow the plan is durable, so that a restart does not shrink the population.
        let machine = RoundMachine(
            rules: SelectionRules(plan: plan.plan), population: try await population(of: plan),
            now: clock.now)
        let at = try await registry.startRound(
            plan: id, job: job, baseVersion: base.version, rotationSeed: lattice.rotationSeed,
            latticeID: latticeID, clippingNorm: clippingNorm,
            deadline: stored(machine.deadline), nowUnixMilliseconds: clock.unixMilliseconds,
            event: { at in
                FleetEvent(
                    .roundStarted,
                    [
                        ("plan", .text(id.name)), ("digest", .text(plan.digest.hex)),
                        ("round", .number(at.round.number)), ("base", .number(base.version)),
                        ("lattice", .text(latticeID.hex)),
                    ])
            })
        let round = ActiveRound(
            at: at, job: job, plan: plan, base: base, lattice: lattice, latticeID: latticeID,
            phase: .selecting, machine: machine, surroundings: surroundings)
        rounds[id] = round
        log.info(
            "round opened",
            metadata: [
                "round": "\(at)", "plan": "\(id)", "clippingNorm": "\(lattice.clippingNorm)",
            ])
        offers.fire()
        progress.fire()
        return round
    }

    /// Agents known to have data for a plan's current text.
    func population(of plan: PlanRuntime) async throws(Fault) -> Set<AgentID> {
        let known = try await registry.agents().filter { agent in
            !agent.isRevoked
                && agent.plans.contains {
                    $0.plan == plan.plan.id && $0.planDigest == plan.digest && $0.examples > 0
                }
        }
        return Set(known.map(\.id))
    }

    /// A deadline as the registry keeps it.
    func stored(_ deadline: MonotonicInstant?) -> StoredDeadline? {
        deadline.map { StoredDeadline(bootID: surroundings.bootID, at: $0) }
    }

    /// Waits until the round's sum is closed.
    ///
    /// - Returns: nil when it is to be aggregated, otherwise why the round ends.
    private func collect(_ round: ActiveRound) async throws(Fault) -> AbandonReason? {
        var wasFull = false
        while !round.isSumClosed {
            if round.phase == .selecting, !round.machine.isSelecting {
                try await registry.transition(
                    round.at, from: .selecting, to: .training,
                    deadline: stored(round.machine.deadline),
                    nowUnixMilliseconds: clock.unixMilliseconds, event: nil)
                round.phase = .training
                progress.fire()
            }
            let ticket = round.events.generation
            let now = clock.now
            await round.turns.begin(isolation: self)
            let step = round.machine.advance(now: now)
            round.turns.end()
            switch step {
            case .wait(let until):
                guard !Task.isCancelled else { throw Self.stopping }
                // A place that a lapsed or declined agent left goes to one that waits in its check-in.
                if wasFull, round.machine.hasFreePlace { offers.fire() }
                wasFull = !round.machine.hasFreePlace
                await round.events.wait(after: ticket, seconds: until.seconds(since: now))
            case .beginTraining: continue
            case .aggregate:
                endUploads(of: round)
                round.isSumClosed = true
            case .abandon(let reason): return reason
            case .finished: return .cancelled(by: round.cancelledBy ?? "an admin")
            }
        }
        return nil
    }

    /// Moves the round's traffic into the registry, before its last phase, so that whoever sees the end sees all of it.
    func settleTraffic(of round: ActiveRound) async throws(Fault) {
        let incoming = round.bytesIn
        let outgoing = bytesOut.removeValue(forKey: round.plan.plan.id) ?? 0
        // Taken before the registry is asked: who cancels the round may settle it as well meanwhile.
        round.bytesIn = 0
        do throws(Fault) {
            try await registry.addTraffic(round.at, bytesIn: incoming, bytesOut: outgoing)
            counts[round.plan.plan.id].bytesIn += incoming
            counts[round.plan.plan.id].bytesOut += outgoing
        } catch {
            round.bytesIn += incoming
            bytesOut[round.plan.plan.id, default: 0] += outgoing
            throw error
        }
    }

    /// Ends a round at whatever phase it is in, until its version is published. What it was charged stays charged.
    ///
    /// - Throws: `conflict` when it has ended, or ends just now.
    func cancel(_ round: ActiveRound, by who: String) async throws(Fault) {
        guard round.cancelledBy == nil, !round.phase.isFinal else {
            throw Fault(
                .conflict, "round \(round.at.round) is ending already",
                remedy: "`tributary-coordinator round show \(round.at.round)` tells how it ends")
        }
        let words = round.epsilonAfter == nil ? who : "\(who); its privacy budget stays spent"
        // Whatever the round's driver does next, one of the two comes first in the registry, and the other is refused.
        round.cancelledBy = words
        do throws(Fault) {
            try await abandon(round, .cancelled(by: words))
        } catch {
            // When the disk takes it again, the driver ends the round.
            if error.code == .storage { stopCollecting(round) } else { round.cancelledBy = nil }
            throw error
        }
        stopCollecting(round)
    }

    private func stopCollecting(_ round: ActiveRound) {
        _ = round.machine.cancel()
        round.events.fire()
    }

    func abandon(_ round: ActiveRound, _ reason: AbandonReason) async throws(Fault) {
        try await settleTraffic(of: round)
        try await abandon(round.at, reason.description)
        round.phase = .abandoned
        endUploads(of: round)
        await settleReservation(of: round)
        offers.fire()
        progress.fire()
    }

    /// What an ended round stored and did not release is kept no more.
    private func letGoOfBlobs(of round: ActiveRound) {
        if let released = round.releasedSum { registry.letGo(of: [released.digest]) }
        if let moved = round.moved {
            registry.letGo(of: [moved.aggregateDigest, moved.masterDigest, moved.velocityDigest])
        }
        (round.releasedSum, round.moved) = (nil, nil)
    }

    /// Ends a stored round without a version.
    func abandon(_ at: RoundAttempt, _ reason: String) async throws(Fault) {
        try await registry.abandon(
            at, reason: reason, nowUnixMilliseconds: clock.unixMilliseconds,
            event: roundAbandoned(at, reason: reason))
        log.warning("round abandoned", metadata: ["round": "\(at)", "why": "\(reason)"])
    }
}

/// What the log, which others read, says of a failure: paths of this machine stay here.
private func publicWords(for fault: Fault) -> String {
    switch fault.code {
    case .storage, .internal: "\(fault.code) failure; the coordinator's own log says more"
    default: fault.description
    }
}

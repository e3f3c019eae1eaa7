import Federation
import Logging
import Privacy
import Registry
import Rounds
import UpdateCodec

// Rounds that a stop or a crash left unfinished: each goes on from its stored phase.

extension Fleet {
    /// Takes up every unfinished round, before anybody connects, so that no agent hears that its update is not wanted.
    ///
    /// Those that cannot go on are abandoned with the reason.
    ///
    /// - Parameter plan: only its round: the disk failed as that was opened, so that nobody knew of it.
    func takeUpRounds(of plan: PlanID? = nil) async throws(Fault) {
        for past in try await registry.unfinishedRounds() where plan == nil || past.plan == plan {
            let job = try await registry.job(past.job)
            do throws(Fault) {
                guard job.state == JobRuntime.State.running.rawValue else {
                    let reason = AbandonReason.coordinatorRestarted.description
                    throw Fault(.conflict, job.detail.isEmpty ? reason : job.detail)
                }
                let round = try await resumed(past)
                if rounds[past.plan] == nil { rounds[past.plan] = round }
            } catch {
                guard error.code == .conflict || error.code == .exhausted else { throw error }
                try await abandon(past.at, error.description)
            }
        }
    }

    /// A stored round as it goes on.
    ///
    /// - Throws: `conflict`, `exhausted` when it cannot.
    private func resumed(_ past: StoredRound) async throws(Fault) -> ActiveRound {
        guard let plan = plans[past.plan], let base = plan.serving,
            base.version == past.baseVersion
        else {
            throw Fault(.conflict, "version \(past.baseVersion) of \(past.plan) is not its newest")
        }
        let lattice = Lattice(
            plan: plan.plan, clippingNorm: past.clippingNorm, rotationSeed: past.rotationSeed)
        guard latticeDigest(lattice) == past.latticeID else {
            throw Fault(.conflict, "the text of plan \(past.plan) changed after the round began")
        }
        let at = past.phase == .aggregating ? try await collectAgain(past, plan) : past.at
        let recorded = try await registry.contributions(of: at)
        let machine = try await machine(of: past, plan: plan, recorded: recorded)
        if let deadline = stored(machine.deadline) {
            try await registry.postpone(at, to: deadline)
        }
        let round = ActiveRound(
            at: at, job: past.job, plan: plan, base: base, lattice: lattice,
            latticeID: past.latticeID, phase: past.phase == .aggregating ? .training : past.phase,
            machine: machine, surroundings: surroundings)
        for update in recorded { round.recorded[update.agent] = update.updateDigest }
        if past.chargedAttempt == at.attempt { round.epsilonAfter = past.epsilonAfter }
        round.isSumClosed = round.phase == .sealing
        log.info(
            "round goes on",
            metadata: ["round": "\(at)", "plan": "\(past.plan)", "from": "\(past.phase.rawValue)"])
        return round
    }

    /// A round that died while it aggregated has lost its sum: its agents send their updates again. If it was charged,
    /// noise may have been drawn, so that this is a new attempt, which is charged as well.
    private func collectAgain(
        _ past: StoredRound, _ plan: PlanRuntime
    ) async throws(Fault) -> RoundAttempt {
        if let refusal = budget(of: plan)?.refusal() { throw refusal }
        let deadline = clock.now.advanced(bySeconds: plan.plan.round.reportSeconds)
        return try await registry.collectAgain(
            past.at, deadline: StoredDeadline(bootID: surroundings.bootID, at: deadline),
            nowUnixMilliseconds: clock.unixMilliseconds,
            event: { at in
                FleetEvent(
                    .roundContinued,
                    [
                        ("plan", .text(past.plan.name)), ("round", .number(at.round.number)),
                        ("attempt", .number(UInt64(at.attempt))),
                        (
                            "reason",
                            .text("the coordinator died after the charge, before the release")
                        ),
                    ])
            })
    }

    private func machine(
        of past: StoredRound, plan: PlanRuntime, recorded: [StoredContribution]
    ) async throws(Fault) -> RoundMachine {
        let coins = try await registry.coins(of: past.at.round)
        let isSameBoot = past.deadline?.bootID == surroundings.bootID
        let deadline = isSameBoot ? past.deadline?.at : nil
        let phase: PastRound.Phase =
            switch past.phase {
            case .selecting: .selecting(ends: deadline)
            case .training, .aggregating: .training(deadline: deadline)
            default: .closed(reported: Set(recorded.filter { !$0.isLost }.map(\.agent)))
            }
        var members: Set<AgentID> = []
        var passedOver: Set<AgentID> = []
        for (agent, selected) in coins {
            if selected, phase.isClosed || !revoked.contains(agent) {
                members.insert(agent)
            } else {
                passedOver.insert(agent)
            }
        }
        return RoundMachine(
            resuming: PastRound(
                phase: phase, population: try await population(of: plan), members: members,
                passedOver: passedOver.union(revoked)),
            rules: SelectionRules(plan: plan.plan), now: clock.now)
    }
}

extension PastRound.Phase {
    fileprivate var isClosed: Bool { if case .closed = self { true } else { false } }
}

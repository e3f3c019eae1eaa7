import Configuration
import Cryptography
import Federation
import Glibc
import Privacy
import Provenance
import Registry
import Rounds
import Telemetry

extension Fleet {
    /// The coordinator's metrics, in Prometheus's text format.
    ///
    /// - Parameter tellsCounts: whether what counts a private round's cohort is told: to its curator, on this machine.
    package func metricsText(tellsCounts: Bool) async -> String {
        let process = ProcessMetrics.families(role: "coordinator", version: softwareVersion)
        return (process + (await snapshot()).families(tellsCounts: tellsCounts)).text
    }

    /// How the fleet is now.
    func snapshot() async -> FleetSnapshot {
        var snapshot = FleetSnapshot()
        snapshot.logEntries = try? await registry.checkpoint().checkpoint.size
        for plan in plans.values.sorted(by: { $0.plan.id.name < $1.plan.id.name }) {
            snapshot.plans.append(self.snapshot(of: plan, privacy: await spending(of: plan)))
        }
        snapshot.agents = agentStates()
        snapshot.counts = counts
        snapshot.load = load
        snapshot.storage = storage
        snapshot.disk = diskSpace(at: keys.serverKeyFile)
        snapshot.leastFree = UInt64(configuration.minFreeMiB) << 20
        snapshot.isSetBack = rolledBack != nil
        let running = runningJobs
        snapshot.jobs = (running, max(0, jobs.values.count { $0.state == .running } - running))
        snapshot.certificateEnds = [
            ("server", keys.serverCertificate.notAfterUnix),
            ("authority", keys.authority.certificate.notAfterUnix),
        ]
        return snapshot
    }

    private func snapshot(
        of plan: PlanRuntime, privacy: PlanSnapshot.Privacy?
    ) -> PlanSnapshot {
        let id = plan.plan.id
        let round = rounds[id]
        var counts = counts[id]
        counts.bytesIn += round?.bytesIn ?? 0
        counts.bytesOut += bytesOut[id] ?? 0
        return PlanSnapshot(
            name: id.name, isPrivate: plan.plan.privacy != nil, state: plan.state.name,
            isPaused: plan.pause != nil, everySeconds: plan.plan.schedule?.everySeconds,
            ready: readyAgents(for: plan),
            model: plan.serving.map { ($0.version, $0.accuracy, $0.createdUnix) },
            round: round.map {
                let counts = $0.machine.counts
                return PlanSnapshot.Round(
                    phase: $0.phase.rawValue, age: clock.now.seconds(since: $0.takenUpAt),
                    selected: counts.selected, reported: counts.reported)
            }, privacy: privacy, counts: counts)
    }

    /// What a plan's population has spent: worked out once a charge, since near the limit that takes a while.
    private func spending(of plan: PlanRuntime) async -> PlanSnapshot.Privacy? {
        guard let limits = plan.plan.privacy, let budget = budget(of: plan) else { return nil }
        let charges = (spent[plan.plan.population] ?? [:]).values.reduce(0, +)
        let known = spending[plan.plan.id]
        let epsilon: Double
        if let known, known.budget == budget {
            epsilon = known.epsilon
        } else {
            guard let found = try? await compute({ () throws(Fault) in budget.epsilon }) else {
                return nil
            }
            spending[plan.plan.id] = (budget, found)
            epsilon = found
        }
        return PlanSnapshot.Privacy(epsilon: epsilon, limit: limits.maxEpsilon, charges: charges)
    }

    private func agentStates() -> FleetSnapshot.Agents {
        let now = clock.now
        let open = rounds.values.filter { $0.machine.isOpen && !$0.machine.rules.isPrivate }
        var agents = FleetSnapshot.Agents()
        for agent in certificates.keys {
            guard !revoked.contains(agent) else {
                agents.revoked += 1
                continue
            }
            if let here = presence[agent], here.isHere(at: now) {
                if here.unavailable.isEmpty { agents.ready += 1 } else { agents.unavailable += 1 }
            } else if open.contains(where: { $0.machine.isAtWork(agent) }) {
                agents.working += 1
            } else {
                agents.absent += 1
            }
        }
        return agents
    }

    /// A round has ended: counts it, and what became of its cohort.
    func countEnd(of round: ActiveRound) {
        let id = round.plan.plan.id
        let outcome = PlanCounts.Outcome(round.ending)
        counts[id].rounds[outcome, default: 0] += 1
        if outcome == .published {
            counts[id].seconds.observe(clock.now.seconds(since: round.takenUpAt))
        }
        let cohort = round.machine.counts
        counts[id].lost += UInt64(max(0, cohort.selected - cohort.reported - round.givenUp))
    }
}

extension RoundMachine {
    /// Whether the round waits for what the agent makes.
    fileprivate func isAtWork(_ agent: AgentID) -> Bool {
        switch standing(of: agent) {
        case .training, .uploading: true
        case .lapsed, .reported, .declined, nil: false
        }
    }
}

/// Bytes free for this user, and in all, on the file system that holds `path`.
private func diskSpace(at path: String) -> (free: UInt64, size: UInt64)? {
    var status = statvfs()
    guard statvfs(path, &status) == 0 else { return nil }
    let block = UInt64(status.f_frsize)
    return (UInt64(status.f_bavail) * block, UInt64(status.f_blocks) * block)
}

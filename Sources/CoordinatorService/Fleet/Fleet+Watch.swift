import Federation
import Registry
import Rounds
package import Wire

// What those who watch the coordinator in its own process see, besides what admins are told: the dashboard.

/// A round in flight as it is now.
package struct LiveRound: Sendable, Equatable {
    /// Its cohort is counted only for the curators of a private plan.
    package var record: RoundRecord
    /// Updates with which it closes early; 0 of a private round, which waits for all it selected.
    package var target: UInt32
    /// Uploads under way, and updates that were refused; 0 where the cohort is not counted.
    package var uploading: UInt32
    package var refused: UInt32
    /// Until its present phase ends at the latest; nil once the sum is closed.
    package var secondsLeft: Double?

    package init(
        record: RoundRecord, target: UInt32 = 0, uploading: UInt32 = 0, refused: UInt32 = 0,
        secondsLeft: Double? = nil
    ) {
        self.record = record
        self.target = target
        self.uploading = uploading
        self.refused = refused
        self.secondsLeft = secondsLeft
    }
}

/// How many agents are in which state, and which versions they run.
package struct AgentCensus: Sendable, Equatable {
    package struct Version: Sendable, Equatable {
        /// Empty: not known yet.
        package var version: String
        package var agents: Int

        package init(version: String, agents: Int) {
            self.version = version
            self.agents = agents
        }
    }

    /// Enrolled and not revoked.
    package var active: Int
    /// Of them, waiting for work, and here but taking none; the others work or are away.
    package var waiting: Int
    package var unavailable: Int
    package var revoked: Int
    /// Of the active ones, the most frequent first.
    package var versions: [Version]

    package init(
        active: Int = 0, waiting: Int = 0, unavailable: Int = 0, revoked: Int = 0,
        versions: [Version] = []
    ) {
        self.active = active
        self.waiting = waiting
        self.unavailable = unavailable
        self.revoked = revoked
        self.versions = versions
    }
}

extension Fleet {
    /// Answers what an auditor may ask, and changes nothing.
    ///
    /// - Parameter tellsCounts: whether to a curator, who may see live counts of private plans.
    func answer(
        _ request: AdminRequest, tellsCounts: Bool
    ) async throws(Fault) -> AdminResponse {
        let auditor = Identity(fleet: keys.fleet, role: .auditor, id: "dashboard")
        try permit(request, to: auditor)
        let curator = Identity(fleet: keys.fleet, role: .operator, id: "dashboard")
        return try await administer(request, by: tellsCounts ? curator : auditor)
    }

    /// Every round in flight, by number.
    func roundsInFlight(tellsCounts: Bool) async throws(Fault) -> [LiveRound] {
        var live: [LiveRound] = []
        for round in rounds.values.sorted(by: { $0.at.round < $1.at.round }) {
            let stored = try await registry.round(round.at.round)
            let record = record(of: stored, tellsCounts: tellsCounts)
            live.append(
                LiveRound(
                    record: record,
                    target: UInt32(clamping: round.machine.rules.target ?? 0),
                    uploading: record.withheld ? 0 : UInt32(clamping: round.uploads.count),
                    refused: record.withheld ? 0 : UInt32(clamping: round.rejected),
                    secondsLeft: round.machine.deadline.map { max(0, $0.seconds(since: clock.now)) }
                ))
        }
        return live
    }

    /// Rounds with numbers below `before`, newest first; nil: from the newest on.
    func newestRounds(
        plan name: String, before: UInt64?, limit: Int
    ) async throws(Fault) -> RoundRecords {
        let plan = name.isEmpty ? nil : try plan(named: name).plan.id
        let page = try await registry.rounds(
            plan: plan, before: before.map { RoundID($0) }, limit: min(limit, Self.pageRows))
        let records = frameful(page, Self.size) { record(of: $0) }
        return RoundRecords(items: records.items, more: records.hasMore)
    }

    func agentCensus() async throws(Fault) -> AgentCensus {
        let versions = try await registry.agentVersions()
        let now = clock.now
        let here = presence.filter { $0.value.isHere(at: now) && !revoked.contains($0.key) }
        let unavailable = here.values.count { !$0.unavailable.isEmpty }
        return AgentCensus(
            active: certificates.count - revoked.count, waiting: here.count - unavailable,
            unavailable: unavailable, revoked: revoked.count,
            versions: versions.map { AgentCensus.Version(version: $0.version, agents: $0.agents) })
    }
}

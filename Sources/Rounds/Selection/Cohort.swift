package import Federation

/// The agents of one round: who is still to be asked, who holds a lease, who has reported.
///
/// It counts as it goes, so that what a round of thousands asks of it with every event costs no walk through its members.
package struct Cohort: Sendable {
    /// Where one member stands. `reported`, `declined` are resolved for good; a lapsed member may still report.
    package enum Standing: Sendable, Equatable {
        case training(leaseEnds: MonotonicInstant)
        case uploading(lastMoved: MonotonicInstant, leaseEnds: MonotonicInstant)
        case lapsed
        case reported
        case declined

        /// Whether nothing more is to come from the member.
        package var isResolved: Bool { self == .reported || self == .declined }

        fileprivate var leaseEnds: MonotonicInstant? {
            switch self {
            case .training(let ends), .uploading(_, let ends): ends
            case .lapsed, .reported, .declined: nil
            }
        }
    }

    /// Agents known to follow the plan whose coin has not been drawn yet.
    package private(set) var unasked: Set<AgentID>
    package private(set) var members: [AgentID: Standing] = [:]
    /// Members whose update was counted.
    package private(set) var reported = 0
    private var declined = 0
    private var lapsed = 0
    /// Members that are uploading, and when their uploads last moved.
    private var uploads: [AgentID: MonotonicInstant] = [:]
    private var leases = LeaseQueue()
    /// Agents that cannot join: their coin said no, or they were revoked.
    private var excluded: Set<AgentID> = []
    private let isPopulationKnown: Bool

    package init(population: Set<AgentID>) {
        unasked = population
        isPopulationKnown = !population.isEmpty
    }

    /// Whether every agent known to follow the plan was asked; never when none was known, since then anybody may come.
    package var everyoneAsked: Bool { isPopulationKnown && unasked.isEmpty }
    /// Members that hold a place: every one that has not declined or lapsed.
    package var holdingPlaces: Int { members.count - declined - lapsed }
    /// Whether every member reported or declined.
    package var allResolved: Bool { reported + declined == members.count }
    /// The latest moment at which an unfinished upload moved; nil when none is under way.
    package var lastUploadMoved: MonotonicInstant? { uploads.values.max() }
    /// The earliest moment at which a lease ends; nil when nobody holds one.
    package var nextLeaseEnd: MonotonicInstant? { leases.first?.ends }

    /// Whether `agent` can still become a member.
    package func mayJoin(_ agent: AgentID) -> Bool {
        members[agent] == nil && !excluded.contains(agent)
    }

    /// The agent's coin said no: it is not asked again.
    package mutating func passOver(_ agent: AgentID) {
        unasked.remove(agent)
        excluded.insert(agent)
    }

    /// Makes the agent a member, or says where a member now stands.
    package mutating func set(_ agent: AgentID, to standing: Standing) {
        unasked.remove(agent)
        count(members.updateValue(standing, forKey: agent), by: -1)
        count(standing, by: 1)
        if case .uploading(let moved, _) = standing {
            uploads[agent] = moved
        } else {
            uploads[agent] = nil
        }
        if let ends = standing.leaseEnds {
            leases.add(LeaseQueue.Lease(ends: ends, agent: agent))
            // Leases that are renewed often would fill the queue with entries that are out of date.
            if leases.count > 4 * members.count + 16 { rebuildLeases() }
        }
        forgetRenewed()
    }

    /// Forgets an agent that may take no part any more, such as a revoked one; an update already counted stays counted.
    package mutating func withdraw(_ agent: AgentID) {
        unasked.remove(agent)
        excluded.insert(agent)
        if let standing = members[agent], standing != .reported { set(agent, to: .declined) }
    }

    /// Marks members whose lease ended by `now` as lapsed.
    package mutating func lapse(at now: MonotonicInstant) {
        while let lease = leases.first, lease.ends <= now { set(lease.agent, to: .lapsed) }
    }

    private mutating func count(_ standing: Standing?, by change: Int) {
        switch standing {
        case .reported: reported += change
        case .declined: declined += change
        case .lapsed: lapsed += change
        case .training, .uploading, nil: break
        }
    }

    /// Drops entries from the front of the queue until it is a lease that somebody holds.
    private mutating func forgetRenewed() {
        while let lease = leases.first, members[lease.agent]?.leaseEnds != lease.ends {
            leases.removeFirst()
        }
    }

    private mutating func rebuildLeases() {
        leases.removeAll()
        for (agent, standing) in members {
            guard let ends = standing.leaseEnds else { continue }
            leases.add(LeaseQueue.Lease(ends: ends, agent: agent))
        }
    }
}

package import Federation

/// The agents of one round: who is still to be asked, who holds a lease, who has reported.
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
    /// Agents that cannot join: their coin said no, or they were revoked.
    private var excluded: Set<AgentID> = []
    private let isPopulationKnown: Bool

    package init(population: Set<AgentID>) {
        unasked = population
        isPopulationKnown = !population.isEmpty
    }

    /// Whether every agent known to follow the plan was asked; never when none was known, since then anybody may come.
    package var everyoneAsked: Bool { isPopulationKnown && unasked.isEmpty }
    /// Members whose update was counted.
    package var reported: Int { members.values.count { $0 == .reported } }
    /// Members that hold a place: every one that has not declined or lapsed.
    package var holdingPlaces: Int {
        members.values.count { $0 != .declined && $0 != .lapsed }
    }
    /// Whether every member reported or declined.
    package var allResolved: Bool { members.values.allSatisfy(\.isResolved) }
    /// The latest moment at which an unfinished upload moved; nil when none is under way.
    package var lastUploadMoved: MonotonicInstant? {
        members.values.compactMap { standing -> MonotonicInstant? in
            if case .uploading(let moved, _) = standing { moved } else { nil }
        }.max()
    }
    /// The earliest moment at which a lease ends; nil when nobody holds one.
    package var nextLeaseEnd: MonotonicInstant? { members.values.compactMap(\.leaseEnds).min() }

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
        members[agent] = standing
    }

    /// Forgets an agent that may take no part any more, such as a revoked one; an update already counted stays counted.
    package mutating func withdraw(_ agent: AgentID) {
        unasked.remove(agent)
        excluded.insert(agent)
        if let standing = members[agent], standing != .reported { members[agent] = .declined }
    }

    /// Marks members whose lease ended by `now` as lapsed.
    package mutating func lapse(at now: MonotonicInstant) {
        for (agent, standing) in members {
            if let ends = standing.leaseEnds, ends <= now { members[agent] = .lapsed }
        }
    }
}

package import Federation

/// What a restarted coordinator still knows of a round that it goes on with.
package struct PastRound: Sendable {
    /// Where the round stood; a deadline of another boot of the machine is nil, since nobody knows how much of it is left.
    package enum Phase: Sendable, Equatable {
        case selecting(ends: MonotonicInstant?)
        case training(deadline: MonotonicInstant?)
        /// The sum is released, and nothing is asked of anybody.
        case closed(reported: Set<AgentID>)
    }

    package let phase: Phase
    /// Agents known to follow the plan.
    package let population: Set<AgentID>
    /// Agents whose stored coin says yes.
    package let members: Set<AgentID>
    /// Agents whose stored coin says no, and those that may take no part any more.
    package let passedOver: Set<AgentID>

    package init(
        phase: Phase, population: Set<AgentID>, members: Set<AgentID>, passedOver: Set<AgentID>
    ) {
        self.phase = phase
        self.population = population
        self.members = members
        self.passedOver = passedOver
    }
}

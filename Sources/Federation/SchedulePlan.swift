/// `[schedule]`: when a round starts by itself. Where both are given, both must hold.
package struct SchedulePlan: Sendable, Equatable {
    /// Seconds from the start of one round to that of the next, at least.
    package var everySeconds: Double?
    /// Agents that are connected, take work and have data for the plan, at least.
    package var readyAgents: Int?

    package init(everySeconds: Double?, readyAgents: Int?) {
        self.everySeconds = everySeconds
        self.readyAgents = readyAgents
    }
}

/// `[retention]`: what is kept of older versions.
package struct RetentionPlan: Sendable, Equatable {
    /// Newest versions whose weights are kept; nil: all.
    package var versions: Int?

    package init(versions: Int? = nil) { self.versions = versions }
}

/// What an agent can do for one plan, as it said at its last check-in.
package struct Readiness: Sendable, Equatable {
    package let plan: PlanID
    /// Of the plan text its counts are for; nil when it has none yet.
    package let planDigest: Digest?
    package let examples: UInt64
    package let unreadable: UInt64
    package let modelVersion: UInt64?

    package init(
        plan: PlanID, planDigest: Digest?, examples: UInt64, unreadable: UInt64,
        modelVersion: UInt64?
    ) {
        self.plan = plan
        self.planDigest = planDigest
        self.examples = examples
        self.unreadable = unreadable
        self.modelVersion = modelVersion
    }

    /// Whether the agent can train on the current text of the plan.
    package func isReady(forPlan digest: Digest) -> Bool { planDigest == digest && examples > 0 }
}

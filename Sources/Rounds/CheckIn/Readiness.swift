package import Federation

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

/// When an agent without an assignment should come back: the pace of the fleet.
package struct PaceSteering: Sendable, Equatable {
    package let comeBackSeconds: Double

    package init(comeBackSeconds: Double) { self.comeBackSeconds = comeBackSeconds }

    /// Seconds to stay away, spread over half to one and a half times the configured pace, so that a fleet that was cut
    /// off at once does not come back at once.
    package func delay(random: inout some RandomSource) -> UInt32 {
        let fraction = Double(random.next() >> 11) * 0x1p-53
        return UInt32(max(1, (comeBackSeconds * (0.5 + fraction)).rounded()))
    }

    /// Seconds to hold a check-in open: what the agent offers, within what the coordinator allows.
    package static func hold(offered: UInt32, limit: Int) -> Double {
        Double(min(Int(offered), limit))
    }
}

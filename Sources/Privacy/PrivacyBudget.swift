package import Federation

/// What a plan has spent of its privacy budget, and whether one more round may start.
package struct PrivacyBudget: Sendable, Equatable {
    private let plan: PrivacyPlan
    private let roundsCharged: Int

    /// `roundsCharged` counts every charge in the plan's ledger, those of abandoned rounds
    /// included.
    package init(plan: PrivacyPlan, roundsCharged: Int) {
        self.plan = plan
        self.roundsCharged = roundsCharged
    }

    /// The epsilon spent so far, at the plan's delta.
    package var epsilon: Double { epsilon(after: roundsCharged) }

    /// The epsilon spent once another round is charged.
    package func afterOneMore() -> Double { epsilon(after: roundsCharged + 1) }

    /// Why another round must not start: `Fault.exhausted` saying what is left; nil when it fits
    /// the plan's limit.
    package func refusal() -> Fault? {
        guard let limit = plan.maxEpsilon, afterOneMore() > limit else { return nil }
        let left = max(0, limit - epsilon)
        return Fault(
            .exhausted,
            "\(roundsCharged) rounds have spent epsilon \(written(epsilon)) of \(written(limit)) "
                + "(delta \(plan.delta)), \(written(left)) is left, and one more round would bring "
                + "it to \(written(afterOneMore()))",
            remedy: "raise max_epsilon or the noise multiplier in a new plan")
    }

    private func epsilon(after rounds: Int) -> Double {
        RDPAccountant.epsilon(
            noiseMultiplier: plan.noiseMultiplier, samplingRate: plan.sampling.rate,
            rounds: rounds, delta: plan.delta)
    }

    /// Three decimals, for people.
    private func written(_ epsilon: Double) -> String {
        epsilon.isFinite ? "\((epsilon * 1000).rounded() / 1000)" : "infinity"
    }
}

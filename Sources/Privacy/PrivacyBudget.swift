package import Federation

/// What a population has spent of its privacy budget, and whether one more round of a plan may
/// start.
package struct PrivacyBudget: Sendable, Equatable {
    private let plan: PrivacyPlan
    private let charges: [PrivacyCharge: Int]

    /// - Parameter charges: every charge in the ledger of the plan's population, other plans' and
    ///   those of abandoned rounds included.
    package init(plan: PrivacyPlan, charges: [PrivacyCharge: Int]) {
        self.plan = plan
        self.charges = charges
    }

    /// The budget of a population that no other plan uses.
    package init(plan: PrivacyPlan, roundsCharged: Int) {
        self.init(plan: plan, charges: [PrivacyCharge(of: plan): roundsCharged])
    }

    /// The epsilon spent so far, at the plan's delta.
    package var epsilon: Double { RDPAccountant.epsilon(of: charges, delta: plan.delta) }

    /// The epsilon spent once another round is charged.
    package func afterOneMore() -> Double {
        RDPAccountant.epsilon(
            of: charges.merging([PrivacyCharge(of: plan): 1], uniquingKeysWith: +),
            delta: plan.delta)
    }

    /// Why another round must not start: `Fault.exhausted` saying what is left; nil when it fits
    /// the plan's limit.
    package func refusal() -> Fault? {
        guard let limit = plan.maxEpsilon, afterOneMore() > limit else { return nil }
        let left = max(0, limit - epsilon)
        return Fault(
            .exhausted,
            "\(charges.values.reduce(0, +)) rounds have spent epsilon \(written(epsilon)) of \(written(limit)) "
                + "(delta \(plan.delta)), \(written(left)) is left, and one more round would bring "
                + "it to \(written(afterOneMore()))",
            remedy: "raise max_epsilon or the noise multiplier in a new plan")
    }

    /// Three decimals, for people.
    private func written(_ epsilon: Double) -> String {
        epsilon.isFinite ? "\((epsilon * 1000).rounded() / 1000)" : "infinity"
    }
}

package import Federation

/// What a population has spent of its privacy budget, and whether one more round of a plan may
/// start.
package struct PrivacyBudget: Sendable, Equatable {
    /// An epsilon and the accountant that vouches for it.
    package struct Statement: Sendable, Equatable {
        package let epsilon: Double
        package let accountant: Accountant
    }

    /// Above this epsilon a privacy loss distribution is not worth its computation.
    package static let largestTightEpsilon = 1000.0

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

    /// The epsilon spent so far, at the plan's delta: the lesser of both accountants' bounds.
    package var spent: Statement { Self.statement(of: charges, delta: plan.delta) }

    /// `spent`'s epsilon.
    package var epsilon: Double { spent.epsilon }

    /// The epsilon spent once another round is charged.
    package func afterOneMore() -> Double { after(1).epsilon }

    /// What is spent once `rounds` more are charged.
    package func after(_ rounds: Int) -> Statement {
        Self.statement(of: charges(after: rounds), delta: plan.delta)
    }

    /// How many more rounds fit the plan's limit, at most `Accountant.mostRounds`; nil without one.
    package func roundsLeft() -> Int? {
        guard let limit = plan.maxEpsilon else { return nil }
        let accountant: Accountant = limit > Self.largestTightEpsilon ? .rdp : .pld
        return accountant.rounds(
            within: limit, of: PrivacyCharge(of: plan), after: charges, delta: plan.delta)
    }

    /// Why another round must not start: `Fault.exhausted` saying what is left; nil when it fits
    /// the plan's limit.
    package func refusal() -> Fault? {
        guard let limit = plan.maxEpsilon else { return nil }
        // Far from the limit the fast accountant is enough.
        let quick = RDPAccountant.epsilon(of: charges(after: 1), delta: plan.delta)
        guard quick > limit, afterOneMore() > limit else { return nil }
        let left = max(0, limit - epsilon)
        let count = charges.values.reduce(0, +)
        return Fault(
            .exhausted,
            "\(counted(count, "round")) \(count == 1 ? "has" : "have") spent epsilon"
                + " \(written(epsilon)) of \(written(limit)) "
                + "(delta \(plan.delta)), \(written(left)) is left, and one more round would bring "
                + "it to \(written(afterOneMore()))",
            remedy: "raise max_epsilon or the noise multiplier in a new plan" + whatFits(limit))
    }

    /// How much more noise would let one more round fit, if any does, in doublings of the plan's.
    private func whatFits(_ limit: Double) -> String {
        var multiplier = max(plan.noiseMultiplier, 0.5)
        for _ in 0..<10 {
            multiplier *= 2
            let charge = PrivacyCharge(
                noiseMultiplier: multiplier, samplingRate: plan.sampling.rate)
            let after = Self.statement(
                of: charges.merging([charge: 1], uniquingKeysWith: +), delta: plan.delta)
            if after.epsilon <= limit {
                return "; one round with a multiplier of \(multiplier) would fit"
            }
        }
        return ""
    }

    private func charges(after rounds: Int) -> [PrivacyCharge: Int] {
        charges.merging([PrivacyCharge(of: plan): rounds], uniquingKeysWith: +)
    }

    /// What `charges` come to at `delta`: the lesser of both accountants' bounds, of which the tight one is asked only
    /// up to `largestTightEpsilon`. Whoever checks a statement has to compute it in the same way.
    package static func statement(
        of charges: [PrivacyCharge: Int], delta: Double
    ) -> Statement {
        let fast = RDPAccountant.epsilon(of: charges, delta: delta)
        guard fast > 0, fast.isFinite else { return Statement(epsilon: fast, accountant: .rdp) }
        let tight = PLDAccountant.bound(of: charges, delta: delta).epsilon
        return tight <= min(fast, largestTightEpsilon)
            ? Statement(epsilon: tight, accountant: .pld)
            : Statement(epsilon: fast, accountant: .rdp)
    }

    /// Three decimals, for people.
    private func written(_ epsilon: Double) -> String {
        epsilon.isFinite ? "\((epsilon * 1000).rounded() / 1000)" : "infinity"
    }
}

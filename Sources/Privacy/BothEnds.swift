package import Federation

extension PrivacyPlan {
    /// What the coordinator itself, and whoever reads along with it, can learn of one agent that
    /// took part in `rounds` rounds: the epsilon of the agent's own noise at the plan's delta.
    ///
    /// It sees single updates and who sent them, so nothing is gained by sampling or by other
    /// agents' noise, and an update is compared with any other (replace-one). The agent is taken to
    /// have been in every round. Nil without local noise: the coordinator is then trusted.
    package func localEpsilon(rounds: Int) -> Double? {
        guard localNoiseMultiplier > 0 else { return nil }
        let charges = [
            PrivacyCharge(noiseMultiplier: localNoiseMultiplier, samplingRate: 1): rounds
        ]
        let fast = Accountant.rdp.epsilon(of: charges, delta: delta, neighbouring: .replaceOne)
        guard fast <= PrivacyBudget.largestTightEpsilon else { return fast }
        return min(
            fast, Accountant.pld.epsilon(of: charges, delta: delta, neighbouring: .replaceOne))
    }

    /// The least z, of those that a plan may have, with which `target` holds; nil when none does.
    package static func noiseMultiplier(
        for target: Target, samplingRate: Double, delta: Double
    ) -> Double? {
        let largest = PrivacyCharge(
            noiseMultiplier: largestNoiseMultiplier, samplingRate: samplingRate)
        // The tight accountant's search begins where the fast one's ends.
        let reached = Accountant.rdp.epsilon(of: [largest: target.rounds], delta: delta)
        guard reached <= target.epsilon else { return nil }
        let accountant: Accountant =
            target.epsilon > PrivacyBudget.largestTightEpsilon ? .rdp : .pld
        return accountant.noiseMultiplier(
            epsilon: target.epsilon, samplingRate: samplingRate, rounds: target.rounds,
            delta: delta)
    }
}

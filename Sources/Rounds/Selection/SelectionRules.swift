package import Federation

/// How many agents a round wants and when it may stop waiting for them.
///
/// Private rounds are stricter (design, section 5): one coin an agent, never redrawn; no over-selection, no re-issue, no
/// minimum and no early close, or the accountant would describe something else than what ran.
package struct SelectionRules: Sendable, Equatable {
    /// Whether the plan adds noise and accounts for it.
    package let isPrivate: Bool
    /// Updates with which a round without privacy closes; nil in private rounds, which wait for everyone selected.
    package let target: Int?
    /// Places in the cohort; nil when every coin that says yes gets one.
    package let places: Int?
    /// Fewest updates worth aggregating at the deadline; 0 in private rounds, which always release.
    package let minimum: Int
    package let selectionSeconds: Double
    package let reportSeconds: Double
    package let leaseSeconds: Double
    /// The probability of a coin that says yes.
    package let samplingRate: Double

    package init(plan: Plan) {
        isPrivate = plan.privacy != nil
        target = isPrivate ? nil : plan.round.agents
        // Without the small step back, 100 agents at 1.1 would be 111 places: the product is 110.00000000000001.
        let places = Double(plan.round.agents) * plan.round.overSelection - 1e-6
        self.places = isPrivate ? nil : Int(places.rounded(.up))
        minimum = isPrivate ? 0 : plan.round.minimum
        selectionSeconds = plan.round.selectionSeconds
        reportSeconds = plan.round.reportSeconds
        leaseSeconds = plan.round.leaseSeconds
        samplingRate = plan.privacy?.sampling.rate ?? 1
    }

    /// Draws one agent's coin: true with probability `samplingRate`, from 53 random bits.
    ///
    /// The caller stores the outcome before it acts on it and never draws again for the same round and agent.
    package func drawCoin(random: inout some RandomSource) -> Bool {
        samplingRate >= 1 || random.unitInterval() < samplingRate
    }
}

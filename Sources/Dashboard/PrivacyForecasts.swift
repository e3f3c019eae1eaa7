import Federation
import Privacy
import Registry
import Wire

/// What further rounds would cost, computed off the threads that answer and kept until another round is charged.
actor PrivacyForecasts {
    /// What a population has spent and what is left of it.
    struct Forecast: Sendable {
        let epsilon: Double
        let accountant: Accountant
        /// Nil without a limit.
        let roundsLeft: Int?
        /// Further rounds, and epsilon after them; the first is now.
        let curve: [(rounds: Int, epsilon: Double)]
    }

    /// Points of a curve.
    private static let points = 8
    /// A curve without a limit goes on for as many rounds again, and at least for so many.
    private static let leastAhead = 8

    private let work: BlockingWork
    private var kept: [String: (charges: UInt64, forecast: Forecast)] = [:]

    init(work: BlockingWork) { self.work = work }

    /// - Parameter ledger: with every charge.
    /// - Throws: never but for a defect of this program.
    func forecast(of ledger: LedgerRecord) async throws(Fault) -> Forecast {
        let key =
            "\(ledger.plan) \(ledger.noiseMultiplier) \(ledger.samplingRate) \(ledger.delta)"
            + " \(ledger.maxEpsilon)"
        if let found = kept[key], found.charges == ledger.total { return found.forecast }
        let forecast = try await work.run { () throws(Fault) in Self.computed(ledger) }
        // A plan's text may change again and again.
        if kept.count > 100 { kept = [:] }
        kept[key] = (ledger.total, forecast)
        return forecast
    }

    private static func computed(_ ledger: LedgerRecord) -> Forecast {
        let plan = PrivacyPlan(
            noiseMultiplier: ledger.noiseMultiplier, delta: ledger.delta,
            sampling: ledger.samplingRate < 1 ? .poisson(rate: ledger.samplingRate) : .everyone,
            agents: 1, maxEpsilon: ledger.maxEpsilon < 0 ? nil : ledger.maxEpsilon)
        var charges: [PrivacyCharge: Int] = [:]
        for charge in ledger.charges {
            let kind = PrivacyCharge(
                noiseMultiplier: charge.noiseMultiplier, samplingRate: charge.samplingRate)
            charges[kind, default: 0] += 1
        }
        let budget = PrivacyBudget(plan: plan, charges: charges)
        let spent = budget.spent
        let left = budget.roundsLeft()
        let most = left ?? max(leastAhead, ledger.charges.count)
        let steps = Set((0...points).map { most * $0 / points }).sorted()
        return Forecast(
            epsilon: spent.epsilon, accountant: spent.accountant, roundsLeft: left,
            curve: steps.map { ($0, $0 == 0 ? spent.epsilon : budget.after($0).epsilon) })
    }
}

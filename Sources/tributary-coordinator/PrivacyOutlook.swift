import AdminConsole
import Federation
import Privacy
import Wire

/// What a population has spent, what its plan allows, and what further rounds would cost.
struct PrivacyOutlook {
    private let ledger: LedgerRecord
    private let spent: PrivacyBudget.Statement
    /// Rounds that still fit; nil without a limit.
    private let roundsLeft: Int?
    /// Further rounds, and the epsilon after them.
    private let curve: [(rounds: Int, epsilon: Double)]

    init(_ ledger: LedgerRecord) {
        self.ledger = ledger
        let plan = PrivacyPlan(
            noiseMultiplier: ledger.noiseMultiplier, delta: ledger.delta,
            sampling: ledger.samplingRate < 1 ? .poisson(rate: ledger.samplingRate) : .everyone,
            agents: 1, maxEpsilon: ledger.maxEpsilon < 0 ? nil : ledger.maxEpsilon)
        var charges: [PrivacyCharge: Int] = [:]
        for charge in ledger.charges {
            charges[
                PrivacyCharge(
                    noiseMultiplier: charge.noiseMultiplier, samplingRate: charge.samplingRate),
                default: 0] += 1
        }
        let budget = PrivacyBudget(plan: plan, charges: charges)
        spent = budget.spent
        let left = budget.roundsLeft()
        roundsLeft = left
        curve = Self.steps(upTo: left ?? max(8, 2 * ledger.charges.count)).map {
            ($0, budget.after($0).epsilon)
        }
    }

    /// Up to eight numbers of rounds, evenly from few to `most`, which is the last.
    private static func steps(upTo most: Int) -> [Int] {
        let count = min(8, most)
        return (1...8).prefix(count).map { $0 * (most / count) + $0 * (most % count) / count }
    }

    var json: JSONValue {
        .object([
            ("plan", .string(ledger.plan)), ("population", .string(ledger.population)),
            ("charges", .number(ledger.total)), ("epsilon", .decimal(spent.epsilon)),
            ("delta", .decimal(ledger.delta)), ("accountant", .string(spent.accountant.rawValue)),
            ("noise_multiplier", .decimal(ledger.noiseMultiplier)),
            ("sampling_rate", .decimal(ledger.samplingRate)),
            ("max_epsilon", .measured(ledger.maxEpsilon)),
            ("epsilon_left", epsilonLeft.map { .decimal($0) } ?? .null),
            ("rounds_left", roundsLeft.map { .number(UInt64($0)) } ?? .null),
            (
                "curve",
                .array(
                    curve.map {
                        .object([
                            ("rounds", .number(UInt64($0.rounds))),
                            ("epsilon", .decimal($0.epsilon)),
                        ])
                    })
            ),
        ])
    }

    private var epsilonLeft: Double? {
        ledger.maxEpsilon < 0 ? nil : max(0, ledger.maxEpsilon - spent.epsilon)
    }

    var text: String {
        var lines = [
            ("population", ledger.population),
            (
                "spent",
                "epsilon \(privacyLoss(spent.epsilon)) at delta \(ledger.delta) in"
                    + " \(ledger.total) rounds (\(spent.accountant.rawValue.uppercased()))"
            ),
            (
                "a round of \(ledger.plan)",
                "noise \(ledger.noiseMultiplier) times the clipping norm, sampling rate"
                    + " \(ledger.samplingRate)"
            ),
        ]
        if let epsilonLeft, let roundsLeft {
            lines.append(
                (
                    "left",
                    "epsilon \(privacyLoss(epsilonLeft)) of \(privacyLoss(ledger.maxEpsilon)),"
                        + " \(roundsLeft) rounds"
                ))
        } else {
            lines.append(("left", "no limit: the plan has no max_epsilon"))
        }
        return keyValues(lines) + "\n" + bars
    }

    /// A bar for each point of the curve, as long as its epsilon.
    private var bars: String {
        let widest = 40.0
        let full = max(
            ledger.maxEpsilon, curve.map(\.epsilon).filter(\.isFinite).max() ?? 0, spent.epsilon)
        guard full > 0, full.isFinite, !curve.isEmpty else { return "" }
        var table = Table([("MORE ROUNDS", .right), ("EPSILON", .right), ("", .left)])
        for point in [(rounds: 0, epsilon: spent.epsilon)] + curve {
            let length = point.epsilon.isFinite ? point.epsilon / full * widest : widest
            table.add([
                String(point.rounds), privacyLoss(point.epsilon),
                String(repeating: "#", count: Int(length.rounded())),
            ])
        }
        return table.text(width: nil)
    }
}

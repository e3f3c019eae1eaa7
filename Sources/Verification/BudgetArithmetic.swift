import Federation
import Privacy
import Provenance

/// What a `budgetCharged` leaf says.
struct BudgetCharge: Equatable {
    let position: UInt64
    let plan: PlanID
    let population: String
    let at: RoundAttempt
    let charge: PrivacyCharge
    let delta: Double
    /// What the coordinator says is spent with it.
    let epsilon: Double

    /// The most noise that a plan can ask for is far less.
    private static let largestNoiseMultiplier = 1e6

    /// nil when a field is missing, malformed or no number that an accountant takes.
    init?(_ fields: LeafFields, position: UInt64) {
        guard let plan = fields.text("plan").flatMap(PlanID.init),
            let population = fields.text("population"), let at = fields.roundAttempt,
            let multiplier = fields.decimal("noiseMultiplier"),
            let rate = fields.decimal("samplingRate"), let delta = fields.decimal("delta"),
            let epsilon = fields.decimal("epsilon"),
            (0...Self.largestNoiseMultiplier).contains(multiplier), rate > 0, rate <= 1,
            delta > 0, delta < 1, epsilon >= 0
        else { return nil }
        self.position = position
        self.plan = plan
        self.population = population
        self.at = at
        charge = PrivacyCharge(noiseMultiplier: multiplier, samplingRate: rate)
        self.delta = delta
        self.epsilon = epsilon
    }
}

/// Recomputes what the charges of a population come to.
enum BudgetArithmetic {
    /// How many of the last charges are recomputed; each takes some milliseconds. What the last
    /// one claims covers all before it.
    static let mostRecomputed = 256
    /// Machines differ in the last digits of logarithms.
    static let tolerance = 1e-6

    /// Checks the charges of one population, in the log's order.
    ///
    /// - Parameter last: how many of the last ones are recomputed.
    /// - Returns: what was found, for a person.
    /// - Throws: `Fault.untrusted` naming the first leaf that claims less than what follows.
    static func check(_ charges: [BudgetCharge], last: Int) throws(Fault) -> String {
        var counts: [PrivacyCharge: Int] = [:]
        var claimed: [Double: Double] = [:]
        var seen: Set<RoundAttempt> = []
        for (index, charge) in charges.enumerated() {
            counts[charge.charge, default: 0] += 1
            guard seen.insert(charge.at).inserted else {
                throw wrong("leaf \(charge.position) charges round \(charge.at) once more")
            }
            if let before = claimed[charge.delta], charge.epsilon < before * (1 - tolerance) {
                throw wrong(
                    "leaf \(charge.position) claims epsilon \(charge.epsilon), less than the"
                        + " \(before) before it")
            }
            claimed[charge.delta] = charge.epsilon
            guard charges.count - index <= last else { continue }
            let follows = epsilon(of: counts, delta: charge.delta)
            guard charge.epsilon >= follows * (1 - tolerance) else {
                throw wrong(
                    "leaf \(charge.position) claims epsilon \(charge.epsilon) after"
                        + " \(index + 1) charges, and \(follows) follows from them")
            }
        }
        return charges.last.map {
            "\(charges.count) charges, epsilon \($0.epsilon) at delta \($0.delta)"
        } ?? "no charges"
    }

    /// What the coordinator states of the same charges.
    static func epsilon(of charges: [PrivacyCharge: Int], delta: Double) -> Double {
        PrivacyBudget.statement(of: charges, delta: delta).epsilon
    }

    /// Checks that no round of a private plan was sealed without a charge before it.
    ///
    /// A plan's text is private when a round of it was charged.
    ///
    /// - Throws: `Fault.untrusted` naming the first leaf of a round that was not paid for.
    static func checkRounds(
        of plan: PlanID, in history: LogHistory, before end: UInt64 = .max
    ) throws(Fault) {
        let texts = (history.plans[plan] ?? []).map(\.position)
        /// Which of the plan's texts held at a position.
        func text(at position: UInt64) -> Int { texts.count { $0 <= position } }
        var charged: [RoundAttempt: UInt64] = [:]
        var isPrivate: Set<Int> = []
        for charge in history.charges where charge.plan == plan && charge.position < end {
            if charged[charge.at] == nil { charged[charge.at] = charge.position }
            isPrivate.insert(text(at: charge.position))
        }
        for round in history.sealedRounds
        where round.plan == plan && round.position < end
            && isPrivate.contains(text(at: round.position))
        {
            guard let position = charged[round.at], position < round.position else {
                throw wrong(
                    "leaf \(round.position) seals round \(round.at) of \(plan), and no charge"
                        + " comes before it")
            }
        }
    }
}

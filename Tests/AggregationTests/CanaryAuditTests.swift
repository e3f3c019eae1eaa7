import Aggregation
import Federation
import Foundation
import Privacy
import Testing
import UpdateCodec

/// How often something happened.
private struct Frequency {
    var count = 0
    var trials = 0

    /// The ends of the Clopper and Pearson interval, each missed with probability at most `error`.
    func bounds(error: Double) -> (lower: Double, upper: Double) {
        (
            lower: count == 0
                ? 0 : Self.root { tail(from: count, probability: $0) >= error },
            upper: count == trials
                ? 1 : Self.root { 1 - tail(from: count + 1, probability: $0) <= error }
        )
    }

    /// P(at least `first` of the trials) when each has this probability.
    private func tail(from first: Int, probability: Double) -> Double {
        guard probability > 0 else { return first == 0 ? 1 : 0 }
        guard probability < 1 else { return 1 }
        return (first...trials).reduce(0) { sum, hits in
            let ways =
                lgamma(Double(trials + 1)) - lgamma(Double(hits + 1))
                - lgamma(Double(trials - hits + 1))
            return sum
                + exp(
                    ways + Double(hits) * log(probability)
                        + Double(trials - hits) * log1p(-probability))
        }
    }

    /// Where in (0, 1) `holds` begins to.
    private static func root(_ holds: (Double) -> Bool) -> Double {
        var (low, high) = (0.0, 1.0)
        for _ in 0..<40 {
            let middle = (low + high) / 2
            if holds(middle) { high = middle } else { low = middle }
        }
        return (low + high) / 2
    }
}

/// Guesses from the released sums of one round whether one agent took part, and bounds epsilon by
/// how often the guess is right.
private struct CanaryAudit {
    /// Of each kind: half of them choose the threshold, the other half are counted.
    static let trials = 4000
    /// That the bound is above the true epsilon has at most this probability.
    static let error = 2e-4

    let plan: Plan
    let lattice: Lattice
    /// The updates of the agents that an attacker knows.
    let others: [[Int8]]
    /// The update in question, the longest in the direction of its own that a coordinator accepts.
    let canary: [Int8]

    init(plan: Plan) throws {
        self.plan = plan
        lattice = Lattice(plan: plan, rotationSeed: 5)
        others = try sampleUpdates(3, lattice: lattice).map(\.values)
        var random = SeededRandom(seed: 6)
        let delta = (0..<lattice.parameters).map { Float($0 % 7) - 3 }
        var values = try UpdateCodec.encode(delta: delta, lattice: lattice, random: &random).values
        // Clipped it is already; now one step more on one coordinate after another, until the norm
        // bound allows no more.
        var index = 0
        var longer = values
        while index < values.count {
            longer[index] += longer[index] < 0 ? -1 : 1
            if lattice.admits(longer) { values = longer } else { longer = values }
            index += 1
        }
        canary = values
    }

    private var norm: Double {
        canary.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
    }

    /// How much the canary's direction there is in a round's release, in steps.
    private func release(
        by plan: Plan, withCanary: Bool, random: inout SeededRandom
    ) throws -> Double {
        var sum = ExactSum(lattice: lattice, maxWeight: plan.maxUpdateWeight)
        for values in others { try sum.fold(values, weight: 1) }
        if withCanary, plan.privacy?.sampling.takesPart(&random) == true {
            try sum.fold(canary, weight: 1)
        }
        let released = try aggregate(sum: sum, plan: plan, noise: &random).sums
        let known = lattice.dimension
        return (0..<known).reduce(0.0) { total, index in
            let others = others.reduce(Int64(0)) { $0 + Int64($1[index]) }
            return total + Double(released[index] - others) * Double(canary[index])
        } / norm
    }

    /// A lower bound of epsilon at the plan's delta for what releases by `released` show.
    func epsilon(releasedBy released: Plan, seed: UInt64) throws -> Double {
        var random = SeededRandom(seed: seed)
        let delta = try #require(plan.privacy?.delta)
        var (with, without) = ([Double](), [Double]())
        for _ in 0..<Self.trials {
            with.append(try release(by: released, withCanary: true, random: &random))
            without.append(try release(by: released, withCanary: false, random: &random))
        }
        let half = Self.trials / 2
        func frequency(_ values: ArraySlice<Double>, above threshold: Double) -> Frequency {
            Frequency(count: values.count { $0 > threshold }, trials: values.count)
        }
        // P(with) <= e^epsilon P(without) + delta.
        func bound(_ threshold: Double, _ part: Range<Int>) -> Double {
            let hits = frequency(with[part], above: threshold).bounds(error: Self.error / 2)
            let alarms = frequency(without[part], above: threshold).bounds(error: Self.error / 2)
            return log(max(hits.lower - delta, .leastNonzeroMagnitude) / alarms.upper)
        }
        let candidates = stride(from: 0.0, through: 3.5, by: 0.25).map { $0 * norm }
        let best = candidates.max { bound($0, 0..<half) < bound($1, 0..<half) }
        return bound(try #require(best), half..<Self.trials)
    }
}

extension PrivacyPlan.Sampling {
    fileprivate func takesPart(_ random: inout SeededRandom) -> Bool {
        Double(random.next() >> 11) * 0x1p-53 < rate
    }
}

/// Releases of one round with and without a worst-case update, through the code that releases real
/// rounds. A large delta makes differences in the tails, which few trials reach, count less.
@Suite("A canary audit of the noise")
struct CanaryAuditTests {
    private static func plan(_ sampling: PrivacyPlan.Sampling, multiplier: Double) -> Plan {
        var privacy = PrivacyPlan.sample(noiseMultiplier: multiplier)
        privacy.sampling = sampling
        privacy.delta = 0.01
        return Plan.sample(privacy: privacy)
    }

    private static func claimed(_ plan: Plan) throws -> Double {
        PrivacyBudget(plan: try #require(plan.privacy), roundsCharged: 1).epsilon
    }

    @Test("the canary is as long as the norm bound lets it be")
    func canary() throws {
        let audit = try CanaryAudit(plan: Self.plan(.everyone, multiplier: 1))
        let squares = audit.canary.reduce(0) { $0 + Int64($1) * Int64($1) }
        #expect(audit.lattice.admits(audit.canary))
        #expect(Double(squares) > 0.99 * Double(audit.lattice.squaredNormBound))
    }

    @Test(
        "no attack proves a larger epsilon than is claimed, and one comes near",
        arguments: [(PrivacyPlan.Sampling.everyone, 0.4), (.poisson(rate: 0.5), 0.2)])
    func claimHolds(sampling: PrivacyPlan.Sampling, share: Double) throws {
        let plan = Self.plan(sampling, multiplier: 1)
        let proved = try CanaryAudit(plan: plan).epsilon(releasedBy: plan, seed: 1)
        let claimed = try Self.claimed(plan)
        #expect(proved <= claimed, "claimed \(claimed)")
        #expect(proved > share * claimed, "claimed \(claimed)")
    }

    @Test(
        "half the noise is found out",
        arguments: [PrivacyPlan.Sampling.everyone, .poisson(rate: 0.5)])
    func halvedNoise(sampling: PrivacyPlan.Sampling) throws {
        let plan = Self.plan(sampling, multiplier: 1)
        let halved = Self.plan(sampling, multiplier: 0.5)
        let proved = try CanaryAudit(plan: plan).epsilon(releasedBy: halved, seed: 1)
        let claimed = try Self.claimed(plan)
        #expect(proved > claimed, "claimed \(claimed)")
    }

    @Test("confidence bounds of frequencies are Clopper and Pearson's")
    func confidence() {
        // Of 0 of n the upper bound is 1 - error^(1/n); 5 of 10 has 0.187 to 0.813 at 95 %.
        let none = Frequency(count: 0, trials: 100).bounds(error: 0.025)
        #expect(none.lower == 0)
        #expect(abs(none.upper - (1 - pow(0.025, 0.01))) < 1e-9)
        let half = Frequency(count: 5, trials: 10).bounds(error: 0.025)
        #expect(abs(half.lower - 0.18709) < 1e-5)
        #expect(abs(half.upper - 0.81291) < 1e-5)
    }
}

package import Federation
import Glibc

/// Renyi differential privacy of rounds of Gaussian noise, with or without Poisson sampling,
/// converted to (epsilon, delta).
///
/// The unit protected is one agent's whole participation. Orders, series and conversion are those
/// of Google's dp-accounting, so an auditor gets the same numbers from it.
package enum RDPAccountant {
    /// The Renyi orders tried: 1.1, 1.2, ... 10.9, 11, 12, ... 63, 128, 256, 512, 1024.
    package static let orders: [Double] =
        (1..<100).map { 1 + Double($0) / 10 } + (11...63).map(Double.init) + [128, 256, 512, 1024]

    /// The epsilon that `rounds` rounds spend at `delta`.
    ///
    /// - Parameters:
    ///   - noiseMultiplier: z, the noise's standard deviation over the sensitivity; 0 protects
    ///     nothing.
    ///   - samplingRate: q, the probability with which an independent coin lets an agent into a
    ///     round; 1 for everyone.
    ///   - delta: in (0, 1).
    ///   - neighbouring: under `replaceOne`, `samplingRate` may also be that of samples of fixed
    ///     size.
    /// - Returns: at least 0; infinite without noise.
    package static func epsilon(
        noiseMultiplier: Double, samplingRate: Double, rounds: Int, delta: Double,
        neighbouring: Neighbouring = .addOrRemove
    ) -> Double {
        let charge = PrivacyCharge(noiseMultiplier: noiseMultiplier, samplingRate: samplingRate)
        return epsilon(of: [charge: rounds], delta: delta, neighbouring: neighbouring)
    }

    /// The epsilon that rounds of different noise and sampling spend together at `delta`: their
    /// divergences add up order by order.
    ///
    /// - Parameter charges: how many rounds of each kind.
    /// - Returns: at least 0; infinite when a round had no noise.
    package static func epsilon(
        of charges: [PrivacyCharge: Int], delta: Double, neighbouring: Neighbouring = .addOrRemove
    ) -> Double {
        var totals = [Double](repeating: 0, count: orders.count)
        var isSpent = false
        // In a fixed order, so that equal charges give equal bits.
        for (charge, rounds) in charges.sorted(by: { $0.key < $1.key })
        where rounds > 0 && charge.samplingRate > 0 {
            guard charge.noiseMultiplier > 0 else { return .infinity }
            isSpent = true
            let divergences = divergences(of: charge, neighbouring)
            for index in totals.indices { totals[index] += divergences[index] * Double(rounds) }
        }
        guard isSpent else { return 0 }
        var best = Double.infinity
        for (order, divergence) in zip(orders, totals) {
            best = min(best, epsilon(order: order, divergence: divergence, delta: delta))
        }
        return max(0, best)
    }

    /// The least z, to 1e-9 of itself and never too small, with which `rounds` rounds stay within
    /// `epsilon`.
    ///
    /// - Parameter target: above 0.
    package static func noiseMultiplier(
        epsilon target: Double, samplingRate: Double, rounds: Int, delta: Double,
        neighbouring: Neighbouring = .addOrRemove
    ) -> Double {
        precondition(target > 0, "no noise reaches an epsilon of \(target)")
        guard rounds > 0, samplingRate > 0 else { return 0 }
        func suffices(_ multiplier: Double) -> Bool {
            epsilon(
                noiseMultiplier: multiplier, samplingRate: samplingRate, rounds: rounds,
                delta: delta, neighbouring: neighbouring) <= target
        }
        var high = 1.0
        while !suffices(high) { high *= 2 }
        var low = high / 2
        while low > 1e-6, suffices(low) { (low, high) = (low / 2, low) }
        while high - low > 1e-9 * high {
            let middle = (low + high) / 2
            if suffices(middle) { high = middle } else { low = middle }
        }
        return high
    }

    /// The epsilon that one order's divergence gives at `delta` (Canonne, Kamath and Steinke 2020,
    /// proposition 12).
    private static func epsilon(order: Double, divergence: Double, delta: Double) -> Double {
        // Total variation is at most sqrt(1 - e^-divergence): within delta, nothing is spent at
        // all.
        if delta * delta + expm1(-divergence) > 0 { return 0 }
        return divergence + log1p(-1 / order) - log(delta * order) / (order - 1)
    }

    /// The Renyi divergence of one round at each of `orders`.
    private static func divergences(
        of charge: PrivacyCharge, _ neighbouring: Neighbouring
    ) -> [Double] {
        let multiplier = charge.noiseMultiplier / neighbouring.sensitivity
        guard charge.samplingRate < 1 else {
            return orders.map { $0 / (2 * multiplier * multiplier) }
        }
        switch neighbouring {
        case .addOrRemove:
            let round = SubsampledGaussian(
                noiseMultiplier: multiplier, samplingRate: charge.samplingRate)
            return orders.map { round.divergence(order: $0) }
        case .replaceOne:
            let round = ReplacedInSample(
                noiseMultiplier: multiplier, samplingRate: charge.samplingRate)
            return orders.map { round.divergence(order: $0) }
        }
    }
}

/// The least number of agents with which `rounds` rounds of `plan` spend at most `target`, at the
/// same noise per parameter of the average.
///
/// Noise in the average is z B / (q N): at N' agents the same noise allows z' = z N' / N. `Int.max`
/// when no number does, which is so when the plan has no noise or `target` is not above 0.
package func agentsForEpsilon(_ target: Double, plan: PrivacyPlan, rounds: Int) -> Int {
    guard rounds > 0 else { return 1 }
    guard target > 0, plan.noiseMultiplier > 0 else { return .max }
    func suffice(_ agents: Int) -> Bool {
        RDPAccountant.epsilon(
            noiseMultiplier: plan.noiseMultiplier * Double(agents) / Double(plan.agents),
            samplingRate: plan.sampling.rate, rounds: rounds, delta: plan.delta) <= target
    }
    var high = 1
    while !suffice(high) {
        guard high < 1 << 60 else { return .max }
        high *= 2
    }
    var low = high / 2
    while high - low > 1 {
        let middle = low + (high - low) / 2
        if suffice(middle) { high = middle } else { low = middle }
    }
    return high
}

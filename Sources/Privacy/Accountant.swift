import Federation
import Glibc

/// A way to account for rounds; each gives an upper bound, so the lesser of both holds too.
package enum Accountant: String, Sendable, CaseIterable {
    /// `PLDAccountant`: tight.
    case pld
    /// `RDPAccountant`: fast.
    case rdp

    /// The most rounds that `rounds(within:)` counts to.
    package static let mostRounds = 1_000_000_000

    /// The epsilon that `charges` spend together at `delta`: at least 0, infinite when a round had
    /// no noise.
    package func epsilon(
        of charges: [PrivacyCharge: Int], delta: Double, neighbouring: Neighbouring = .addOrRemove
    ) -> Double {
        switch self {
        case .pld:
            PLDAccountant.bound(of: charges, delta: delta, neighbouring: neighbouring).epsilon
        case .rdp:
            RDPAccountant.epsilon(of: charges, delta: delta, neighbouring: neighbouring)
        }
    }

    /// A z that keeps `rounds` rounds within `target` > 0; 0 when they spend nothing anyway.
    ///
    /// It is at most 1e-5 of itself above the least, by an accountant that for `pld` takes a coarse
    /// grid of losses: many rounds of little loss get some percent more noise than they need.
    package func noiseMultiplier(
        epsilon target: Double, samplingRate: Double, rounds: Int, delta: Double,
        neighbouring: Neighbouring = .addOrRemove
    ) -> Double {
        let start = RDPAccountant.noiseMultiplier(
            epsilon: target, samplingRate: samplingRate, rounds: rounds, delta: delta,
            neighbouring: neighbouring)
        guard self == .pld, start > 0 else { return start }
        /// How far above the target, as a logarithm.
        func excess(_ multiplier: Double) -> Double {
            let charge = PrivacyCharge(noiseMultiplier: multiplier, samplingRate: samplingRate)
            let spent = PLDAccountant.coarseEpsilon(
                of: charge, rounds: rounds, delta: delta, neighbouring: neighbouring)
            return spent > target
                ? max(log(spent / target), .leastNonzeroMagnitude) : log(spent / target)
        }
        // The target is to hold on the usual grid too, whatever rounding did.
        return Self.leastMultiplier(below: start, excess: excess) { multiplier in
            let charge = PrivacyCharge(noiseMultiplier: multiplier, samplingRate: samplingRate)
            return epsilon(of: [charge: rounds], delta: delta, neighbouring: neighbouring)
                <= target
        }
    }

    /// Searches the z at which `excess` falls to 0, from one where it should be about there or
    /// below; the result `isMet`, or is `start`.
    private static func leastMultiplier(
        below start: Double, excess: (Double) -> Double, isMet: (Double) -> Bool
    ) -> Double {
        // Where grids are coarse, the tight accountant may be the looser one by a hair.
        var high = start
        var excessHigh = excess(high)
        while excessHigh > 0 {
            high *= 1.02
            // No grid resolves so little.
            guard high < 2 * start else { return start }
            excessHigh = excess(high)
        }
        var low = 0.9 * high
        var excessLow = excess(low)
        while excessLow <= 0 {
            (high, excessHigh) = (low, excessLow)
            low *= 0.9
            // A target so large that hardly any noise is needed.
            guard low > 1e-6 else { return high }
            excessLow = excess(low)
        }
        // The logarithm of epsilon is nearly a straight line in that of z.
        while high - low > 1e-5 * high {
            let slope = (excessHigh - excessLow) / log(high / low)
            var next = low * exp(-excessLow / slope)
            let margin = max(2e-6 * high, 0.02 * (high - low))
            next = slope.isFinite ? min(max(next + 2e-6 * high, low + margin), high - margin) : 0
            if !(low < next && next < high) { next = (low + high) / 2 }
            let excessNext = excess(next)
            if excessNext <= 0 {
                (high, excessHigh) = (next, excessNext)
            } else {
                (low, excessLow) = (next, excessNext)
            }
        }
        var step = 1e-5
        while high < start, !isMet(high) {
            high *= 1 + step
            step *= 2
        }
        return high
    }

    /// How many rounds of `charge`'s kind fit `target` after those of `spent`; at most
    /// `mostRounds`.
    package func rounds(
        within target: Double, of charge: PrivacyCharge, after spent: [PrivacyCharge: Int] = [:],
        delta: Double, neighbouring: Neighbouring = .addOrRemove
    ) -> Int {
        func fit(_ rounds: Int) -> Bool {
            let charges = spent.merging([charge: rounds], uniquingKeysWith: +)
            return epsilon(of: charges, delta: delta, neighbouring: neighbouring) <= target
        }
        // The fast accountant's answer is a good place to start from.
        var low =
            self == .pld
            ? Accountant.rdp.rounds(
                within: target, of: charge, after: spent, delta: delta, neighbouring: neighbouring)
            : 0
        var step = max(1, low / 8)
        while low < Self.mostRounds {
            let next = min(Self.mostRounds, low + step)
            guard fit(next) else { break }
            low = next
            step *= 2
        }
        var high = min(Self.mostRounds, low + step)
        while high - low > 1 {
            let middle = low + (high - low) / 2
            if fit(middle) { low = middle } else { high = middle }
        }
        return low
    }
}

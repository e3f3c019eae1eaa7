package import Federation
import Glibc

extension Lattice {
    /// The lattice of a round of `plan`: step = kappa C / (127 sqrt D), in float32.
    ///
    /// `rotationSeed` is public and fresh for each round.
    package init(plan: Plan, rotationSeed: UInt64) {
        self.init(
            parameters: plan.parameterCount, clippingNorm: plan.clipping.norm, step: 0,
            kappa: plan.clipping.kappa, rotationSeed: rotationSeed)
        step = kappa * clippingNorm / (127 * Float(dimension).squareRoot())
    }

    /// The largest squared norm, in steps, that an update may have: floor(B^2), where B is the
    /// integer sensitivity of a sum to one agent.
    ///
    /// With x = C / step and D coordinates, B^2 is the smaller of the worst case of rounding,
    /// (x + sqrt D)^2, and of what stochastic rounding keeps to with probability at least 1 - beta,
    /// x^2 + D/4 + sqrt(2 ln(1/beta)) (x + sqrt(D)/2), with beta = e^-1/2 (Kairouz, Liu and Steinke
    /// 2021); an update beyond it is rounded again. No update whose coordinates are within +-127
    /// exceeds 127^2 D, so neither does this.
    ///
    /// x is taken as 127 sqrt(D) / kappa, not as the quotient of two rounded float32 values: the
    /// bound then depends on kappa and D alone, stays when an adaptive C moves the step, and is the
    /// same integer on every machine.
    package var squaredNormBound: Int64 {
        let size = Double(dimension)
        let root = size.squareRoot()
        let clip = 127 * root / Double(kappa)
        let worst = (clip + root) * (clip + root)
        let likely = clip * clip + size / 4 + clip + root / 2
        return Int64(min(worst, likely, 127 * 127 * size))
    }

    /// Whether `values` may be added on this lattice: D of them, each in -127...127, and a squared
    /// norm of at most `squaredNormBound`.
    package func admits(_ values: [Int8]) -> Bool {
        guard values.count == dimension else { return false }
        var squares: Int64 = 0
        for value in values {
            guard value != Int8.min else { return false }
            squares += Int64(value) * Int64(value)
        }
        return squares <= squaredNormBound
    }
}

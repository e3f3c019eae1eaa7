package import Federation
import Glibc
import Kernels

extension Lattice {
    /// The lattice of a round of `plan`: step = kappa C / (127 sqrt D), in float32.
    ///
    /// Its elements are wide enough for the noise that agents add, if they do.
    ///
    /// - Parameters:
    ///   - clippingNorm: where an adaptive C has come to; nil for the plan's own.
    ///   - rotationSeed: public, and fresh for each round.
    package init(plan: Plan, clippingNorm: Float? = nil, rotationSeed: UInt64) {
        self.init(
            parameters: plan.parameterCount, clippingNorm: clippingNorm ?? plan.clipping.norm,
            step: 0, kappa: plan.clipping.kappa, rotationSeed: rotationSeed)
        step = kappa * self.clippingNorm / (127 * Float(dimension).squareRoot())
        if let local = plan.privacy?.localNoiseMultiplier, local > 0 {
            let reach = Lattice.reach(
                sigma: (local * Double(squaredNormBound).squareRoot()).rounded(.up))
            elementBits =
                [16, 32].first { reach <= Double(Self.largestMagnitude(elementBits: $0)) } ?? 64
        }
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

    /// Whether `elements` may be added on this lattice: D of them, of its width and range. On the
    /// int8 lattice their squared norm is at most `squaredNormBound` too; wider ones carry the
    /// agents' own noise, under which no norm can be seen.
    package func admits(_ elements: UpdateElements) -> Bool {
        switch elements {
        case .int8(let values): return elementBits == 8 && admits(values)
        case .wide(let values):
            let range = -largestMagnitude...largestMagnitude
            return elementBits > 8 && values.count == dimension
                && values.allSatisfy { range.contains($0) }
        }
    }

    /// Whether int8 `values` may be added: D of them, each in -127...127, and a squared norm of at
    /// most `squaredNormBound`.
    package func admits(_ values: [Int8]) -> Bool { values.withUnsafeBufferPointer(admits) }

    /// The same of values elsewhere.
    package func admits(_ values: UnsafeBufferPointer<Int8>) -> Bool {
        guard values.count == dimension, let squares = Accumulate.squaredNorm(values) else {
            return false
        }
        return squares <= squaredNormBound
    }
}

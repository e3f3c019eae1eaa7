/// What the discrete Gaussian's magnitudes are proposed from: runs of consecutive integers of one
/// width, each with a weight, and one tail beyond them.
///
/// Run k holds k width ..< (k + 1) width; there are `runs` of them, at most 255, which reach to 7.9
/// sigma or further. The weights are integers that add up to 2^64. Run k's is at least scale
/// f(k width), for f(x) = e^(-x^2 / (2 sigma^2)), which falls; so no probability of keeping a
/// proposal exceeds 1.
package struct GaussianProposals: Sendable {
    /// Bits of a run's width, a power of two: at most sigma / 16, at least 1.
    package let widthBits: Int
    /// Bits of the tail's blocks: the smallest power of two that is at least sigma.
    package let tailBits: Int
    /// How many there are, without the tail.
    package let runs: Int
    /// What f is multiplied by to compare it with the weights.
    package let scale: UInt64
    /// One a run, then the tail's; the rest are 0.
    package let weights: [UInt64]
    /// A proposal from run k is certain to be kept when the first 32 bits of its V are below
    /// `certain`[k]; 0 in the tail.
    package let certain: [UInt32]
    /// Walker's aliases: a uniform word chooses column word >> 56; its low 56 bits choose between
    /// the column's own run, below `cuts`, and the run `others`.
    package let cuts: [UInt64]
    /// See `cuts`.
    package let others: [UInt8]

    /// Kept free for the tail. It needs 2 scale f(runs width) 2^(tailBits - widthBits), less than
    /// 2^21: with sigma >= 16 scale is below 2^60, f below 2^-45 and the last factor at most 32;
    /// otherwise they are below 2^64, 2^-184 and at most 16.
    private static let reserve: UInt64 = 1 << 24

    /// For the standard deviation `sigma` / `divisor` of at least 1/2, where `sigma` is at most
    /// 2^31.
    package init(sigma: UInt64, over divisor: UInt64) {
        let whole = sigma / divisor
        let bits = whole < 32 ? 0 : 63 - (whole / 16).leadingZeroBitCount
        widthBits = bits
        let rounded = (sigma + divisor - 1) / divisor
        tailBits = 64 - (rounded - 1).leadingZeroBitCount
        let runs = min(255, 16 * Int(rounded))
        self.runs = runs
        let bounds = (0...runs).map { run in
            ExponentialBounds(numerator: (UInt64(run) << bits) * divisor, denominator: sigma)
        }
        let total = bounds.dropLast().reduce(UInt128(0)) { $0 + UInt128($1.upper) }
        let one = UInt128(ExponentialBounds.one)
        // Each weight is rounded up by less than 1, all of them by less than 255.
        let available = UInt128(UInt64.max - GaussianProposals.reserve)
        let scale = UInt64(available * one / total)
        self.scale = scale
        var weights = [UInt64](repeating: 0, count: 256)
        for run in 0..<runs {
            weights[run] = UInt64((UInt128(scale) * UInt128(bounds[run].upper) + one - 1) / one)
        }
        // 2^64 less the sum.
        weights[runs] = 0 &- weights.reduce(0, +)
        self.weights = weights
        certain = (0..<256).map { run in
            guard run < runs else { return 0 }
            let last = (UInt64(run + 1) << bits) - 1
            let lower = ExponentialBounds(numerator: last * divisor, denominator: sigma).lower
            // The largest c with c / 2^32 weight <= scale lower / 2^63.
            let most = (UInt128(scale) * UInt128(lower) >> 31) / UInt128(weights[run])
            return UInt32(clamping: most)
        }
        (cuts, others) = GaussianProposals.aliases(of: weights)
    }

    /// Splits 256 weights that add up to 2^64 over 256 columns of 2^56, at most two in each.
    private static func aliases(of weights: [UInt64]) -> (cuts: [UInt64], others: [UInt8]) {
        let capacity: UInt64 = 1 << 56
        var rest = weights
        var cuts = [UInt64](repeating: capacity, count: 256)
        var others = (0..<256).map { UInt8($0) }
        var small = (0..<256).filter { rest[$0] < capacity }
        var large = (0..<256).filter { rest[$0] >= capacity }
        // While some column lacks something, another has too much: the mean is the capacity.
        while let poor = small.popLast(), let rich = large.last {
            cuts[poor] = rest[poor]
            others[poor] = UInt8(rich)
            rest[rich] -= capacity - rest[poor]
            if rest[rich] < capacity {
                large.removeLast()
                small.append(rich)
            }
        }
        return (cuts, others)
    }
}

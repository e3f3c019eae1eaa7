package import Federation

/// The discrete Gaussian on the integers: P(x) proportional to e^(-x^2 / (2 sigma^2)), sampled
/// exactly.
///
/// The method of Canonne, Kamath and Steinke (2020): discrete Laplace proposals Y of scale t, kept
/// with probability e^(-(|Y| - sigma^2 / t)^2 / (2 sigma^2)). They take t = floor(sigma) + 1
/// because their sigma may be below 1; any t gives the same distribution, and with an integer sigma
/// t = sigma is the tightest and keeps every fraction within 64 bits.
package struct DiscreteGaussian: Sendable {
    /// The largest sigma: 2 sigma^2 must fit in 64 bits.
    package static let largestSigma: UInt64 = 1 << 31

    /// The standard deviation, in lattice steps; 0 means no noise.
    package let sigma: UInt64

    /// `sigma` is at most `largestSigma`.
    package init(sigma: UInt64) {
        precondition(sigma <= DiscreteGaussian.largestSigma, "sigma exceeds 2^31")
        self.sigma = sigma
    }

    /// `count` independent samples.
    ///
    /// They are made in one batch, so that nobody can observe how long a single one took. `random`
    /// must be cryptographic wherever the samples protect data.
    package func samples(_ count: Int, random: inout some RandomSource) -> [Int64] {
        guard sigma > 0 else { return [Int64](repeating: 0, count: count) }
        var trials = BernoulliTrials()
        return [Int64](unsafeUninitializedCapacity: count) { samples, filled in
            for index in 0..<count { samples[index] = sample(&trials, &random) }
            filled = count
        }
    }

    private func sample(
        _ trials: inout BernoulliTrials, _ random: inout some RandomSource
    ) -> Int64 {
        while true {
            // |Y| = rest + sigma * multiples is geometric with ratio e^(-1/sigma).
            let rest = trials.integer(below: sigma, &random)
            guard trials.exponential(rest, over: sigma, &random) else { continue }
            var multiples: UInt64 = 0
            while trials.exponentialOfOne(&random) { multiples += 1 }
            let magnitude = rest + multiples * sigma
            let isNegative = trials.word(&random) & 1 == 1
            // Zero has one sign only, or it would come twice as often.
            if magnitude == 0, isNegative { continue }
            if accepts(magnitude, &trials, &random) {
                return isNegative ? -Int64(magnitude) : Int64(magnitude)
            }
        }
    }

    /// True with probability e^-g, g = (magnitude - sigma)^2 / (2 sigma^2).
    private func accepts(
        _ magnitude: UInt64, _ trials: inout BernoulliTrials, _ random: inout some RandomSource
    ) -> Bool {
        let distance = magnitude > sigma ? magnitude - sigma : sigma - magnitude
        let denominator = 2 * sigma * sigma
        let (whole, rest) = denominator.dividingFullWidth(
            distance.multipliedFullWidth(by: distance))
        for _ in 0..<whole {
            guard trials.exponentialOfOne(&random) else { return false }
        }
        return trials.exponential(rest, over: denominator, &random)
    }
}

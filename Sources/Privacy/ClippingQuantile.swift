package import Federation
import Glibc

/// The arithmetic of a clipping norm that follows a quantile of the updates' norms (Andrew, Thakkar,
/// McMahan and Ramaswamy 2021), with each update's indicator as an integer: +1 when it was not
/// clipped, -1 when it was.
extension AdaptiveClipping {
    /// Where C stays, whatever noise says.
    package static let norms: ClosedRange<Double> = 1e-9...1e6

    /// C after a round in which the share `fraction` of the updates was not clipped: C e^(-eta
    /// (fraction - gamma)).
    ///
    /// A noisy share may be below 0 or above 1.
    package func norm(after norm: Double, fraction: Double) -> Double {
        let next = norm * exp(-rate * (fraction - quantile))
        return min(max(next, Self.norms.lowerBound), Self.norms.upperBound)
    }

    /// The share that a sum of indicators stands for, `agents` of them: sum / (2 agents) + 1/2.
    ///
    /// - Parameter agents: in a private plan its constant denominator, above 0.
    package static func fraction(indicators: Int64, agents: Double) -> Double {
        Double(indicators) / (2 * agents) + 0.5
    }

    /// The integer standard deviation of the noise on the sum of indicators: ceil(2 s_b), since
    /// indicators are twice as far apart as Andrew's; 0 without privacy.
    ///
    /// - Throws: `Fault.invalid` when that is more than can be sampled.
    package func indicatorSigma() throws(Fault) -> UInt64 {
        let sigma = (2 * (countNoise ?? 0)).rounded(.up)
        guard sigma >= 0, sigma <= Double(DiscreteGaussian.largestSigma) else {
            throw Fault(
                .invalid, "a count_noise of \(countNoise ?? 0) is more than can be sampled",
                remedy: "lower count_noise in the plan")
        }
        return UInt64(sigma)
    }
}

extension Plan {
    /// z_Delta: the multiplier of the noise on the sum of updates. With adaptive clipping the count
    /// of unclipped updates is released beside it, and both together cost what z alone would:
    /// z_Delta = (z^-2 - (2 s_b)^-2)^-1/2.
    ///
    /// Nil without privacy, and when z is not below 2 s_b: then no noise on the updates is enough.
    package var updateNoiseMultiplier: Double? {
        guard let privacy else { return nil }
        let total = privacy.noiseMultiplier
        guard let noise = clipping.adaptive?.countNoise else { return total }
        guard total < 2 * noise else { return nil }
        guard total > 0 else { return 0 }
        return 1 / (1 / (total * total) - 1 / (4 * noise * noise)).squareRoot()
    }
}

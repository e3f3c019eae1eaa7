import Glibc

/// One round whose agents are each drawn with probability q and whose sum has Gaussian noise of z
/// times the sensitivity (Mironov, Talwar and Zhang 2019, section 3.3).
///
/// The divergence of order a is ln A / (a - 1), A = E[((1 - q) + q e^((2x - 1) / (2 z^2)))^a] over
/// x from N(0, z^2). A whole order expands to a binomial sum; a fractional one to two series, split
/// where the two parts of the power are equal. Their later terms alternate in sign: like
/// dp-accounting, this adds absolute values, which gives an upper bound.
struct SubsampledGaussian {
    /// Terms of a fractional order's series before it counts as diverging; dp-accounting's limit.
    private static let mostTerms = 1000

    private let multiplier: Double
    private let logRate: Double
    private let logRest: Double
    /// Where (1 - q) equals q e^((2x - 1) / (2 z^2)).
    private let split: Double

    /// `noiseMultiplier` > 0, 0 < `samplingRate` < 1.
    init(noiseMultiplier: Double, samplingRate: Double) {
        multiplier = noiseMultiplier
        logRate = log(samplingRate)
        logRest = log1p(-samplingRate)
        split = noiseMultiplier * noiseMultiplier * log(1 / samplingRate - 1) + 0.5
    }

    /// An upper bound of the Renyi divergence of order `order` > 1; infinite where the series does
    /// not settle, which only makes that order useless.
    func divergence(order: Double) -> Double {
        let isWhole = order == order.rounded()
        return (isWhole ? logBinomialMoment(Int(order)) : logSeriesMoment(order)) / (order - 1)
    }

    /// ln of the sum over k of C(n, k) (1 - q)^(n - k) q^k e^(k (k - 1) / (2 z^2)).
    private func logBinomialMoment(_ order: Int) -> Double {
        var total = -Double.infinity
        var logChoose = 0.0
        for k in 0...order {
            let term =
                logChoose + Double(order - k) * logRest + Double(k) * logRate
                + logTilt(Double(k))
            total = logOfSum(total, term)
            logChoose += log(Double(order - k) / Double(k + 1))
        }
        return total
    }

    /// ln of the sum of the absolute values of both series' terms.
    private func logSeriesMoment(_ order: Double) -> Double {
        var total = -Double.infinity
        var logChoose = 0.0
        var previous = (-Double.infinity, -Double.infinity)
        for step in 0..<SubsampledGaussian.mostTerms {
            let k = Double(step)
            let rest = order - k
            let below =
                logChoose + k * logRate + rest * logRest + logTilt(k)
                + logOfNormalTail((k - split) / multiplier)
            let above =
                logChoose + rest * logRate + k * logRest + logTilt(rest)
                + logOfNormalTail((split - rest) / multiplier)
            total = logOfSum(total, logOfSum(below, above))
            if below < previous.0, above < previous.1, max(below, above) < total - 30 {
                return total
            }
            previous = (below, above)
            logChoose += log(abs(rest) / (k + 1))
        }
        return .infinity
    }

    /// k (k - 1) / (2 z^2).
    private func logTilt(_ k: Double) -> Double { k * (k - 1) / (2 * multiplier * multiplier) }
}

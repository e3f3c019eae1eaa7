import Foundation

/// How well integers fit the discrete Gaussian, whose probabilities are computed here from their
/// definition.
struct ChiSquare {
    /// e^(-x^2 / (2 sigma^2)) for x from 0 to 12 sigma or further.
    private let weights: [Double]
    /// Their sum over all integers.
    private let total: Double

    init(sigma: Double) {
        let last = Int((12 * sigma).rounded(.up))
        weights = (0...last).map { exp(-Double($0 * $0) / (2 * sigma * sigma)) }
        total = 2 * weights.dropFirst().reduce(0, +) + weights[0]
    }

    /// P(x).
    func probability(_ value: Int) -> Double {
        value.magnitude < weights.count ? weights[Int(value.magnitude)] / total : 0
    }

    /// The chi-square statistic as a standard normal variable, after Wilson and Hilferty: beyond
    /// `limit`, p is below 1e-6.
    ///
    /// Every sign and magnitude belongs to a cell; neighbouring magnitudes share one until at least
    /// `least` samples are expected in it.
    func normal(_ samples: [Int64], least: Double) -> Double {
        let count = Double(samples.count)
        // From the outermost inwards, so that the tail's cell is not too small.
        var cell = [Int](repeating: 0, count: weights.count)
        var expected: [Double] = [0]
        var rest = (total - weights[0]) / total * count / 2
        for magnitude in stride(from: weights.count - 1, through: 1, by: -1) {
            if expected[expected.count - 1] >= least, rest >= least { expected.append(0) }
            cell[magnitude] = expected.count - 1
            let mass = weights[magnitude] / total * count
            expected[expected.count - 1] += mass
            rest -= mass
        }
        var observed = [[Double]](repeating: [0, 0], count: expected.count)
        var zeros = 0.0
        for sample in samples {
            guard sample != 0 else {
                zeros += 1
                continue
            }
            let magnitude = min(Int(sample.magnitude), weights.count - 1)
            observed[cell[magnitude]][sample < 0 ? 0 : 1] += 1
        }
        var statistic = 0.0
        var cells = 0.0
        func compare(_ seen: Double, with expected: Double) {
            statistic += (seen - expected) * (seen - expected) / expected
            cells += 1
        }
        compare(zeros, with: weights[0] / total * count)
        for (expected, seen) in zip(expected, observed) {
            compare(seen[0], with: expected)
            compare(seen[1], with: expected)
        }
        return ChiSquare.normal(statistic, freedom: cells - 1)
    }

    /// The 1 - 1e-6 quantile of the standard normal distribution.
    static let limit = 4.753

    private static func normal(_ statistic: Double, freedom: Double) -> Double {
        (cbrt(statistic / freedom) - (1 - 2 / (9 * freedom))) / (2 / (9 * freedom)).squareRoot()
    }
}

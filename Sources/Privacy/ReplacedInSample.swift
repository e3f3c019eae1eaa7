import Glibc

/// One round whose agents are a sample, of fixed size or by independent coins, one of which may be
/// replaced by another, and whose sum has Gaussian noise of z times the sensitivity to that.
///
/// A bound of the Renyi divergence, not its value: Wang, Balle and Kasiviswanathan 2019, theorem
/// 27, as dp-accounting computes it. It asks that any two of three sums lie within the sensitivity:
/// with the agent, with the one in its place, and with neither but perhaps somebody else.
struct ReplacedInSample {
    /// Above this order the bound's differences would lose all digits, and are left out.
    private static let mostDifferences = 256

    private let multiplier: Double
    private let logRate: Double
    private let logsOfDifferences: [Double]

    /// `noiseMultiplier` > 0, the noise over the sensitivity to a replacement; 0 < `samplingRate`
    /// < 1.
    init(noiseMultiplier: Double, samplingRate: Double) {
        multiplier = noiseMultiplier
        logRate = log(samplingRate)
        logsOfDifferences = Self.forwardDifferences(
            of: (0...Self.mostDifferences + 2).map { index in
                Double(index) * Double(index - 1) / (2 * noiseMultiplier * noiseMultiplier)
            })
    }

    /// An upper bound of the divergence of order `order` > 1.
    func divergence(order: Double) -> Double {
        // The moments' logarithm is convex in the order.
        let low = order.rounded(.down)
        let share = order - low
        let moment =
            (1 - share) * logMoment(Int(low)) + (share > 0 ? share * logMoment(Int(low) + 1) : 0)
        return moment / (order - 1)
    }

    /// An upper bound of ln E[(P / Q)^order].
    private func logMoment(_ order: Int) -> Double {
        var total = 0.0
        var logChoose = 0.0
        guard order > 1 else { return total }
        for power in 1...order {
            logChoose += log(Double(order - power + 1) / Double(power))
            guard power > 1 else { continue }
            let k = Double(power)
            var term = log(2) + k * (k - 1) / (2 * multiplier * multiplier)
            if power == 2 {
                let divergence = 1 / (multiplier * multiplier)
                term = min(term, log(4) + divergence + log1p(-exp(-divergence)))
            } else if order <= Self.mostDifferences {
                let (even, next) = (power / 2 * 2, (power + 1) / 2 * 2)
                term = min(
                    term, log(4) + 0.5 * (logsOfDifferences[even] + logsOfDifferences[next]))
            }
            total = logOfSum(total, term + k * logRate + logChoose)
        }
        return total
    }

    /// ln |n-th forward difference at 0| of e^value, by n.
    private static func forwardDifferences(of values: [Double]) -> [Double] {
        var logs = values
        var signs = [Bool](repeating: true, count: values.count)
        var result = [values[0]]
        for order in 1..<values.count {
            for index in 0..<(values.count - order) {
                if signs[index] == signs[index + 1] {
                    let isRising = logs[index + 1] > logs[index]
                    let (larger, smaller) =
                        isRising
                        ? (logs[index + 1], logs[index]) : (logs[index], logs[index + 1])
                    signs[index] = isRising == signs[index + 1]
                    logs[index] =
                        larger == smaller
                        ? -.infinity : larger + log1p(-exp(smaller - larger))
                } else {
                    logs[index] = logOfSum(logs[index], logs[index + 1])
                    signs[index] = signs[index + 1]
                }
            }
            result.append(logs[0])
        }
        return result
    }
}

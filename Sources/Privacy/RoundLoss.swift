import Glibc

/// The privacy loss of one round: the logarithm of how much likelier an outcome is in one
/// population than in its neighbour, as a random variable.
///
/// Outcomes are a normal variable u. Without the agent u is from N(0, 1); with it, from N(0, 1)
/// with probability 1 - q and from N(s, 1) with probability q, s being the sensitivity over the
/// noise. Their logarithmic ratio is L(u) = ln(1 - q + q e^(s u - s^2 / 2), which rises with u.
struct RoundLoss {
    enum Direction {
        /// From the population with the agent to the one without.
        case removal
        /// From the population without to the one with it.
        case addition
        /// Both ways at once.
        ///
        /// For e^epsilon >= 1 the mixture (1 - q) A + q B and its neighbour (1 - q) A + q B' have a
        /// hockey-stick divergence of at most q times that of Gaussians as far apart as the
        /// sensitivity (Balle, Barthe and Gaboardi 2018, theorem 2), whatever A is: with coins the
        /// other agents' sum, with samples of fixed size that with somebody else instead. That is
        /// what `removal` has there. So this loss is positive like `removal`'s, negative like
        /// `addition`'s, and zero else.
        case replacement
    }

    /// Part of the outcomes: under the mixture with loss L(u), or under N(0, 1) with loss -L(u).
    struct Branch {
        let isMixture: Bool
        let range: ClosedRange<Double>
        /// At least the probability of outcomes beyond `range` at either end.
        let lowMass: Double
        let highMass: Double

        /// Of losses above those of `range`, which count as infinite.
        var infiniteMass: Double { isMixture ? highMass : lowMass }
        /// Of losses below those of `range`, which count as the least of `range`.
        var leastMass: Double { isMixture ? lowMass : highMass }
    }

    /// s.
    let shift: Double
    /// q.
    let rate: Double
    let branches: [Branch]
    /// The probability of a loss of exactly 0.
    let zeroMass: Double

    /// - Parameters:
    ///   - noiseMultiplier: above 0, the noise's standard deviation over the sensitivity.
    ///   - samplingRate: in (0, 1].
    ///   - logOfTail: below 0; outcomes less likely than e to this may be cut off.
    init(
        noiseMultiplier: Double, samplingRate: Double, direction: Direction, logOfTail: Double
    ) {
        shift = 1 / noiseMultiplier
        rate = samplingRate
        let reach = normalQuantile(logOfTail: logOfTail)
        let tail = exp(logOfTail)
        let mixture = Branch(
            isMixture: true, range: -reach...(shift + reach), lowMass: tail, highMass: tail)
        // Without sampling a Gaussian's loss is alike in all directions.
        guard samplingRate < 1, direction != .removal else {
            (branches, zeroMass) = ([mixture], 0)
            return
        }
        guard direction == .replacement else {
            (branches, zeroMass) = (
                [Branch(isMixture: false, range: -reach...reach, lowMass: tail, highMass: tail)], 0
            )
            return
        }
        // L is positive above s / 2.
        let middle = shift / 2
        branches = [
            Branch(
                isMixture: true, range: middle...(shift + reach), lowMass: 0, highMass: tail),
            Branch(
                isMixture: false, range: middle...max(reach, middle), lowMass: 0, highMass: tail),
        ]
        zeroMass = (1 - rate) * erf(middle / 2.0.squareRoot())
    }

    /// The least and greatest loss that is not cut off.
    var extent: ClosedRange<Double> {
        var (least, greatest) = (Double.infinity, -Double.infinity)
        for branch in branches {
            let ends = [branch.range.lowerBound, branch.range.upperBound].map {
                branch.isMixture ? outcome($0).loss : -outcome($0).loss
            }
            (least, greatest) = (min(least, ends[0], ends[1]), max(greatest, ends[0], ends[1]))
        }
        return least...greatest
    }

    /// L(u) and the two densities at `u`, exact to some 1e-13 of themselves.
    func outcome(_ u: Double) -> (loss: Double, mixture: Double, reference: Double) {
        let exponent = shift * (u - shift / 2)
        let reference = exp(-u * u / 2) * Self.densityScale
        // Beyond here the exponential would be as large as to lose what it is added to.
        if exponent <= 30 {
            let excess = rate * expm1(exponent)
            let loss = rate < 1 ? log1p(excess) : exponent
            return (loss, reference * (1 + excess), reference)
        }
        let rest = rate + (1 - rate) * exp(-exponent)
        let distance = u - shift
        return (
            exponent + log(rest), exp(-distance * distance / 2) * Self.densityScale * rest,
            reference
        )
    }

    private static let densityScale = 1 / (2 * Double.pi).squareRoot()

    /// The u at which L(u) is `loss`; minus infinity when it is below all.
    func position(of loss: Double) -> Double {
        let exponent: Double
        if rate == 1 {
            exponent = loss
        } else if loss > 30 {
            exponent = loss - log(rate) + log1p(-(1 - rate) * exp(-loss))
        } else {
            let excess = expm1(loss) / rate
            exponent = excess > -1 ? log1p(excess) : -.infinity
        }
        return exponent / shift + shift / 2
    }
}

/// A round's loss at many outcomes with their logarithmic weights: its cumulants, to many digits
/// though not as a bound.
struct LossSamples {
    private static let step = 0.05

    private var losses: [Double] = []
    private var logWeights: [Double] = []

    init(_ loss: RoundLoss) {
        for branch in loss.branches {
            let range = branch.range
            let count = max(2, Int((range.upperBound - range.lowerBound) / Self.step))
            let width = (range.upperBound - range.lowerBound) / Double(count)
            for index in 0...count {
                let point = loss.outcome(range.lowerBound + width * Double(index))
                let weight =
                    (branch.isMixture ? point.mixture : point.reference)
                    * (index == 0 || index == count ? width / 2 : width)
                guard weight > 0 else { continue }
                losses.append(branch.isMixture ? point.loss : -point.loss)
                logWeights.append(log(weight))
            }
        }
        if loss.zeroMass > 0 {
            losses.append(0)
            logWeights.append(log(loss.zeroMass))
        }
    }

    /// ln E[e^(tilt L)] and its first two derivatives.
    func cumulants(tilt: Double) -> (value: Double, mean: Double, variance: Double) {
        var largest = -Double.infinity
        for index in losses.indices {
            largest = max(largest, logWeights[index] + tilt * losses[index])
        }
        var (mass, mean) = (0.0, 0.0)
        for index in losses.indices {
            let weight = exp(logWeights[index] + tilt * losses[index] - largest)
            mass += weight
            mean += weight * losses[index]
        }
        mean /= mass
        var variance = 0.0
        for index in losses.indices {
            let distance = losses[index] - mean
            variance +=
                exp(logWeights[index] + tilt * losses[index] - largest) * distance * distance
        }
        return (largest + log(mass), mean, variance / mass)
    }
}

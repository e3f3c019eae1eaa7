import Glibc

/// A round's privacy loss on multiples of an interval, never better than the loss itself.
///
/// Connect the dots (Doroshenko, Ghazi, Kamath, Kumar and Manurangsi 2022): what lies between two
/// grid points goes to both, in such parts that its probability is kept in each of the two
/// populations. The hockey-stick divergence is then exact at every grid point and above the true
/// one between them.
struct LossGrid {
    let interval: Double
    /// The multiple of `interval` that `masses[0]` is at.
    let first: Int
    /// Probabilities, exact to 1e-13 of themselves.
    private(set) var masses: [Double]
    /// The probability of a loss without bound.
    let infiniteMass: Double

    init(_ loss: RoundLoss, interval: Double) {
        self.interval = interval
        let extent = loss.extent
        first = Int((extent.lowerBound / interval).rounded(.down)) - 1
        let last = Int((extent.upperBound / interval).rounded(.up)) + 1
        // An index of a loss of 0 is needed by replacements, whose losses lie on both sides.
        masses = [Double](repeating: 0, count: last - first + 1)
        infiniteMass = loss.branches.reduce(0) { $0 + $1.infiniteMass }
        for branch in loss.branches { add(branch, of: loss) }
        if loss.zeroMass > 0 { masses[-first] += loss.zeroMass }
    }

    /// ln of the sum of masses e^(tilt loss), without the infinite one.
    func logMoment(tilt: Double) -> Double {
        var largest = -Double.infinity
        var total = 0.0
        // The logarithms of masses are not needed: blocks are scaled by their largest exponential.
        for index in masses.indices where masses[index] > 0 {
            let exponent = log(masses[index]) + tilt * interval * Double(first + index)
            if exponent <= largest {
                total += exp(exponent - largest)
            } else {
                total = total * exp(largest - exponent) + 1
                largest = exponent
            }
        }
        return largest + log(total)
    }

    /// Adds every mass, times e^(tilt loss - logScale), to `values` at its multiple modulo their
    /// count.
    func fold(into values: inout [Double], tilt: Double, logScale: Double) {
        let mask = values.count - 1
        for index in masses.indices where masses[index] > 0 {
            let multiple = first + index
            values[multiple & mask] +=
                masses[index] * exp(tilt * interval * Double(multiple) - logScale)
        }
    }

    private mutating func add(_ branch: RoundLoss.Branch, of loss: RoundLoss) {
        let range = branch.range
        let lowest = Int((loss.outcome(range.lowerBound).loss / interval).rounded(.down))
        let highest = Int((loss.outcome(range.upperBound).loss / interval).rounded(.down))
        var low = range.lowerBound
        for cell in lowest...highest {
            let edge = loss.position(of: interval * Double(cell + 1))
            let high = cell == highest ? range.upperBound : min(max(low, edge), range.upperBound)
            guard high > low else { continue }
            let parts = cellParts(of: loss, branch, cell: cell, from: low, to: high)
            let below = branch.isMixture ? cell : -(cell + 1)
            masses[below - first] += parts.below
            masses[below + 1 - first] += parts.above
            low = high
        }
        // At the least loss, rounded up, so that it counts for no less than it is.
        masses[(branch.isMixture ? lowest + 1 : -highest) - first] += branch.leastMass
    }

    /// What the outcomes from `low` to `high`, whose L lies in one cell, give the grid points below
    /// and above their loss.
    ///
    /// Gauss-Legendre quadrature of five points over pieces so short that it errs by less than
    /// 1e-14, rather than differences of distribution functions, which would cancel.
    private func cellParts(
        of loss: RoundLoss, _ branch: RoundLoss.Branch, cell: Int, from low: Double, to high: Double
    ) -> (below: Double, above: Double) {
        let steepness = max(abs(low), abs(high)) + loss.shift + 1
        let pieces = max(1, Int(((high - low) * steepness / 0.6).rounded(.up)))
        let halfWidth = (high - low) / Double(2 * pieces)
        let (floor, ceiling) = (interval * Double(cell), interval * Double(cell + 1))
        let scale = expm1(-interval)
        var (below, above) = (0.0, 0.0)
        for piece in 0..<pieces {
            let middle = low + halfWidth * Double(2 * piece + 1)
            for point in 0..<5 {
                let node = loss.outcome(middle + halfWidth * Self.nodes[point])
                let mass =
                    Self.weights[point] * halfWidth
                    * (branch.isMixture ? node.mixture : node.reference)
                // Rounding errors of the loss must not make it smaller.
                let slack = 8 * Double.ulpOfOne * (abs(node.loss) + interval)
                let distance = (branch.isMixture ? node.loss - floor : ceiling - node.loss) + slack
                let fraction = expm1(-min(max(distance, 0), interval)) / scale
                above += mass * fraction
                below += mass * (1 - fraction)
            }
        }
        return (below, above)
    }

    private static let nodes = [
        -0.906_179_845_938_664, -0.538_469_310_105_683_1, 0, 0.538_469_310_105_683_1,
        0.906_179_845_938_664,
    ]
    private static let weights = [
        0.236_926_885_056_189_1, 0.478_628_670_499_366_5, 0.568_888_888_888_888_9,
        0.478_628_670_499_366_5, 0.236_926_885_056_189_1,
    ]
}

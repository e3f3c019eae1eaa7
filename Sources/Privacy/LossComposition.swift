import Glibc

/// The privacy loss of many rounds together, and the epsilon that it comes to.
///
/// The sum's distribution is computed by fast Fourier transform, tilted: every probability is
/// multiplied by e^(tilt loss), so that the losses about the epsilon sought, which have a
/// probability near delta, become the likely ones. Rounding errors are then small against delta
/// itself, however small it is, and the transform needs to span only what is likely under the
/// tilt. All errors are bounded and added.
struct LossComposition {
    struct Part {
        let loss: RoundLoss
        let rounds: Int
    }

    /// An epsilon and how it was found.
    struct Solution {
        var epsilon: Double
        var interval: Double
        /// Whether the interval had to be wider than accuracy asks.
        var isWidened: Bool
    }

    /// Grid points that one transform, or one round's loss, may have.
    static let mostPoints = 1 << 22
    private static let mostAttempts = 3
    /// Losses that have a bound would be tilted without one.
    private static let largestTilt = 1e4

    private let parts: [Part]
    private let samples: [LossSamples]
    private let delta: Double
    private let rounds: Double
    private let resolution: LossResolution

    /// `parts` is not empty; 0 < `delta` < 1.
    init(_ parts: [Part], delta: Double, resolution: LossResolution) {
        self.parts = parts
        self.delta = delta
        self.resolution = resolution
        samples = parts.map { LossSamples($0.loss) }
        rounds = parts.reduce(0) { $0 + Double($1.rounds) }
    }

    /// An upper bound of the least epsilon at which `delta` holds; at least 0.
    func epsilon() -> Solution {
        let target = log(delta)
        // Where Chernoff's bound of the tail is delta, is about where delta is.
        var tilt = tilt { $0.value - $1 * $0.mean <= target }
        var best: Solution?
        for _ in 0..<Self.mostAttempts {
            let window = LossWindow(
                cumulants: cumulants, tilt: tilt, rounds: rounds, extents: extents,
                resolution: resolution)
            let found = TiltedSum(parts, window: window, rounds: rounds).epsilon(delta: delta)
            if found < best?.epsilon ?? .infinity {
                best = Solution(
                    epsilon: found, interval: window.interval, isWidened: window.isWidened)
            }
            // A tilt towards much larger losses than that gives a coarse grid there.
            guard found > 0, found < 0.7 * cumulants(tilt).mean else { break }
            tilt = self.tilt { sum, _ in sum.mean >= found }
        }
        return best ?? Solution(epsilon: .infinity, interval: 0, isWidened: true)
    }

    /// The least tilt, to a thousandth, for which `isEnough` holds of the sum's cumulants.
    private func tilt(
        where isEnough: ((value: Double, mean: Double, variance: Double), Double) -> Bool
    ) -> Double {
        var (low, high) = (1e-3, Self.largestTilt)
        while high / low > 1.001 {
            let middle = (low * high).squareRoot()
            if isEnough(cumulants(middle), middle) { high = middle } else { low = middle }
        }
        return low
    }

    /// The cumulants of the sum.
    private func cumulants(_ tilt: Double) -> (value: Double, mean: Double, variance: Double) {
        var total = (value: 0.0, mean: 0.0, variance: 0.0)
        for (part, samples) in zip(parts, samples) {
            let one = samples.cumulants(tilt: tilt)
            total.value += one.value * Double(part.rounds)
            total.mean += one.mean * Double(part.rounds)
            total.variance += one.variance * Double(part.rounds)
        }
        return total
    }

    /// The least and greatest loss of one round of each part, and their sum's.
    private var extents: (widest: Double, sum: ClosedRange<Double>) {
        var (widest, low, high) = (0.0, 0.0, 0.0)
        for part in parts {
            let extent = part.loss.extent
            widest = max(widest, extent.upperBound - extent.lowerBound)
            low += extent.lowerBound * Double(part.rounds)
            high += extent.upperBound * Double(part.rounds)
        }
        return (widest, low...high)
    }
}

/// How fine a grid of losses is. Finer ones cost time; coarser ones only make epsilon larger.
enum LossResolution {
    /// dp-accounting's default, so that an auditor gets the same numbers.
    case usual
    /// For the many epsilons that a calibration asks for: by up to some percent too large.
    case coarse

    /// The interval that is fine enough, unless its errors add up to much.
    var interval: Double {
        switch self {
        case .usual: 1e-4
        case .coarse: 1e-3
        }
    }
}

/// Which losses of a tilted sum are computed, and on what grid.
struct LossWindow {
    /// ln of the probability, under the tilt, that may lie beyond either end.
    private static let logOfLeftOut = log(1e-9)
    /// How much of epsilon the grid may add.
    private static let relativeTolerance = 1e-4
    /// How much `LossResolution.interval` may add to epsilon, in intervals and as a share of it,
    /// before a finer one is used.
    private static let toleratedIntervals = 20.0
    private static let toleratedShare = 0.03

    let tilt: Double
    /// A larger tilt, with which the probability above the window is bounded.
    let boundingTilt: Double
    let interval: Double
    let isWidened: Bool
    /// The multiple of `interval` that the window begins at.
    let first: Int
    /// A power of two.
    let count: Int

    /// - Parameter cumulants: of the sum of losses, before they are put on a grid.
    init(
        cumulants: (Double) -> (value: Double, mean: Double, variance: Double), tilt: Double,
        rounds: Double, extents: (widest: Double, sum: ClosedRange<Double>),
        resolution: LossResolution
    ) {
        self.tilt = tilt
        let sum = cumulants(tilt)
        // Splitting a mass between grid points adds at most tilt + 1 times interval^2 / 12 to a
        // round's part of epsilon, on average over where it lies.
        func wanted(error: Double) -> Double {
            (12 * error / (rounds * (tilt + 1))).squareRoot()
        }
        let tolerated = min(
            Self.toleratedIntervals * resolution.interval, Self.toleratedShare * abs(sum.mean))
        let usual = min(resolution.interval, wanted(error: max(tolerated, 1e-6)))
        let wanted = max(usual, wanted(error: Self.relativeTolerance * abs(sum.mean)))
        let most = Double(LossComposition.mostPoints - 8)

        var reach = Reach(cumulants, tilt: tilt, rounds: rounds, interval: wanted, extents.sum)
        var narrowest = max(reach.width / most, extents.widest / most)
        isWidened = narrowest > wanted
        // A wider grid spreads losses further.
        while narrowest > reach.interval {
            reach = Reach(
                cumulants, tilt: tilt, rounds: rounds, interval: 1.01 * narrowest, extents.sum)
            narrowest = max(reach.width / most, extents.widest / most)
        }
        boundingTilt = reach.boundingTilt
        var count = 64
        while Double(count) < reach.width / reach.interval + 8 { count *= 2 }
        self.count = count
        // The points that the power of two has to spare make a coarse grid finer.
        interval = max(reach.width / Double(count - 8), narrowest, min(reach.interval, usual))
        first = Int((reach.low / interval).rounded(.down)) - 2
    }

    /// Between which losses a tilted sum on a grid lies, but for what may be left out.
    private struct Reach {
        let interval: Double
        private(set) var low: Double
        private(set) var high: Double
        private(set) var boundingTilt: Double

        var width: Double { high - low }

        init(
            _ cumulants: (Double) -> (value: Double, mean: Double, variance: Double), tilt: Double,
            rounds: Double, interval: Double, _ sumExtent: ClosedRange<Double>
        ) {
            self.interval = interval
            // Hoeffding: what lies between two grid points spreads by at most half the interval.
            let spread = rounds * interval * interval / 4
            func logMoment(_ tilt: Double) -> Double {
                cumulants(tilt).value + spread * (tilt * tilt + abs(tilt)) / 2
            }
            let value = cumulants(tilt).value
            let deviation = (cumulants(tilt).variance + spread).squareRoot()
            (low, high, boundingTilt) = (-.infinity, .infinity, tilt)
            for step in [0.25, 0.5, 1, 2, 3, 4, 5, 6, 7, 8, 10, 15, 20, 40, 80] {
                let extra = step / deviation
                let above = (logMoment(tilt + extra) - value - logOfLeftOut) / extra
                if above < high { (high, boundingTilt) = (above, tilt + extra) }
                low = max(low, (value - logMoment(tilt - extra) + logOfLeftOut) / extra)
            }
            low = max(low, sumExtent.lowerBound - rounds * interval)
            high = min(high, sumExtent.upperBound + rounds * interval)
        }
    }
}

/// The distribution of a tilted sum of losses over a window.
struct TiltedSum {
    private let window: LossWindow
    /// Tilted probabilities of the window's grid points; what lies beyond has wrapped round.
    private let masses: [Double]
    /// ln of the factor that the tilt took out of all masses.
    private let logScale: Double
    /// An upper bound of the error of `masses`, in the Euclidean norm.
    private let error: Double
    /// What losses without bound, and those above the window, add to any delta.
    private let beyond: Double
    /// An upper bound of the relative error of any sum of masses, apart from `error`.
    private let relativeError: Double

    init(_ parts: [LossComposition.Part], window: LossWindow, rounds: Double) {
        self.window = window
        let transform = FourierTransform(count: window.count)
        var product: (real: [Double], imaginary: [Double])?
        var (logScale, logBounding, infinite) = (0.0, 0.0, 0.0)
        for part in parts {
            let grid = LossGrid(part.loss, interval: window.interval)
            let logMoment = grid.logMoment(tilt: window.tilt)
            logScale += logMoment * Double(part.rounds)
            logBounding += grid.logMoment(tilt: window.boundingTilt) * Double(part.rounds)
            infinite += grid.infiniteMass * Double(part.rounds)
            var real = [Double](repeating: 0, count: window.count)
            var imaginary = real
            grid.fold(into: &real, tilt: window.tilt, logScale: logMoment)
            transform.forward(&real, &imaginary)
            raise(&real, &imaginary, to: part.rounds)
            if let before = product {
                multiply(&real, &imaginary, by: before)
            }
            product = (real, imaginary)
        }
        var (real, imaginary) = product ?? ([], [])
        transform.inverse(&real, &imaginary)
        let scale = 1 / Double(window.count)
        let mask = window.count - 1
        masses = (0..<window.count).map { scale * real[(window.first + $0) & mask] }
        self.logScale = logScale
        // Spectra are at most 1, so an error of one factor is an error of the product: one
        // transform's a round, three roundings a round, and the inverse's.
        error =
            (transform.relativeError * (rounds + 1) + 3 * Double.ulpOfOne * rounds)
            * exp(1e-12 * rounds)
        relativeError = 1e-9 + 2e-13 * rounds
        // Chernoff: the masses above x are at most e^(ln M(bounding) - bounding x) of probability.
        let end = Double(window.first + window.count) * window.interval
        beyond = infinite + exp(logBounding - window.boundingTilt * end)
    }

    /// The least epsilon in the window at which an upper bound of delta is at most `delta`; at
    /// least 0, infinite if there is none.
    func epsilon(delta: Double) -> Double {
        let (interval, tilt) = (window.interval, window.tilt)
        let target = delta / (1 + relativeError) - beyond
        guard target > 0 else { return .infinity }
        let noise =
            error * min(Double(window.count), 1 / -expm1(-2 * tilt * interval)).squareRoot()
        let (decay, gain) = (exp(-tilt * interval), -expm1(-interval))
        // At epsilon, over losses l from there up: the sums of masses times e^(-tilt (l - epsilon))
        // (1 - e^-(l - epsilon)), which is delta, and times e^(-(tilt + 1) (l - epsilon)).
        var (divergence, rest) = (0.0, 0.0)
        for index in stride(from: window.count - 1, through: 0, by: -1) {
            let epsilon = Double(window.first + index) * interval
            let here = (
                divergence: decay * (divergence + gain * rest),
                rest: masses[index] + decay * exp(-interval) * rest
            )
            let scale = exp(min(700, logScale - tilt * epsilon))
            if scale * (here.divergence + noise) > target {
                // Between this grid point and the one above, delta is linear in e^epsilon.
                let above = epsilon + interval
                let scaleAbove = exp(logScale - tilt * above)
                let room = target / scaleAbove - noise / decay - divergence
                let share = rest > 0 ? min(max(room / rest, 0), gain) : 0
                let found = above + log1p(-share)
                return max(0, found.nextUp)
            }
            if epsilon <= 0 { return 0 }
            (divergence, rest) = here
        }
        return max(0, Double(window.first) * interval)
    }
}

/// Every number to the power of `exponent` > 0.
private func raise(_ real: inout [Double], _ imaginary: inout [Double], to exponent: Int) {
    guard exponent > 1 else { return }
    for index in real.indices {
        var (baseReal, baseImaginary) = (real[index], imaginary[index])
        var (powerReal, powerImaginary) = (1.0, 0.0)
        var left = exponent
        while true {
            if left & 1 == 1 {
                (powerReal, powerImaginary) = (
                    powerReal * baseReal - powerImaginary * baseImaginary,
                    powerReal * baseImaginary + powerImaginary * baseReal
                )
            }
            left >>= 1
            guard left > 0 else { break }
            (baseReal, baseImaginary) = (
                baseReal * baseReal - baseImaginary * baseImaginary,
                2 * baseReal * baseImaginary
            )
        }
        (real[index], imaginary[index]) = (powerReal, powerImaginary)
    }
}

private func multiply(
    _ real: inout [Double], _ imaginary: inout [Double],
    by other: (real: [Double], imaginary: [Double])
) {
    for index in real.indices {
        let (ar, ai) = (real[index], imaginary[index])
        let (br, bi) = (other.real[index], other.imaginary[index])
        (real[index], imaginary[index]) = (ar * br - ai * bi, ar * bi + ai * br)
    }
}

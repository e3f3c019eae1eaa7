import Federation
import Glibc
import Privacy
import UpdateCodec

/// A round's sum without a lattice: clipping, weighing and noise in floating point, against which
/// the integers of deployment are measured.
struct FloatSum: Sendable {
    let clippingNorm: Float
    private var sums: [Double]
    private var totalWeight = 0.0

    init(parameters: Int, clippingNorm: Float) {
        self.clippingNorm = clippingNorm
        sums = [Double](repeating: 0, count: parameters)
    }

    /// Adds `weight` times the clipped `delta`; the order of calls shows in the last bits.
    ///
    /// - Returns: whether it was within the clipping norm.
    mutating func fold(_ delta: [Float], weight: UInt64) -> Bool {
        let clip = Double(clippingNorm)
        let norm = delta.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
        let factor = Double(weight) * UpdateCodec.clippingFactor(norm: norm, clip: clip)
        for (index, value) in delta.enumerated() { sums[index] += factor * Double(value) }
        totalWeight += Double(weight)
        return norm <= clip
    }

    /// As `aggregate` does with integers: in a private plan adds Gaussian noise of standard
    /// deviation z_Delta C and divides by the plan's constant, otherwise divides by the weights.
    ///
    /// - Throws: `Fault.conflict` when a plan without privacy has nothing to average.
    func average(plan: Plan, noise random: inout SeededRandom) throws(Fault) -> [Float] {
        guard let privacy = plan.privacy else {
            guard totalWeight > 0 else {
                throw Fault(.conflict, "the round has no update to average")
            }
            return sums.map { Float($0 / totalWeight) }
        }
        guard let multiplier = plan.updateNoiseMultiplier else {
            throw Fault(.invalid, "the plan's noise cannot be split")
        }
        let deviation = multiplier * Double(clippingNorm)
        return sums.map { Float(($0 + deviation * normal(&random)) / privacy.denominator) }
    }
}

/// A draw from the standard normal distribution (Box and Muller); not for noise that protects.
private func normal(_ random: inout SeededRandom) -> Double {
    let radius = (Double(random.next() >> 11) + 0.5) * 0x1p-53
    let angle = random.unitInterval()
    return sqrt(-2 * log(radius)) * cos(2 * .pi * angle)
}

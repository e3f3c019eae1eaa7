import Glibc

/// The exact trade of epsilon against delta of one Gaussian release (Balle and Wang 2018, theorem
/// 8). Gaussian rounds that everyone takes part in are together one such release.
struct GaussianProfile {
    /// The sensitivity over the noise's standard deviation, above 0.
    let shift: Double

    /// The least delta at `epsilon` >= 0.
    func delta(epsilon: Double) -> Double {
        let (centre, half) = (epsilon / shift, shift / 2)
        return exp(logOfNormalTail(centre - half)) - exp(epsilon + logOfNormalTail(centre + half))
    }

    /// The least epsilon at `delta`, from above; at least 0.
    func epsilon(delta target: Double) -> Double {
        // Rounding must not make it less; large exponents lose digits.
        func suffices(_ epsilon: Double) -> Bool {
            delta(epsilon: epsilon) <= target * (1 - 1e-9 - 1e-14 * epsilon)
        }
        if suffices(0) { return 0 }
        var (low, high) = (0.0, 1.0)
        while !suffices(high) { (low, high) = (high, 2 * high) }
        while high - low > 1e-12 * high {
            let middle = (low + high) / 2
            if suffices(middle) { high = middle } else { low = middle }
        }
        return high
    }
}

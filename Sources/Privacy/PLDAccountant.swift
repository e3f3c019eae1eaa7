import Glibc

/// Tight accounting by privacy loss distributions, for the same rounds as `RDPAccountant`.
///
/// Always an upper bound, usually some hundredths of a percent above the truth: connect-the-dots
/// grids, composed by fast Fourier transform, all numerical errors bounded and added. Rounds that
/// everyone takes part in are composed exactly.
package enum PLDAccountant {
    /// An epsilon and how it was found.
    package struct Bound: Sendable, Equatable {
        package enum Method: Sendable, Equatable {
            /// In closed form.
            case exact
            /// On a grid of privacy losses with this interval.
            ///
            /// A widened one is coarser than accuracy asks, to keep to `mostPoints`: the epsilon
            /// holds, but may be looser than usual.
            case grid(interval: Double, isWidened: Bool)
            /// By `RDPAccountant`: the noise is too little, or the epsilon too large, for a grid.
            case rdp
        }

        package let epsilon: Double
        package let method: Method
    }

    /// Points of a grid of privacy losses, at most.
    package static var mostPoints: Int { LossComposition.mostPoints }

    /// With less noise than this in sampled rounds, or when RDP says that more than
    /// `largestEpsilon` is spent, RDP is all there is: privacy is gone, and grids would be enormous.
    private static let leastNoiseMultiplier = 0.01
    private static let largestEpsilon = 1e6

    /// The epsilon that rounds of one kind spend at `delta`; see `RDPAccountant.epsilon`.
    package static func epsilon(
        noiseMultiplier: Double, samplingRate: Double, rounds: Int, delta: Double,
        neighbouring: Neighbouring = .addOrRemove
    ) -> Double {
        let charge = PrivacyCharge(noiseMultiplier: noiseMultiplier, samplingRate: samplingRate)
        return bound(of: [charge: rounds], delta: delta, neighbouring: neighbouring).epsilon
    }

    /// The epsilon that rounds of different noise and sampling spend together at `delta`.
    ///
    /// - Parameters:
    ///   - charges: how many rounds of each kind.
    ///   - delta: in (0, 1).
    ///   - neighbouring: under `replaceOne`, rates may also be those of samples of fixed size.
    /// - Returns: at least 0; infinite when a round had no noise.
    package static func bound(
        of charges: [PrivacyCharge: Int], delta: Double, neighbouring: Neighbouring = .addOrRemove
    ) -> Bound {
        precondition(delta > 0 && delta < 1, "delta is a probability")
        return remembered.bound(of: charges, delta: delta, neighbouring: neighbouring) {
            computed(of: charges, delta: delta, neighbouring: neighbouring, resolution: .usual)
        }
    }

    /// An upper bound of the epsilon of rounds of one kind, on a grid of ten times the usual
    /// interval.
    ///
    /// The same as dp-accounting's calibrations of the project's reference were made on.
    static func coarseEpsilon(
        of charge: PrivacyCharge, rounds: Int, delta: Double, neighbouring: Neighbouring
    ) -> Double {
        computed(
            of: [charge: rounds], delta: delta, neighbouring: neighbouring, resolution: .coarse
        ).epsilon
    }

    private static let remembered = RememberedBounds()

    private static func computed(
        of charges: [PrivacyCharge: Int], delta: Double, neighbouring: Neighbouring,
        resolution: LossResolution
    ) -> Bound {
        let charged = charges.sorted { $0.key < $1.key }.filter {
            $0.value > 0 && $0.key.samplingRate > 0
        }
        guard !charged.isEmpty else { return Bound(epsilon: 0, method: .exact) }
        let fast = RDPAccountant.epsilon(of: charges, delta: delta, neighbouring: neighbouring)
        guard fast <= largestEpsilon else { return Bound(epsilon: fast, method: .rdp) }
        // Gaussian rounds of everyone are together one: their squared shifts add up.
        let shift =
            charged.filter { $0.key.samplingRate >= 1 }.reduce(0) {
                $0 + Double($1.value) / ($1.key.noiseMultiplier * $1.key.noiseMultiplier)
            }.squareRoot() * neighbouring.sensitivity
        let sampled = charged.filter { $0.key.samplingRate < 1 }
        guard let least = sampled.first else {
            return Bound(
                epsilon: GaussianProfile(shift: shift).epsilon(delta: delta), method: .exact)
        }
        guard least.key.noiseMultiplier >= leastNoiseMultiplier else {
            return Bound(epsilon: fast, method: .rdp)
        }
        return bound(
            sampled: sampled, gaussianShift: shift, delta: delta, neighbouring: neighbouring,
            resolution: resolution)
    }

    private static func bound(
        sampled: [(key: PrivacyCharge, value: Int)], gaussianShift shift: Double, delta: Double,
        neighbouring: Neighbouring, resolution: LossResolution
    ) -> Bound {
        let rounds = sampled.reduce(1) { $0 + Double($1.value) }
        // All that is cut off together must not matter beside delta.
        let logOfTail = log(delta) - log(1e7 * rounds)
        let directions: [RoundLoss.Direction] =
            neighbouring == .addOrRemove ? [.removal, .addition] : [.replacement]
        var worst: Bound?
        for direction in directions {
            var parts = sampled.map { charge, count in
                LossComposition.Part(
                    loss: RoundLoss(
                        noiseMultiplier: charge.noiseMultiplier / neighbouring.sensitivity,
                        samplingRate: charge.samplingRate, direction: direction,
                        logOfTail: logOfTail), rounds: count)
            }
            if shift > 0 {
                parts.append(
                    LossComposition.Part(
                        loss: RoundLoss(
                            noiseMultiplier: 1 / shift, samplingRate: 1, direction: direction,
                            logOfTail: logOfTail), rounds: 1))
            }
            let found = LossComposition(parts, delta: delta, resolution: resolution)
                .epsilon()
            if found.epsilon >= worst?.epsilon ?? 0 {
                worst = Bound(
                    epsilon: found.epsilon,
                    method: .grid(interval: found.interval, isWidened: found.isWidened))
            }
        }
        return worst ?? Bound(epsilon: .infinity, method: .rdp)
    }
}

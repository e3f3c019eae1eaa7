package import Federation
import Privacy

/// The noise that an agent adds to its own update before anybody sees it, so that it need not trust
/// the coordinator.
package struct LocalNoise: Sendable, Equatable {
    /// The standard deviation, in lattice steps: ceil(z_local B).
    package let sigma: UInt64
    private let largestMagnitude: Int64

    /// The noise that `plan` has its agents add on `lattice`; nil when it has them add none.
    ///
    /// - Throws: `Fault.invalid` when the noise cannot be sampled or does not fit the lattice's
    ///   elements, or when there is none and the elements are wider than an update needs.
    package init?(plan: Plan, lattice: Lattice) throws(Fault) {
        guard let multiplier = plan.privacy?.localNoiseMultiplier, multiplier > 0 else {
            guard lattice.elementBits == 8 else {
                throw Fault(
                    .invalid,
                    "the round's lattice has \(lattice.elementBits) bits an element, and the plan no"
                        + " noise for them",
                    remedy: "update this program to the coordinator's version")
            }
            return nil
        }
        guard multiplier <= PrivacyPlan.largestNoiseMultiplier else {
            throw Fault(.invalid, "a local noise multiplier of \(multiplier) is impossible")
        }
        let sigma = noiseSigma(
            multiplier: multiplier, squaredNormBound: lattice.squaredNormBound)
        guard sigma <= DiscreteGaussian.largestSigma,
            Lattice.reach(sigma: Double(sigma)) <= Double(lattice.largestMagnitude)
        else {
            throw Fault(
                .invalid,
                "local noise of \(sigma) steps does not fit elements of \(lattice.elementBits) bits",
                remedy: "lower local_noise_multiplier in the plan")
        }
        self.sigma = sigma
        largestMagnitude = lattice.largestMagnitude
    }

    /// `values` plus independent discrete Gaussian noise, cut off at the elements' range.
    fileprivate func added(to values: [Int8], random: inout some RandomSource) -> [Int64] {
        var noised = DiscreteGaussian(sigma: sigma).samples(values.count, random: &random)
        for index in noised.indices {
            let sum = noised[index] + Int64(values[index])
            noised[index] = min(max(sum, -largestMagnitude), largestMagnitude)
        }
        return noised
    }
}

extension EncodedUpdate {
    /// What leaves the device: the coordinates, with `noise` added if there is any.
    ///
    /// Do it once an update: each draw reveals more. `random` must be the system's generator on a
    /// device.
    package func elements(
        noise: LocalNoise?, random: inout some RandomSource
    ) -> UpdateElements {
        noise.map { .wide($0.added(to: values, random: &random)) } ?? .int8(values)
    }
}

package import Federation

/// What one round costs in privacy, whichever plan it is of.
package struct PrivacyCharge: Hashable, Comparable, Sendable {
    /// z: the noise's standard deviation over the sensitivity.
    package let noiseMultiplier: Double
    /// q: the probability that one agent takes part.
    package let samplingRate: Double

    package init(noiseMultiplier: Double, samplingRate: Double) {
        self.noiseMultiplier = noiseMultiplier
        self.samplingRate = samplingRate
    }

    /// A round of `plan`.
    package init(of plan: PrivacyPlan) {
        self.init(noiseMultiplier: plan.noiseMultiplier, samplingRate: plan.sampling.rate)
    }

    package static func < (left: PrivacyCharge, right: PrivacyCharge) -> Bool {
        (left.noiseMultiplier, left.samplingRate) < (right.noiseMultiplier, right.samplingRate)
    }
}

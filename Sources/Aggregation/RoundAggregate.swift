package import Federation
import Privacy
import UpdateCodec

/// The sum of a round with its noise: what the round releases, and all that is known of it afterwards.
package struct NoisedSum: Sendable {
    private let blocks: SumBlocks
    private let lattice: Lattice
    /// The standard deviation of the noise in lattice steps; 0 in a plan without privacy.
    package let noiseSigma: UInt64
    /// What the sum is divided by.
    package let denominator: Double
    /// C of the next round: another than this one's lattice has when clipping is adaptive.
    package let nextClippingNorm: Float

    /// Closes `sum`, the updates of one round of `plan`, which is changed in place if the caller gives it up.
    ///
    /// In a private plan: adds discrete Gaussian noise of the integer sigma ceil(z B) and divides by
    /// the plan's constant, whoever reported; an empty sum is released too, as noise. Otherwise:
    /// divides by the total weight. With adaptive clipping the count of unclipped updates is released
    /// beside the sum, and z is split between them. Noise is new at each call, so a private round calls
    /// this once a ledger charge.
    ///
    /// - Parameter random: cryptographic in a private plan.
    /// - Throws: `Fault.conflict` when a plan without privacy has nothing to average; `Fault.invalid`
    ///   when the plan's noise is beyond what can be sampled.
    package init(
        closing sum: consuming ExactSum, plan: Plan, noise random: inout some RandomSource
    ) throws(Fault) {
        if let privacy = plan.privacy {
            noiseSigma = try sigmaThatCanBeSampled(plan, lattice: sum.lattice)
            sum.addNoise(DiscreteGaussian(sigma: noiseSigma), random: &random)
            denominator = privacy.denominator
        } else {
            guard sum.totalWeight > 0 else {
                throw Fault(
                    .conflict, "the round has no update to average",
                    remedy: "abandon it and start another when agents are ready")
            }
            noiseSigma = 0
            denominator = Double(sum.totalWeight)
        }
        lattice = sum.lattice
        blocks = sum.blocks
        nextClippingNorm = try Aggregation.nextClippingNorm(
            after: sum.lattice.clippingNorm, plan: plan, withinClip: sum.withinClip,
            count: sum.count, noise: &random)
    }

    /// How many integers it has: D.
    package var count: Int { blocks.count }

    /// D lattice coordinates.
    package var sums: [Int64] { blocks.all }

    /// Calls `body` with all of them, some at a time and in order.
    package func forEachRun<Failure: Error>(
        _ body: ([Int64]) throws(Failure) -> Void
    ) throws(Failure) {
        try blocks.forEachRun(body)
    }

    /// The average change of the d parameters.
    ///
    /// - Throws: `Fault.invalid` when it is not finite.
    package func average() throws(Fault) -> [Float] {
        var cursor = blocks.cursor
        return try UpdateCodec.decode(lattice: lattice, denominator: denominator) { run, scale in
            cursor.fill(run, times: scale)
        }
    }
}

/// What a round releases: the noised integer sum and the average change that it stands for.
package struct RoundAggregate: Sendable {
    /// The sum with its noise.
    package let noised: NoisedSum
    /// The average change of the d parameters.
    package let average: [Float]

    /// D lattice coordinates.
    package var sums: [Int64] { noised.sums }
    /// See `NoisedSum`.
    package var noiseSigma: UInt64 { noised.noiseSigma }
    /// See `NoisedSum`.
    package var denominator: Double { noised.denominator }
    /// See `NoisedSum`.
    package var nextClippingNorm: Float { noised.nextClippingNorm }
}

/// Closes `sum` as `NoisedSum` does, and decodes it.
///
/// - Throws: as `NoisedSum`, and `Fault.invalid` when the average is not finite.
package func aggregate(
    sum: consuming ExactSum, plan: Plan, noise random: inout some RandomSource
) throws(Fault) -> RoundAggregate {
    let noised = try NoisedSum(closing: sum, plan: plan, noise: &random)
    return RoundAggregate(noised: noised, average: try noised.average())
}

/// C after a round of `plan` with C = `norm`, in which `withinClip` of `count` updates were not
/// clipped; `norm` itself unless clipping is adaptive.
///
/// In a private plan the count is a release of its own, with discrete Gaussian noise and the plan's
/// constant for a denominator.
///
/// - Parameter random: cryptographic in a private plan.
/// - Throws: `Fault.invalid` when the plan's noise is beyond what can be sampled.
package func nextClippingNorm(
    after norm: Float, plan: Plan, withinClip: Int, count: Int,
    noise random: inout some RandomSource
) throws(Fault) -> Float {
    guard let adaptive = plan.clipping.adaptive else { return norm }
    var indicators = Int64(2 * withinClip - count)
    let agents: Double
    if let privacy = plan.privacy {
        let noise = DiscreteGaussian(sigma: try adaptive.indicatorSigma())
        indicators += noise.samples(1, random: &random)[0]
        agents = privacy.denominator
    } else {
        guard count > 0 else { return norm }
        agents = Double(count)
    }
    let fraction = AdaptiveClipping.fraction(indicators: indicators, agents: agents)
    return Float(adaptive.norm(after: Double(norm), fraction: fraction))
}

private func sigmaThatCanBeSampled(_ plan: Plan, lattice: Lattice) throws(Fault) -> UInt64 {
    guard let multiplier = plan.updateNoiseMultiplier else {
        throw Fault(
            .invalid, "the noise on the count of unclipped updates leaves none for the updates",
            remedy: "raise count_noise in the plan, or lower its noise_multiplier")
    }
    // Beyond 2^31 no bound of at least one step leaves a sigma that can be sampled.
    if multiplier >= 0, multiplier <= 0x1p31 {
        let sigma = noiseSigma(
            multiplier: multiplier, squaredNormBound: lattice.squaredNormBound)
        if sigma <= DiscreteGaussian.largestSigma { return sigma }
    }
    throw Fault(
        .invalid, "a noise multiplier of \(multiplier) needs more noise than can be sampled",
        remedy: "lower noise_multiplier in the plan")
}

import Aggregation
import Federation
import Glibc
import Privacy
import Testing
import UpdateCodec

@Suite("Adaptive clipping in a round")
struct AdaptiveClippingTests {
    private func plan(
        privacy: PrivacyPlan?, quantile: Double = 0.5, countNoise: Double? = nil
    ) -> Plan {
        var plan = Plan.sample(privacy: privacy)
        plan.clipping.adaptive = AdaptiveClipping(
            quantile: quantile, rate: 0.2, countNoise: countNoise)
        return plan
    }

    private func privacy(_ multiplier: Double, agents: Int) -> PrivacyPlan {
        PrivacyPlan(
            noiseMultiplier: multiplier, delta: 1e-5, sampling: .everyone, agents: agents,
            maxEpsilon: nil)
    }

    @Test("without privacy the norm moves by the exact share of unclipped updates")
    func exact() throws {
        let plan = plan(privacy: nil)
        let lattice = Lattice(plan: plan, clippingNorm: 2, rotationSeed: 3)
        var sum = ExactSum(lattice: lattice, maxWeight: plan.maxUpdateWeight)
        for (index, update) in try sampleUpdates(10, lattice: lattice).enumerated() {
            // The share counts updates, whatever they weigh.
            try sum.fold(update.values, weight: update.weight, withinClip: index < 3)
        }
        var random = SeededRandom(seed: 1)
        let released = try aggregate(sum: sum, plan: plan, noise: &random)
        #expect(abs(Double(released.nextClippingNorm) - 2 * exp(-0.2 * (0.3 - 0.5))) < 1e-6)
    }

    @Test("a plan with a fixed norm keeps its lattice's")
    func fixed() throws {
        let plan = Plan.sample(privacy: .sample(noiseMultiplier: 1))
        let lattice = Lattice(plan: plan, rotationSeed: 3)
        var random = SeededRandom(seed: 1)
        let sum = ExactSum(lattice: lattice, maxWeight: 1)
        let released = try aggregate(sum: sum, plan: plan, noise: &random)
        #expect(released.nextClippingNorm == plan.clipping.norm)
    }

    @Test("a private share has the plan's denominator and noise of standard deviation s_b / m")
    func privateShare() throws {
        let plan = plan(privacy: privacy(1, agents: 40), countNoise: 2)
        var random = SeededRandom(seed: 4)
        // 30 of 40 reported, 10 of them unclipped: (10 - 20) / (2 * 40) + 1/2 = 0.375.
        let shares = try (0..<4000).map { _ in
            let next = try nextClippingNorm(
                after: 1, plan: plan, withinClip: 10, count: 30, noise: &random)
            return 0.5 - log(Double(next)) / 0.2
        }
        let mean = shares.reduce(0, +) / 4000
        let variance = shares.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 4000
        // Standard errors: 0.05 / sqrt(4000) = 0.0008, and 2.2 % of the variance.
        #expect(abs(mean - 0.375) < 0.004)
        #expect(abs(variance / (0.05 * 0.05) - 1) < 0.12)
    }

    @Test("the updates' noise is that of z_Delta")
    func splitNoise() throws {
        let plan = plan(privacy: privacy(1, agents: 40), countNoise: 0.6)
        let lattice = Lattice(plan: plan, rotationSeed: 3)
        var random = SeededRandom(seed: 1)
        let released = try aggregate(
            sum: ExactSum(lattice: lattice, maxWeight: 1), plan: plan, noise: &random)
        let multiplier = 1 / (1 - 1 / 1.44).squareRoot()
        #expect(
            released.noiseSigma
                == noiseSigma(multiplier: multiplier, squaredNormBound: lattice.squaredNormBound))
        #expect(released.noiseSigma > lattice.squaredNormBound.squareRootRoundedUp)
        let nothingLeft = self.plan(privacy: privacy(1.2, agents: 40), countNoise: 0.6)
        let fault = #expect(throws: Fault.self) {
            try aggregate(
                sum: ExactSum(lattice: lattice, maxWeight: 1), plan: nothingLeft, noise: &random)
        }
        #expect(fault?.code == .invalid)
    }

    @Test(
        "the norm reaches the median of the updates' norms from both sides",
        arguments: [Float(0.1), 10], [true, false])
    func median(start: Float, isPrivate: Bool) throws {
        let agents = 200
        let plan = plan(
            privacy: isPrivate ? privacy(1, agents: agents) : nil,
            countNoise: isPrivate ? Double(agents) / 20 : nil)
        var random = SeededRandom(seed: 12)
        var norm = start
        var late: [Double] = []
        for round in 0..<240 {
            let within = (0..<agents).count { _ in
                Float(logNormal(median: 1.7, &random)) <= norm
            }
            norm = try nextClippingNorm(
                after: norm, plan: plan, withinClip: within, count: agents, noise: &random)
            if round >= 140 { late.append(log(Double(norm))) }
        }
        // Noise keeps it moving around the median; what it moves around is within 5 %.
        let centre = exp(late.reduce(0, +) / Double(late.count))
        #expect(abs(centre / 1.7 - 1) < 0.05)
        #expect(abs(Double(norm) / 1.7 - 1) < 0.15)
    }

    /// A norm whose logarithm is normal with standard deviation 1/2 (Box and Muller).
    private func logNormal(median: Double, _ random: inout SeededRandom) -> Double {
        let radius = (Double(random.next() >> 11) + 0.5) * 0x1p-53
        let angle = Double(random.next() >> 11) * 0x1p-53
        return median * exp(0.5 * sqrt(-2 * log(radius)) * cos(2 * .pi * angle))
    }
}

extension Int64 {
    fileprivate var squareRootRoundedUp: UInt64 { UInt64(Double(self).squareRoot().rounded(.up)) }
}

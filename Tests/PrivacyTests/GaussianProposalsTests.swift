import Privacy
import Testing

/// What the proof that the discrete Gaussian is exact relies on.
@Suite("Proposals for the discrete Gaussian")
struct GaussianProposalsTests {
    /// Sigma as numerator and denominator.
    static let sigmas: [(UInt64, UInt64)] = [
        (1, 2), (1, 1), (101, 100), (3, 2), (2, 1), (10, 1), (15, 1), (16, 1), (17, 1), (31, 1),
        (63, 2), (32, 1), (33, 1), (1000, 1), (7000, 1), (16_383, 1), (85_000, 1), (100_000, 1),
        (1_000_001, 10), ((1 << 31) - 1, 1), (1 << 31, 1), (1 << 31, 1 << 31), (1 << 31, 3),
    ]

    @Test("the weights add up to 2^64, and so do the aliases of each", arguments: sigmas)
    func aliases(sigma: UInt64, divisor: UInt64) {
        let proposals = GaussianProposals(sigma: sigma, over: divisor)
        let capacity: UInt64 = 1 << 56
        #expect(proposals.weights.reduce(UInt128(0)) { $0 + UInt128($1) } == 1 << 64)
        var totals = [UInt64](repeating: 0, count: 256)
        for column in 0..<256 {
            #expect(proposals.cuts[column] <= capacity)
            totals[column] += proposals.cuts[column]
            totals[Int(proposals.others[column])] += capacity - proposals.cuts[column]
        }
        #expect(totals == proposals.weights)
    }

    @Test("no proposal would have to be kept more than always", arguments: sigmas)
    func domination(sigma: UInt64, divisor: UInt64) {
        let proposals = GaussianProposals(sigma: sigma, over: divisor)
        for run in 0...proposals.runs {
            let isTail = run == proposals.runs
            let decision = ExponentialDecision(
                weight: proposals.weights[run], scale: proposals.scale,
                // Twice the tail's blocks over the runs.
                shift: isTail ? 1 + proposals.tailBits - proposals.widthBits : 0,
                numerator: (UInt64(run) << UInt64(proposals.widthBits)) * divisor,
                denominator: sigma)
            // Below 1: the largest V is not below it. Of 1, at x = 0, it is.
            if run == 0 {
                #expect(proposals.weights[0] == proposals.scale)
            } else {
                var highest = Constant(bit: 1)
                #expect(!decision.isBelow(.max, random: &highest))
            }
        }
    }

    @Test("what is kept without a look is certain for all of the run", arguments: sigmas)
    func certainty(sigma: UInt64, divisor: UInt64) {
        let proposals = GaussianProposals(sigma: sigma, over: divisor)
        for run in 0..<proposals.runs where proposals.certain[run] > 0 {
            let last = (UInt64(run + 1) << UInt64(proposals.widthBits)) - 1
            let decision = ExponentialDecision(
                weight: proposals.weights[run], scale: proposals.scale, numerator: last * divisor,
                denominator: sigma)
            var highest = Constant(bit: 1)
            #expect(
                decision.isBelow(UInt64(proposals.certain[run]) << 32 - 1, random: &highest))
        }
        #expect(proposals.certain[proposals.runs...].allSatisfy { $0 == 0 })
        // Most proposals never come to a decision.
        let certain = zip(proposals.weights, proposals.certain).reduce(0.0) {
            $0 + Double($1.0) * 0x1p-64 * Double($1.1) * 0x1p-32
        }
        #expect(certain > 0.9)
    }

    @Test("runs are narrow, reach far, and the tail's blocks are wide", arguments: sigmas)
    func sizes(sigma: UInt64, divisor: UInt64) {
        let proposals = GaussianProposals(sigma: sigma, over: divisor)
        let deviation = Double(sigma) / Double(divisor)
        let width = Double(UInt64(1) << UInt64(proposals.widthBits))
        #expect(width == 1 || width <= deviation / 16)
        // The offset has 27 bits.
        #expect(proposals.widthBits <= 27)
        #expect(proposals.runs <= 255)
        #expect(Double(proposals.runs) * width >= 7.9 * deviation)
        #expect(Double(UInt64(1) << UInt64(proposals.tailBits)) >= deviation)
    }
}

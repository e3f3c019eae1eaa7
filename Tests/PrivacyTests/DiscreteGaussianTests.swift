import Federation
import Foundation
import Privacy
import Testing

@Suite("The discrete Gaussian")
struct DiscreteGaussianTests {
    private static let count = 1_000_000

    /// Cells as small as the test allows see every integer or run; 100 cells see the shape best.
    private static let cells: [Double] = [20, Double(count) / 100]

    private static func samples(_ sigma: UInt64, over divisor: UInt64 = 1) -> [Int64] {
        var random = SeededRandom(seed: 20 + sigma + divisor)
        return DiscreteGaussian(sigma: sigma, over: divisor).samples(count, random: &random)
    }

    /// Sigma as numerator and denominator.
    @Test(
        "a million samples have the exact distribution (chi-square, p > 1e-6)",
        arguments: [
            (1, 2), (1, 1), (3, 2), (2, 1), (10, 1), (31, 1), (32, 1), (1000, 1), (10_001, 10),
        ] as [(UInt64, UInt64)])
    func distribution(sigma: UInt64, divisor: UInt64) {
        let samples = Self.samples(sigma, over: divisor)
        let exact = ChiSquare(sigma: Double(sigma) / Double(divisor))
        for least in Self.cells {
            #expect(abs(exact.normal(samples, least: least)) < ChiSquare.limit)
        }
    }

    @Test("a large sigma has the exact distribution too")
    func largeSigma() {
        let samples = Self.samples(100_000)
        let exact = ChiSquare(sigma: 100_000)
        #expect(abs(exact.normal(samples, least: Double(Self.count) / 1000)) < ChiSquare.limit)
        // Finer than a run, of 4096: what samples are modulo 4096 and its parts is uniform, to far
        // less than can be seen.
        for modulus in [2, 3, 64, 1024, 4096] as [Int64] {
            var seen = [Double](repeating: 0, count: Int(modulus))
            for sample in samples { seen[Int((sample % modulus + modulus) % modulus)] += 1 }
            let expected = Double(Self.count) / Double(modulus)
            let statistic = seen.reduce(0) { $0 + ($1 - expected) * ($1 - expected) / expected }
            let freedom = Double(modulus - 1)
            #expect(abs(statistic - freedom) < 6 * (2 * freedom).squareRoot())
        }
    }

    @Test(
        "a sigma that is off by 1 % is found out",
        arguments: [(1, 2), (1, 1), (2, 1), (10, 1), (1000, 1)] as [(UInt64, UInt64)])
    func wrongSigma(sigma: UInt64, divisor: UInt64) {
        let exact = ChiSquare(sigma: Double(sigma) / Double(divisor))
        // None is below 1/2.
        for percent in [99, 101] as [UInt64] where sigma > 1 || percent > 100 {
            let samples = Self.samples(sigma * percent, over: divisor * 100)
            #expect(exact.normal(samples, least: Double(Self.count) / 100) > ChiSquare.limit)
        }
    }

    @Test("a rounded continuous Gaussian is found out", arguments: [0.5, 1, 2])
    func roundedContinuous(sigma: Double) {
        var random = SeededRandom(seed: 3)
        let samples = (0..<Self.count).map { _ in
            let radius = (Double(random.next() >> 11) + 0.5) * 0x1p-53
            let angle = Double(random.next() >> 11) * 0x1p-53
            return Int64((sigma * sqrt(-2 * log(radius)) * cos(2 * .pi * angle)).rounded())
        }
        let exact = ChiSquare(sigma: sigma)
        #expect(exact.normal(samples, least: 20) > ChiSquare.limit)
    }

    @Test("zero that comes twice as often is found out")
    func doubleZero() {
        var samples = Self.samples(10)
        for index in 0..<samples.count / 100 { samples[index] = 0 }
        #expect(ChiSquare(sigma: 10).normal(samples, least: 20) > ChiSquare.limit)
    }

    @Test("the probabilities and the variance are those of the reference")
    func reference() {
        let exact = ChiSquare(sigma: 1)
        #expect(abs(exact.probability(0) - 0.3989423) < 5e-8)
        #expect(abs(exact.probability(1) - 0.2419707) < 5e-8)
        let count = Double(Self.count)
        let ones = Self.samples(1)
        // Within five standard deviations of a binomial count.
        #expect(abs(Double(ones.count { $0 == 0 }) / count - 0.3989423) < 0.00245)
        #expect(abs(Double(ones.count { $0 == 1 }) / count - 0.2419707) < 0.00215)
        // x^2 has a standard deviation of 0.46.
        let halves = Self.samples(1, over: 2)
        let variance = Double(halves.reduce(0) { $0 + $1 * $1 }) / count
        #expect(abs(variance - 0.2150127) < 5 * 0.46 / count.squareRoot())
    }

    @Test(
        "mean and variance fit, up to the largest sigma",
        arguments: [7000, 85_000, 1 << 31] as [UInt64])
    func moments(sigma: UInt64) {
        let samples = Self.samples(sigma).map { Double($0) / Double(sigma) }
        let count = Double(Self.count)
        let mean = samples.reduce(0, +) / count
        let variance = samples.reduce(0) { $0 + $1 * $1 } / count
        let fourth = samples.reduce(0) { $0 + $1 * $1 * $1 * $1 } / count
        #expect(abs(mean) < 5 / count.squareRoot())
        #expect(abs(variance - 1) < 5 * (2 / count).squareRoot())
        #expect(abs(fourth - 3) < 5 * (96 / count).squareRoot())
    }

    @Test("a few samples are as good as many")
    func fewAtATime() {
        var random = SeededRandom(seed: 6)
        let gaussian = DiscreteGaussian(sigma: 2)
        #expect(gaussian.samples(0, random: &random).isEmpty)
        let samples = (0..<100_000).flatMap { _ in gaussian.samples(1, random: &random) }
        #expect(abs(ChiSquare(sigma: 2).normal(samples, least: 20)) < ChiSquare.limit)
    }

    @Test("sigma 0 gives zeros and draws nothing")
    func noNoise() {
        var random = SeededRandom(seed: 4)
        #expect(
            DiscreteGaussian(sigma: 0).samples(100, random: &random)
                == Array(repeating: 0, count: 100))
        var untouched = SeededRandom(seed: 4)
        #expect(random.next() == untouched.next())
    }

    /// A proposal of the tail: a word of the highest column, whose alias it is, and so on.
    @Test("the tail is reached, and lies beyond the runs")
    func tail() throws {
        let proposals = GaussianProposals(sigma: 1000, over: 1)
        let column = try #require(
            proposals.cuts.indices.first { column in
                column == proposals.runs && proposals.cuts[column] > 0
            })
        // The tail's own column; offset and sign do not matter, minus; then the first block but
        // one, the offset in it, and V = 0, which keeps every proposal.
        let words: [UInt64] = [UInt64(column) << 56, 1 << 63, 0, 1, 5, 0]
        var random = Scripted(words: words)
        let samples = DiscreteGaussian(sigma: 1000).samples(1, random: &random)
        let magnitude: Int64 = 255 * 32 + 1024 + 5
        #expect(samples == [-magnitude])
    }
}

import Federation
import Foundation
import Privacy
import Testing

/// The given words first, then seeded ones.
private struct Scripted: RandomSource {
    var words: [UInt64]
    var rest = SeededRandom(seed: 1)

    mutating func fill(_ bytes: UnsafeMutableRawBufferPointer) {
        rest.fill(bytes)
        let script = words.prefix(bytes.count / 8)
        for (index, word) in script.enumerated() {
            bytes.storeBytes(of: word, toByteOffset: 8 * index, as: UInt64.self)
        }
        words.removeFirst(script.count)
    }
}

@Suite("The discrete Gaussian")
struct DiscreteGaussianTests {
    /// e^(-x^2 / (2 sigma^2)) for x up to 12 sigma, and their sum over all integers.
    private static func masses(_ sigma: UInt64) -> (weights: [Double], total: Double) {
        let variance = Double(sigma * sigma)
        let weights = (0...12 * sigma).map { exp(-Double($0 * $0) / (2 * variance)) }
        return (weights, 2 * weights.dropFirst().reduce(0, +) + weights[0])
    }

    /// Samples are counted in cells of at least 20 expected each; the cell of x is that of its sign
    /// and magnitude.
    @Test(
        "samples have the exact distribution (chi-square, p > 1e-6)",
        arguments: [(1, 300_000), (2, 100_000), (10, 100_000), (1000, 300_000)] as [(UInt64, Int)])
    func distribution(sigma: UInt64, count: Int) {
        var random = SeededRandom(seed: 20 + sigma)
        let samples = DiscreteGaussian(sigma: sigma).samples(count, random: &random)
        let (weights, total) = Self.masses(sigma)

        // Cells of magnitudes, from the outermost inwards; each is used for both signs.
        var cell = [Int](repeating: 0, count: weights.count)
        var expected: [Double] = [0]
        for magnitude in stride(from: weights.count - 1, through: 1, by: -1) {
            if expected[expected.count - 1] >= 20, weights[magnitude] / total * Double(count) > 0.01
            {
                expected.append(0)
            }
            cell[magnitude] = expected.count - 1
            expected[expected.count - 1] += weights[magnitude] / total * Double(count)
        }
        var observed = [[Double]](repeating: [0, 0], count: expected.count)
        var zeros = 0.0
        for sample in samples {
            if sample == 0 {
                zeros += 1
            } else {
                let magnitude = min(Int(sample.magnitude), weights.count - 1)
                observed[cell[magnitude]][sample < 0 ? 0 : 1] += 1
            }
        }
        let expectedZeros = Double(count) / total
        var statistic = (zeros - expectedZeros) * (zeros - expectedZeros) / expectedZeros
        for (expected, observed) in zip(expected, observed) {
            for seen in observed { statistic += (seen - expected) * (seen - expected) / expected }
        }
        // Wilson and Hilferty's normal approximation; 4.753 is the 1 - 1e-6 quantile.
        let freedom = Double(2 * expected.count)
        let normal =
            (cbrt(statistic / freedom) - (1 - 2 / (9 * freedom))) / (2 / (9 * freedom)).squareRoot()
        #expect(normal < 4.753)
        #expect(normal > -4.753)
    }

    @Test("sigma 1 gives 0 and 1 with the probabilities of the reference")
    func reference() {
        let (weights, total) = Self.masses(1)
        #expect(abs(weights[0] / total - 0.3989423) < 1e-7)
        #expect(abs(weights[1] / total - 0.2419707) < 1e-7)
        var random = SeededRandom(seed: 3)
        let samples = DiscreteGaussian(sigma: 1).samples(300_000, random: &random)
        // Within five standard deviations of a binomial count.
        #expect(abs(Double(samples.count { $0 == 0 }) / 300_000 - 0.3989423) < 0.0045)
        #expect(abs(Double(samples.count { $0 == 1 }) / 300_000 - 0.2419707) < 0.0040)
    }

    @Test(
        "mean and variance fit, up to the largest sigma", arguments: [85_000, 1 << 31] as [UInt64])
    func moments(sigma: UInt64) {
        var random = SeededRandom(seed: sigma)
        let count = 100_000
        let samples = DiscreteGaussian(sigma: sigma).samples(count, random: &random)
            .map { Double($0) / Double(sigma) }
        let mean = samples.reduce(0, +) / Double(count)
        let variance = samples.reduce(0) { $0 + $1 * $1 } / Double(count)
        #expect(abs(mean) < 5 / Double(count).squareRoot())
        #expect(abs(variance - 1) < 5 * (2 / Double(count)).squareRoot())
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

    @Test("a tie with the first 64 bits of a probability is decided by the next bits")
    func ties() {
        let half: UInt64 = 1 << 63
        let eighth: UInt64 = 1 << 61
        // sigma 2: rest 1 of [0, 2); kept with e^-1/2, whose first trial of 1/2 ties twice and then
        // fails; no multiple of sigma, as a trial of 1/2 fails; minus; accepted with e^-1/8, whose
        // first trial fails.
        let words: [UInt64] = [half, half, 0, 7, half + 1, 1, eighth + 1]
        var random = Scripted(words: words)
        #expect(DiscreteGaussian(sigma: 2).samples(1, random: &random) == [-1])

        // The same, but e^-1 comes to a trial of 1/3 = 0.0101... that ties once and then succeeds,
        // the next fails: an even count, so again no multiple of sigma. As the trials end, plus.
        let third = UInt64.max / 3
        let longer: [UInt64] = [half, half, 0, 7, 0, third, third - 1, .max, 0, eighth + 1]
        random = Scripted(words: longer)
        #expect(DiscreteGaussian(sigma: 2).samples(1, random: &random) == [1])
    }
}

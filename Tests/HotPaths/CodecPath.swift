import Aggregation
import Federation
import Privacy
import UpdateCodec

/// An update of 100,000 parameters from the change of the weights to the sum, and the noise of a round.
enum CodecPath {
    private static let parameters = 100_000
    private static let updates = 20

    private static var lattice: Lattice {
        var lattice = Lattice(
            parameters: parameters, clippingNorm: 1, step: 0, kappa: 6, rotationSeed: 7)
        lattice.step =
            lattice.kappa * lattice.clippingNorm
            / (127 * Float(lattice.dimension).squareRoot())
        return lattice
    }

    private static func change(_ random: inout SeededRandom) -> [Float] {
        (0..<parameters).map { _ in Float(random.unitInterval() - 0.5) * 3e-3 }
    }

    /// Clips, rotates and rounds.
    static func encode() throws {
        var random = SeededRandom(seed: 1)
        let lattice = lattice
        let delta = change(&random)
        var norm: Float = 0
        try countedWork {
            for _ in 0..<updates {
                norm += try UpdateCodec.encode(delta: delta, lattice: lattice, random: &random).norm
            }
        }
        try expect(norm > 0, "the update is empty")
    }

    /// Checks packed updates and adds them, as the coordinator does with what agents send.
    static func fold() throws {
        var random = SeededRandom(seed: 1)
        let lattice = lattice
        let packed = UpdateElements.int8(
            try UpdateCodec.encode(delta: change(&random), lattice: lattice, random: &random).values
        ).packed(on: lattice)
        var sum = ExactSum(lattice: lattice, maxWeight: 1000)
        try countedWork {
            for number in 0..<updates {
                try sum.fold(
                    try sum.check.checked(
                        packed: packed, weight: UInt64(1 + number % 2 * 599), withinClip: true))
            }
        }
        try expect(sum.count == updates, "updates are missing from the sum")
    }

    /// Noise for a sum of 100,000 coordinates.
    static func noise() throws {
        var random = SeededRandom(seed: 1)
        var samples: [Int64] = []
        countedWork { samples = DiscreteGaussian(sigma: 5000).samples(parameters, random: &random) }
        try expect(samples.contains { $0 != 0 }, "there is no noise")
    }
}

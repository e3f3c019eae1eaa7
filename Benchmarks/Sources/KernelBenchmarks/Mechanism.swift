import Cryptography
import Federation
import Privacy
import UpdateCodec

/// How fast a round's noise is drawn and its updates are encoded and decoded, with OpenSSL's
/// generator as in deployment.
struct Mechanism {
    /// A discrete Gaussian sample takes two words, and three in a hundred of them more.
    static let bytesOfSample = 16.0

    private static let repetitions = 31
    private static let sigmas: [UInt64] = [1000, 100_000]
    private static let parameters = 1_000_000

    /// Random bytes a second.
    let randomBytes: Double
    /// Samples a second, at the sigma at which they are fewer.
    let samples: Double
    /// float32 bytes a second, encoded and decoded again.
    let latticeBytes: Double

    init() throws {
        var random = SystemRandom()
        randomBytes = Self.randomBytes(&random)
        samples = Self.sigmas.map { Self.samples(sigma: $0, &random) }.min() ?? 0
        latticeBytes = try Self.latticeBytes(&random)
    }

    private static func randomBytes(_ random: inout SystemRandom) -> Double {
        var bytes = [UInt8](repeating: 0, count: 64 << 10)
        let measurement = Measurement(operations: Double(bytes.count)) {
            bytes.withUnsafeMutableBytes { random.fill($0) }
        }
        return measurement.median * 1e9
    }

    private static func samples(sigma: UInt64, _ random: inout SystemRandom) -> Double {
        let count = 1 << 20
        let measurement = Measurement(operations: Double(count), repetitions: repetitions) {
            // The tables are made anew, as they are every round.
            _ = DiscreteGaussian(sigma: sigma).samples(count, random: &random)
        }
        return measurement.median * 1e9
    }

    private static func latticeBytes(_ random: inout SystemRandom) throws -> Double {
        var lattice = Lattice(
            parameters: parameters, clippingNorm: 1, step: 0, kappa: 6, rotationSeed: 7)
        lattice.step =
            lattice.kappa * lattice.clippingNorm
            / (127 * Float(lattice.dimension).squareRoot())
        let delta = (0..<parameters).map { _ in Float.random(in: -1...1) * 1.5e-3 }
        // Once, for what would be thrown; then again and again.
        let sums = try UpdateCodec.encode(delta: delta, lattice: lattice, random: &random)
            .values.map(Int64.init)
        _ = try UpdateCodec.decode(sum: sums, lattice: lattice, denominator: 1)
        let encoding = Measurement(operations: 1, repetitions: repetitions) {
            _ = try? UpdateCodec.encode(delta: delta, lattice: lattice, random: &random)
        }
        let decoding = Measurement(operations: 1, repetitions: repetitions) {
            _ = try? UpdateCodec.decode(sum: sums, lattice: lattice, denominator: 1)
        }
        let seconds = 1 / (encoding.median * 1e9) + 1 / (decoding.median * 1e9)
        return 4 * Double(parameters) / seconds
    }
}

import Federation
import Foundation
import Privacy
import Testing

extension InteropTests {
    /// Noise of this project against that of another sampler of the same distribution.
    @Suite("Discrete Gaussian noise beside opendp's")
    struct NoiseTests {
        private func agreement(of gaussian: DiscreteGaussian, sigma: UInt64) async throws
            -> Finished
        {
            var random = SeededRandom(seed: 31 + sigma)
            let samples = gaussian.samples(500_000, random: &random).map(\.littleEndian)
            return try await withTemporaryDirectory { directory in
                let file = directory.appending(path: "samples")
                try samples.withUnsafeBytes { Data($0) }.write(to: file)
                return try await run(script: "noise_agreement.py", file.path, "\(sigma)")
            }
        }

        @Test("has the same distribution", arguments: [1, 10, 1000] as [UInt64])
        func sameDistribution(sigma: UInt64) async throws {
            let result = try await agreement(of: DiscreteGaussian(sigma: sigma), sigma: sigma)
            #expect(result.status == 0, "\(result)")
        }

        @Test("and with 5 % more of it has not", arguments: [1, 10, 1000] as [UInt64])
        func otherDistribution(sigma: UInt64) async throws {
            let wrong = DiscreteGaussian(sigma: 105 * sigma, over: 100)
            let result = try await agreement(of: wrong, sigma: sigma)
            #expect(result.status == 1, "\(result)")
        }
    }
}

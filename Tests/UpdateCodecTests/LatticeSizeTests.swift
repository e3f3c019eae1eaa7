import Federation
import Testing
import UpdateCodec

@Suite("The size and the error of a lattice")
struct LatticeSizeTests {
    @Test("padding is below 1.5 % of 10,000 parameters or more")
    func padding() {
        func share(_ parameters: Int) -> Double {
            let lattice = Lattice.sample(parameters: parameters)
            return Double(lattice.dimension - parameters) / Double(parameters)
        }
        #expect((10_000...300_000).allSatisfy { (0..<0.015).contains(share($0)) })
        // Where the block doubles, and just before; what follows repeats every block.
        for exponent in stride(from: 15, through: 41, by: 2) {
            let change = 1 << exponent
            #expect(
                Lattice.sample(parameters: change).blockSize
                    == 2 * Lattice.sample(parameters: change - 1).blockSize)
            for parameters in change - 1000...change + 1000 {
                #expect((0..<0.015).contains(share(parameters)))
            }
        }
    }

    @Test("the block is the power of two nearest to the root, by its logarithm")
    func block() {
        for parameters in [1, 2, 7, 8, 31, 32, 33, 127, 128, 9999, 10_000, 101_773, 1_000_000] {
            let block = Double(Lattice.sample(parameters: parameters).blockSize)
            let ratio = block * block / Double(parameters)
            #expect(ratio > 0.5 && ratio <= 2, "\(parameters)")
        }
    }

    @Test(
        "the error of shorter updates is that of the lattice, (C / norm)^2 as large",
        arguments: [0.25, 0.5, 1])
    func shortUpdates(norm: Double) throws {
        let count = 1 << 14
        let delta = heavyTailed(count, norm: norm, seed: 21)
        var random = SeededRandom(seed: 9)
        var squares = 0.0
        let trials = 20
        for trial in 0..<trials {
            let lattice = Lattice.sample(parameters: count, seed: UInt64(trial))
            let encoded = try UpdateCodec.encode(delta: delta, lattice: lattice, random: &random)
            let back = try UpdateCodec.decode(
                sum: encoded.values.map(Int64.init), lattice: lattice, denominator: 1)
            for (one, other) in zip(back, delta) {
                squares += (Double(one) - Double(other)) * (Double(one) - Double(other))
            }
        }
        let error = squares / Double(trials) / (norm * norm)
        let expected = 36.0 / (6 * 127 * 127) / (norm * norm)
        #expect(abs(error / expected - 1) < 0.03)
    }

    @Test("no update is longer than the clipping norm once it is clipped")
    func clippingFactor() {
        var random = SeededRandom(seed: 14)
        for _ in 0..<20_000 {
            let clip = Double(Float(random.next() % 1_000_000 + 1) * 1e-4)
            let exponent = Double(random.next() % 80) - 40
            let norm = Double(random.next() >> 11) * 0x1p-53 * exp2(exponent)
            let factor = UpdateCodec.clippingFactor(norm: norm, clip: clip)
            #expect(factor * norm <= clip * (1 + 1e-12))
            #expect(factor == 1 || norm > clip)
        }
        #expect(UpdateCodec.clippingFactor(norm: 0, clip: 1) == 1)
    }

    private func exp2(_ exponent: Double) -> Double {
        Double(sign: .plus, exponent: Int(exponent), significand: 1)
    }

    @Test("one-bit changes of the size keep encoding and decoding each other's inverse")
    func strips() throws {
        // Around the strips of 64 columns, with one block, many, and a last strip that is narrow.
        for parameters in [2047, 2048, 2049, 4095, 8191, 8192, 8193, 12_345, 40_001] {
            let lattice = Lattice.sample(parameters: parameters, norm: 1)
            let delta = heavyTailed(parameters, norm: 1, seed: UInt64(parameters))
            var random = SeededRandom(seed: 2)
            let encoded = try UpdateCodec.encode(delta: delta, lattice: lattice, random: &random)
            let back = try UpdateCodec.decode(
                sum: encoded.values.map(Int64.init), lattice: lattice, denominator: 1)
            let error = euclideanNorm(zip(back, delta).map { Double($0) - Double($1) })
            #expect(error * error < 1.5 * 36 / (6 * 127 * 127))
        }
    }
}

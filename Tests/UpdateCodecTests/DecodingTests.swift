import Federation
import Testing
import UpdateCodec

@Suite("Decoding sums")
struct DecodingTests {
    /// 70 parameters in 9 blocks of 8: D = 72, so that the signs span two words and the matrix is
    /// not square.
    private static let lattice = Lattice(
        parameters: 70, clippingNorm: 1, step: 1, kappa: 6, rotationSeed: 7)
    private static let sum = (0..<72 as Range<Int64>).map { index in
        let square = 37 * index * index
        return (square + 11 * index) % 255 - 127
    }

    /// The un-rotated `sum`, from an independent program that multiplies by Hadamard matrices in
    /// rational arithmetic.
    private static let parameters: [Float] = [
        8.75, -11.5, 0.25, -0.5, 100.75, 215.5, 137.75, 97.0, -37.625, 8.125, -17.875, -7.375,
        8.875, -4.125, -39.875, 24.125, 81.5, -15.0, -144.5, 70.0, 0.0, 127.0, -17.5, 2.5, -36.875,
        -159.375, 4.375, -11.125, 75.375, -77.625, -43.625, 2.375, -52.25, -24.5, 49.75, 85.0,
        -114.75, -26.0, 71.75, 38.0, -22.0, 93.75, 3.0, -35.25, -9.0, -61.75, 20.5, 33.75, -82.125,
        -32.375, -72.625, 2.375, -100.875, -2.625, 209.125, 72.875, -67.375, 7.875, -147.375,
        108.375, -60.625, -13.125, 15.875, 42.875, 88.25, -146.0, 124.0, -44.75, 103.75, -42.0,
    ]

    @Test("a sum un-rotates to the parameters that an independent program gives")
    func golden() throws {
        let values = try UpdateCodec.decode(
            sum: Self.sum, lattice: Self.lattice, denominator: 1)
        #expect(values == Self.parameters)
    }

    @Test("step and denominator scale the result")
    func scale() throws {
        var lattice = Self.lattice
        lattice.step = 0.125
        let values = try UpdateCodec.decode(sum: Self.sum, lattice: lattice, denominator: 4)
        #expect(values == Self.parameters.map { $0 / 32 })
    }

    @Test("another seed gives another rotation of the same norm")
    func seed() throws {
        let one = Lattice.sample(parameters: 72, norm: 1, seed: 1)
        let two = Lattice.sample(parameters: 72, norm: 1, seed: 2)
        let first = try UpdateCodec.decode(sum: Self.sum, lattice: one, denominator: 1)
        let second = try UpdateCodec.decode(sum: Self.sum, lattice: two, denominator: 1)
        #expect(first != second)
        #expect(abs(euclideanNorm(first) / euclideanNorm(second) - 1) < 1e-6)
    }

    @Test("sums beyond 2^24 and their denominators cancel to the bit")
    func largeSums() throws {
        let large = Self.sum.map { $0 << 40 }
        let values = try UpdateCodec.decode(
            sum: large, lattice: Self.lattice, denominator: 0x1p40)
        #expect(values == Self.parameters)
        // 1000003 is no power of two, and 127 times it no float32: the result is off by rounding
        // only.
        let weighted = try UpdateCodec.decode(
            sum: Self.sum.map { $0 * 1_000_003 }, lattice: Self.lattice, denominator: 1_000_003)
        let differences = zip(weighted, Self.parameters).map { Double($0) - Double($1) }
        #expect(euclideanNorm(differences) < 1e-6 * euclideanNorm(Self.parameters))
    }

    @Test("decoding is the inverse of encoding for one nonzero parameter")
    func onePeak() throws {
        let lattice = Lattice.sample(parameters: 4096, norm: 1)
        var delta = [Float](repeating: 0, count: 4096)
        delta[1234] = 1
        var random = SeededRandom(seed: 1)
        let encoded = try UpdateCodec.encode(delta: delta, lattice: lattice, random: &random)
        // Rotated, the peak is the same on all coordinates: 127 / 6 steps, rounded to a neighbour.
        #expect(encoded.values.count { abs($0) == 21 || abs($0) == 22 } == lattice.dimension)
        let back = try UpdateCodec.decode(
            sum: encoded.values.map(Int64.init), lattice: lattice, denominator: 1)
        #expect(abs(back[1234] - 1) < 0.01)
    }

    @Test("a sum of the wrong size or an impossible denominator is refused")
    func badInput() {
        let bad: [(sum: [Int64], denominator: Double)] = [
            (Array(Self.sum.dropLast()), 1), (Self.sum + [0], 1), ([], 1), (Self.sum, 0),
            (Self.sum, -1), (Self.sum, .nan), (Self.sum, .infinity), (Self.sum, 1e-300),
        ]
        for (sum, denominator) in bad {
            let fault = #expect(throws: Fault.self) {
                try UpdateCodec.decode(sum: sum, lattice: Self.lattice, denominator: denominator)
            }
            #expect(fault?.code == .invalid)
        }
    }
}

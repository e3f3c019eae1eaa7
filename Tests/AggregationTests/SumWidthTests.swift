import Aggregation
import Federation
import Privacy
import Testing
import UpdateCodec

/// A sum takes 16, 32 or 64 bits a coordinate, as its updates' weights need; what it is does not depend on that.
@Suite("The width of sums")
struct SumWidthTests {
    private static let lattice: Lattice = {
        // More than one block of a sum, and no whole number of them.
        var lattice = Lattice(
            parameters: 70_000, clippingNorm: 1, step: 0, kappa: 6, rotationSeed: 3)
        lattice.step = 1e-4
        return lattice
    }()

    /// An update with both extremes at the ends of every block, and what it adds to a coordinate.
    private static let update: [Int8] = (0..<lattice.dimension).map { index in
        switch index % 128 {
        case 0: 127
        case 127: -127
        default: Int8(index % 7) - 3
        }
    }

    private func rejection(
        _ update: CheckedUpdate, into sum: inout ExactSum
    ) -> UpdateRejection? {
        do {
            try sum.fold(update)
            return nil
        } catch { return error.reason }
    }

    @Test(
        "sums are exact at the last weight that a width holds, and at the next",
        arguments: [
            // 127 * 258 = 32766; 127 * 16909320 = 2^31 - 8.
            [257, 1], [258], [259], [258, 1], [1, 258], [16_909_319, 1], [16_909_320],
            [16_909_321], [16_909_320, 1], [258, 1, 16_909_061, 1], [1 << 40, 1],
        ] as [[UInt64]])
    func boundaries(weights: [UInt64]) throws {
        var sum = ExactSum(lattice: Self.lattice, maxWeight: .max)
        for weight in weights { try sum.fold(Self.update, weight: weight) }
        let total = Int64(weights.reduce(0, +))
        #expect(sum.sums == Self.update.map { total * Int64($0) })
    }

    @Test("an update is the same packed, as int8 and as wide elements")
    func forms() throws {
        let packed = UpdateElements.int8(Self.update).packed(on: Self.lattice)
        var sums: [[Int64]] = []
        var wide = Self.lattice
        wide.elementBits = 16
        for form in 0..<3 {
            var sum = ExactSum(lattice: form == 2 ? wide : Self.lattice, maxWeight: 1000)
            for weight in [3, 300] as [UInt64] {
                let check = sum.check
                let update =
                    switch form {
                    case 0:
                        try check.checked(packed: packed, weight: weight, withinClip: true)
                    case 1:
                        try check.checked(
                            .int8(Self.update), weight: weight, withinClip: true)
                    default:
                        try check.checked(
                            packed: UpdateElements.wide(Self.update.map(Int64.init))
                                .packed(on: wide), weight: weight, withinClip: true)
                    }
                #expect(rejection(update, into: &sum) == nil)
            }
            #expect(sum.count == 2 && sum.withinClip == 2 && sum.totalWeight == 303)
            sums.append(sum.sums)
        }
        #expect(sums[0] == Self.update.map { 303 * Int64($0) })
        #expect(sums[0] == sums[1] && sums[0] == sums[2])
    }

    @Test("a packed update that breaks a rule is rejected for it")
    func packedRejections() throws {
        let packed = UpdateElements.int8(Self.update).packed(on: Self.lattice)
        let check = ExactSum(lattice: Self.lattice, maxWeight: 10).check
        var wide = Self.lattice
        wide.elementBits = 16
        let wideCheck = ExactSum(lattice: wide, maxWeight: 10).check
        func reason(
            _ check: UpdateCheck, _ bytes: [UInt8], weight: UInt64 = 1
        ) -> UpdateRejection? {
            do {
                _ = try check.checked(packed: bytes, weight: weight, withinClip: true)
                return nil
            } catch { return error.reason }
        }
        #expect(reason(check, packed) == nil)
        #expect(reason(check, Array(packed.dropLast())) == .wrongDimension)
        #expect(reason(check, packed + [0]) == .wrongDimension)
        #expect(reason(check, []) == .wrongDimension)
        #expect(reason(check, packed, weight: 0) == .malformed)
        #expect(reason(check, packed, weight: 11) == .tooManyExamples)
        var outside = packed
        outside[69_999] = 0x80
        #expect(reason(check, outside) == .normBound)
        #expect(reason(check, packed.map { _ in 100 }) == .normBound)
        #expect(reason(wideCheck, packed + packed) == nil)
        #expect(reason(wideCheck, packed) == .wrongDimension)
        #expect(reason(wideCheck, packed + packed.dropLast()) == .malformed)
    }

    @Test(
        "noise is what the distribution gives in one batch, whatever the width",
        arguments: [
            1, 300, 20_000_000,
        ] as [UInt64])
    func noise(weight: UInt64) throws {
        for sigma in [0, 1, 5_000, 1 << 31] as [UInt64] {
            var sum = ExactSum(lattice: Self.lattice, maxWeight: .max)
            try sum.fold(Self.update, weight: weight)
            var random = SeededRandom(seed: sigma)
            sum.addNoise(DiscreteGaussian(sigma: sigma), random: &random)
            var same = SeededRandom(seed: sigma)
            let noise = DiscreteGaussian(sigma: sigma)
                .samples(Self.lattice.dimension, random: &same)
            let total = Int64(weight)
            let expected = zip(Self.update, noise).map { total * Int64($0) + $1 }
            #expect(sum.sums == expected)
            // As much of the generator was used.
            #expect(random.next() == same.next())
            // What is added afterwards is still exact.
            try sum.fold(Self.update, weight: 258)
            #expect(sum.sums == zip(Self.update, expected).map { 258 * Int64($0) + $1 })
        }
    }

    @Test("runs put together are the sums")
    func runs() throws {
        var sum = ExactSum(lattice: Self.lattice, maxWeight: 1)
        try sum.fold(Self.update, weight: 1)
        var random = SeededRandom(seed: 1)
        let plan = Plan.sample(privacy: .sample(noiseMultiplier: 0))
        let noised = try NoisedSum(closing: sum, plan: plan, noise: &random)
        var runs: [[Int64]] = []
        noised.forEachRun { runs.append($0) }
        #expect(runs.count > 1)
        #expect(runs.flatMap(\.self) == Self.update.map(Int64.init))
        #expect(noised.sums == sum.sums && noised.count == Self.lattice.dimension)
        let decoded = try UpdateCodec.decode(
            sum: sum.sums, lattice: Self.lattice, denominator: noised.denominator)
        #expect(try noised.average() == decoded)
    }

    @Test("no sum is without a coordinate")
    func smallest() throws {
        let lattice = Lattice(
            parameters: 1, clippingNorm: 1, step: 1, kappa: 1, rotationSeed: 3)
        var sum = ExactSum(lattice: lattice, maxWeight: 1)
        try sum.fold([-127], weight: 1)
        #expect(sum.sums == [-127])
    }
}

import Aggregation
import Federation
import Testing
import UpdateCodec

@Suite("Exact sums of updates")
struct ExactSumTests {
    private let lattice = Lattice(plan: .sample(), rotationSeed: 3)

    private func rejection(
        _ values: [Int8], weight: UInt64, into sum: inout ExactSum
    ) -> UpdateRejection? {
        do {
            try sum.fold(values, weight: weight)
            return nil
        } catch { return error.reason }
    }

    @Test("a sum holds weight times value, the count and the total weight")
    func folding() throws {
        var sum = ExactSum(lattice: lattice, maxWeight: 500)
        var values = [Int8](repeating: 0, count: lattice.dimension)
        values[0] = -127
        values[79] = 5
        try sum.fold(values, weight: 500)
        values[0] = 1
        try sum.fold(values, weight: 2)
        #expect(sum.sums[0] == -127 * 500 + 2)
        #expect(sum.sums[79] == 5 * 502)
        #expect(sum.sums[1...78].allSatisfy { $0 == 0 })
        #expect(sum.count == 2)
        #expect(sum.totalWeight == 502)
    }

    @Test("updates that are folded together give the sum of one after another")
    func foldingTogether() throws {
        var (together, oneByOne) = (
            ExactSum(lattice: lattice, maxWeight: 500), ExactSum(lattice: lattice, maxWeight: 500)
        )
        let updates = try (0..<5).map { number in
            let values = (0..<lattice.dimension).map { Int8(($0 * (number + 3)) % 41 - 20) }
            return try together.checked(
                .int8(values), weight: UInt64(100 * number + 1), withinClip: number != 2)
        }
        for update in updates { try oneByOne.fold(update) }
        try together.fold(updates)
        #expect(together.sums == oneByOne.sums)
        #expect(together.count == 5)
        #expect(together.withinClip == 4)
        #expect(together.totalWeight == oneByOne.totalWeight)
        try together.fold([])
        #expect(together.sums == oneByOne.sums)
    }

    @Test("an update that breaks a rule is rejected for it and leaves the sum alone")
    func rejections() throws {
        var sum = ExactSum(lattice: lattice, maxWeight: 500)
        let fair = [Int8](repeating: 20, count: lattice.dimension)
        try sum.fold(fair, weight: 3)
        let before = sum.sums

        #expect(rejection(Array(fair.dropLast()), weight: 1, into: &sum) == .wrongDimension)
        #expect(rejection(fair + [0], weight: 1, into: &sum) == .wrongDimension)
        #expect(rejection([], weight: 1, into: &sum) == .wrongDimension)
        #expect(rejection(fair, weight: 501, into: &sum) == .tooManyExamples)
        #expect(rejection(fair, weight: .max, into: &sum) == .tooManyExamples)
        #expect(rejection(fair, weight: 0, into: &sum) == .malformed)
        let long = [Int8](repeating: 30, count: lattice.dimension)
        #expect(rejection(long, weight: 1, into: &sum) == .normBound)
        var outside = [Int8](repeating: 0, count: lattice.dimension)
        outside[7] = -128
        #expect(rejection(outside, weight: 1, into: &sum) == .normBound)

        #expect(sum.sums == before)
        #expect(sum.count == 1)
        #expect(sum.totalWeight == 3)
    }

    @Test(
        "sums cannot overflow: the total weight is limited before they could (fedbiomed 1210)")
    func overflow() throws {
        var sum = ExactSum(lattice: lattice, maxWeight: .max)
        var values = [Int8](repeating: 0, count: lattice.dimension)
        values[0] = 127
        values[1] = -127
        let largest: UInt64 = (1 << 62) / 127
        try sum.fold(values, weight: largest - 1)
        #expect(rejection(values, weight: 2, into: &sum) == .tooManyExamples)
        #expect(rejection(values, weight: .max, into: &sum) == .tooManyExamples)
        try sum.fold(values, weight: 1)
        #expect(rejection(values, weight: 1, into: &sum) == .tooManyExamples)
        #expect(sum.sums[0] == 127 * Int64(largest))
        #expect(sum.sums[1] == -127 * Int64(largest))
        #expect(sum.sums[0] <= 1 << 62)
        sum.addNoise([Int64](repeating: 1 << 61, count: lattice.dimension))
        #expect(sum.sums[0] == 127 * Int64(largest) + 1 << 61)
    }

    @Test("counts the updates that were not clipped, whatever they weigh")
    func withinClip() throws {
        var sum = ExactSum(lattice: lattice, maxWeight: 500)
        let fair = [Int8](repeating: 1, count: lattice.dimension)
        for (weight, within) in [(7, true), (1, false), (500, true)] as [(UInt64, Bool)] {
            try sum.fold(
                try sum.checked(.int8(fair), weight: weight, withinClip: within))
        }
        #expect(sum.withinClip == 2)
        #expect(sum.count == 3)
    }

    @Test("wide updates add up exactly, and only their range is looked at")
    func wide() throws {
        var wide = lattice
        wide.elementBits = 64
        var sum = ExactSum(lattice: wide, maxWeight: 1)
        var values = [Int64](repeating: 0, count: wide.dimension)
        values[0] = wide.largestMagnitude
        values[1] = -1
        for _ in 0..<3 {
            try sum.fold(try sum.checked(.wide(values), weight: 1, withinClip: true))
        }
        #expect(sum.sums[0] == 3 * wide.largestMagnitude)
        #expect(sum.sums[1] == -3)
        values[1] = -wide.largestMagnitude - 1
        let range = #expect(throws: UpdateRejectionError.self) {
            try sum.checked(.wide(values), weight: 1, withinClip: true)
        }
        #expect(range?.reason == .normBound)
        let width = #expect(throws: UpdateRejectionError.self) {
            try sum.checked(
                .int8([Int8](repeating: 0, count: wide.dimension)), weight: 1, withinClip: true)
        }
        #expect(width?.reason == .normBound)
        // A million of the largest still fit.
        #expect(UInt64(wide.largestMagnitude) * 1_000_000 <= 1 << 62)
    }

    @Test("private plans weigh every update alike, others by its examples up to the limit")
    func weights() {
        let open = Plan.sample()
        #expect(open.maxUpdateWeight == 500)
        #expect(open.updateWeight(examples: 321) == 321)
        let secret = Plan.sample(privacy: .sample(noiseMultiplier: 1))
        #expect(secret.maxUpdateWeight == 1)
        #expect(secret.updateWeight(examples: 321) == 1)
        #expect(secret.updateWeight(examples: 0) == 1)
        var sum = ExactSum(lattice: lattice, maxWeight: secret.maxUpdateWeight)
        let fair = [Int8](repeating: 1, count: lattice.dimension)
        #expect(rejection(fair, weight: 2, into: &sum) == .tooManyExamples)
    }
}

import Kernels
import Testing

@Suite("Hadamard transform and sums")
struct HadamardTests {
    @Test("each block is multiplied by the Walsh-Hadamard matrix")
    func definition() {
        let block = 8
        var values = (0..<2 * block).map { Float($0 * $0 % 17) - 5 }
        let given = values
        Hadamard.transformBlocks(&values, block: block)
        for index in values.indices {
            let start = index / block * block
            let expected = (0..<block).reduce(Float(0)) { sum, column in
                let negative = ((index - start) & column).nonzeroBitCount.isMultiple(of: 2) == false
                return sum + (negative ? -given[start + column] : given[start + column])
            }
            #expect(values[index] == expected)
        }
    }

    @Test("twice is a multiplication by the block")
    func involution() {
        for block in [1, 2, 64, 512] {
            let given = (0..<3 * block).map { Float($0 % 13) - 6 }
            var values = given
            Hadamard.transformBlocks(&values, block: block)
            Hadamard.transformBlocks(&values, block: block)
            #expect(values == given.map { $0 * Float(block) })
        }
    }

    @Test("no values are no blocks")
    func empty() {
        var values: [Float] = []
        Hadamard.transformBlocks(&values, block: 4)
        #expect(values.isEmpty)
    }

    @Test("weighted vectors add up exactly in 64 bits")
    func accumulate() {
        var sums: [Int64] = [1, -5, 1 << 40, 0, 0]
        Accumulate.add([127, -127, 1, 0, -128], weight: 1_000_000_007, into: &sums)
        let large: Int64 = 127 * 1_000_000_007
        #expect(
            sums == [1 + large, -5 - large, (1 << 40) + 1_000_000_007, 0, -large - 1_000_000_007])
    }

    @Test("stochastic rounding keeps integers and the mean, and stays within 127")
    func stochasticRounding() {
        var random = Dice(seed: 8)
        let count = 20_000
        let bits = (0..<count).map { _ in random.bits() }
        var output = [Int8](repeating: 0, count: count)
        for (value, mean): (Float, Float) in [
            (-2, -4), (0.5, 1), (-0.65, -1.3), (63.4, 126.8), (1_000, 127), (-1_000, -127),
        ] {
            StochasticRounding.round(
                [Float](repeating: value, count: count), scale: 0.5, random: bits, into: &output)
            #expect(output.allSatisfy { (Float($0) - mean).magnitude < 1 })
            let sum = output.reduce(0) { $0 + Int($1) }
            // Four standard deviations of the mean of the most uncertain value.
            #expect(
                (Float(sum) / Float(count) - mean).magnitude < 4 * 0.5 / Float(count).squareRoot())
        }
    }
}

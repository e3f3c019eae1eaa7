import Kernels
import Testing

@Suite("Hadamard transform")
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
}

import Kernels
import Testing

@Suite("The worked example of Kernels")
struct WorkedExampleTests {
    @Test("does what its catalogue says")
    func example() throws {
        var values: [Float] = [8, 0, 0, 0]
        Hadamard.transformBlocks(&values, block: 4)

        var sums: [Int64] = [0, 0]
        Accumulate.add([127, -127], weight: 3, into: &sums)
        Accumulate.add([1, 1], weight: 10, into: &sums)

        #expect(Set(values).count == 1 && values[0] > 0)
        #expect(sums == [391, -371])
    }
}

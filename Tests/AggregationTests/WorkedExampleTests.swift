import Aggregation
import Federation
import Testing

@Suite("The worked example of Aggregation")
struct WorkedExampleTests {
    @Test("does what its catalogue says")
    func example() throws {
        let lattice = Lattice(
            parameters: 78, clippingNorm: 1, step: 0.005, kappa: 6, rotationSeed: 1)
        let first = [Int8](repeating: 2, count: lattice.dimension)
        let second = [Int8](repeating: -1, count: lattice.dimension)

        var sum = ExactSum(lattice: lattice, maxWeight: 10)
        try sum.fold(first, weight: 3)
        try sum.fold(second, weight: 1)
        var reversed = ExactSum(lattice: lattice, maxWeight: 10)
        try reversed.fold(second, weight: 1)
        try reversed.fold(first, weight: 3)

        var optimizer = ServerOptimizer(
            plan: ServerPlan(learningRate: 1, momentum: 0), velocity: [])
        var master: [Float] = [1, 2]
        try optimizer.step(master: &master, average: [0.5, -0.5])

        #expect(sum.sums == reversed.sums && sum.sums[0] == 5)
        #expect(master == [1.5, 1.5])
    }
}

import Federation
import Testing
import UpdateCodec

@Suite("The worked example of UpdateCodec")
struct WorkedExampleTests {
    @Test("does what its catalogue says")
    func example() throws {
        var random = SeededRandom(seed: 1)

        var lattice = Lattice(
            parameters: 1000, clippingNorm: 1, step: 0, kappa: 6, rotationSeed: 7)
        lattice.step = 6 / (127 * Float(lattice.dimension).squareRoot())
        let delta = [Float](repeating: 0.02, count: 1000)
        let update = try UpdateCodec.encode(delta: delta, lattice: lattice, random: &random)
        let back = try UpdateCodec.decode(
            sum: update.values.map(Int64.init), lattice: lattice, denominator: 1)

        #expect(update.withinClip)
        #expect(back.allSatisfy { abs($0 - 0.02) < 0.01 })
    }
}

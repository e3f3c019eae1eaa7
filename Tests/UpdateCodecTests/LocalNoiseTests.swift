import Federation
import Testing
import UpdateCodec

@Suite("Noise that an agent adds itself")
struct LocalNoiseTests {
    private func plan(_ multiplier: Double) -> Plan {
        var plan = Plan.sample
        plan.privacy = PrivacyPlan(
            noiseMultiplier: 1, delta: 1e-5, sampling: .everyone, agents: 12, maxEpsilon: nil,
            localNoiseMultiplier: multiplier)
        return plan
    }

    @Test(
        "the lattice's elements are as wide as the noise needs",
        arguments: [(0, 8), (0.1, 16), (0.3, 16), (0.5, 32), (20, 32), (1000, 32)])
    func widths(multiplier: Double, bits: Int) throws {
        let plan = plan(multiplier)
        let lattice = Lattice(plan: plan, rotationSeed: 1)
        #expect(lattice.elementBits == bits)
        #expect(lattice.updateBytes == lattice.dimension * bits / 8)
        let noise = try LocalNoise(plan: plan, lattice: lattice)
        #expect((noise != nil) == (bits > 8))
        guard let noise else { return }
        let bound = Double(lattice.squaredNormBound).squareRoot()
        #expect(Double(noise.sigma) >= multiplier * bound)
        #expect(Double(noise.sigma) < multiplier * bound + 1)
        #expect(12 * Int64(noise.sigma) < lattice.largestMagnitude)
    }

    @Test("an update of a lattice that its noise does not fit is refused, either way")
    func wrongWidth() {
        var narrow = Lattice(plan: plan(0.5), rotationSeed: 1)
        narrow.elementBits = 16
        #expect(throws: Fault.self) { try LocalNoise(plan: plan(0.5), lattice: narrow) }
        narrow.elementBits = 8
        #expect(throws: Fault.self) { try LocalNoise(plan: plan(0.5), lattice: narrow) }
        // A coordinator that asks for wide elements without noise is up to something.
        var wide = Lattice(plan: plan(0), rotationSeed: 1)
        wide.elementBits = 32
        #expect(throws: Fault.self) { try LocalNoise(plan: plan(0), lattice: wide) }
        #expect(throws: Fault.self) { try LocalNoise(plan: .sample, lattice: wide) }
    }

    @Test("the noise has the plan's deviation, around the update that it hides")
    func distribution() throws {
        let plan = plan(0.5)
        let lattice = Lattice(plan: plan, rotationSeed: 1)
        var random = SeededRandom(seed: 3)
        let delta = heavyTailed(lattice.parameters, norm: 3, seed: 4)
        let encoded = try UpdateCodec.encode(delta: delta, lattice: lattice, random: &random)
        let noise = try #require(try LocalNoise(plan: plan, lattice: lattice))
        guard case .wide(let noised) = encoded.elements(noise: noise, random: &random) else {
            Issue.record("the elements are not wide")
            return
        }
        #expect(noised.count == lattice.dimension)
        let rest = zip(noised, encoded.values).map { Double($0 - Int64($1)) / Double(noise.sigma) }
        let mean = rest.reduce(0, +) / Double(rest.count)
        let variance = rest.reduce(0) { $0 + $1 * $1 } / Double(rest.count)
        // 102,400 samples: standard errors 0.0031 and 0.0044.
        #expect(abs(mean) < 0.016)
        #expect(abs(variance - 1) < 0.022)
        #expect(lattice.admits(.wide(noised)))
        #expect(encoded.elements(noise: nil, random: &random) == .int8(encoded.values))
    }

    @Test("elements survive packing, in every width and at its ends", arguments: [16, 32, 64])
    func packing(bits: Int) throws {
        var lattice = Lattice.sample(parameters: 8)
        lattice.elementBits = bits
        let largest = lattice.largestMagnitude
        let values = [0, 1, -1, 258, -32_767, largest, -largest, 0x0102]
        let elements = UpdateElements.wide(values)
        let bytes = elements.packed(on: lattice)
        #expect(bytes.count == lattice.updateBytes)
        #expect(UpdateElements(packed: bytes, on: lattice) == elements)
        #expect(lattice.admits(elements))
        // Little-endian two's complement: -1 is all ones, 258 the bytes 2, 1, 0 ...
        let width = bits / 8
        #expect(bytes[(2 * width)..<(3 * width)].allSatisfy { $0 == 0xFF })
        #expect(Array(bytes[(3 * width)..<(3 * width + 2)]) == [2, 1])
        #expect(UpdateElements(packed: Array(bytes.dropLast()), on: lattice) == nil)
    }

    @Test("a lattice admits elements of its own width, count and range only")
    func admission() {
        var wide = Lattice.sample(parameters: 8)
        wide.elementBits = 16
        let fair = [Int64](repeating: 30_000, count: wide.dimension)
        // 8 coordinates of 30,000 steps are far beyond the norm bound, which noise hides.
        #expect(wide.admits(.wide(fair)))
        #expect(!wide.admits(.wide(fair.dropLast())))
        #expect(!wide.admits(.wide(fair.dropLast() + [-32_768])))
        #expect(!wide.admits(.int8([Int8](repeating: 0, count: wide.dimension))))
        let narrow = Lattice.sample(parameters: 8)
        #expect(!narrow.admits(.wide([Int64](repeating: 0, count: 8))))
        #expect(narrow.admits(.int8([Int8](repeating: 0, count: 8))))
        #expect(UpdateElements(packed: [0xFF, 1], on: narrow) == .int8([-1, 1]))
        #expect(UpdateElements.int8([-1, 1]).packed(on: narrow) == [0xFF, 1])
    }
}

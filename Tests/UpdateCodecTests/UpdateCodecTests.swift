import Federation
import Testing
import UpdateCodec

/// Every bit is 1, so every rounding goes up.
private struct AlwaysUp: RandomSource {
    mutating func fill(_ bytes: UnsafeMutableRawBufferPointer) {
        for index in bytes.indices { bytes[index] = 0xFF }
    }
}

@Suite("Encoding and decoding updates")
struct UpdateCodecTests {
    @Test(
        "an update comes back within the rounding error, whatever its size",
        arguments: [1, 2, 3, 10, 70, 1000, 10_000])
    func roundTrip(count: Int) throws {
        let lattice = Lattice.sample(parameters: count, norm: 2)
        let delta = heavyTailed(count, norm: 1.5, seed: UInt64(count))
        var random = SeededRandom(seed: 1)
        let encoded = try UpdateCodec.encode(delta: delta, lattice: lattice, random: &random)
        #expect(encoded.values.count == lattice.dimension)
        #expect(encoded.withinClip)
        #expect(abs(encoded.norm - 1.5) < 1e-5)
        #expect(lattice.admits(encoded.values))
        let back = try UpdateCodec.decode(
            sum: encoded.values.map(Int64.init), lattice: lattice, denominator: 1)
        // Each of D coordinates is off by less than a step.
        let limit = Double(lattice.step) * Double(lattice.dimension).squareRoot()
        let error = euclideanNorm(zip(delta, back).map { Double($0) - Double($1) })
        #expect(error < limit)
        #expect(back.count == count)
    }

    @Test(
        "the change from one vector to another is encoded as their difference is",
        arguments: [1, 70, 10_000])
    func changes(count: Int) throws {
        let lattice = Lattice.sample(parameters: count, norm: 1)
        let start = heavyTailed(count, norm: 3, seed: 5)
        let trained = zip(start, heavyTailed(count, norm: 1.5, seed: 6)).map { $0 + $1 }
        let delta = zip(trained, start).map { $0 - $1 }
        var (ones, others) = (SeededRandom(seed: 1), SeededRandom(seed: 1))
        let encoded = try UpdateCodec.encode(
            from: start, to: trained, lattice: lattice, random: &ones)
        #expect(
            try encoded
                == UpdateCodec.encode(delta: delta, lattice: lattice, random: &others))
        #expect(throws: Fault.self) {
            try UpdateCodec.encode(
                from: start, to: trained.map { $0 * .infinity }, lattice: lattice, random: &ones)
        }
    }

    @Test("a longer update is clipped to the norm and keeps its direction")
    func clipping() throws {
        let lattice = Lattice.sample(parameters: 20_000, norm: 2)
        let delta = heavyTailed(20_000, norm: 50, seed: 4)
        var random = SeededRandom(seed: 2)
        let encoded = try UpdateCodec.encode(delta: delta, lattice: lattice, random: &random)
        #expect(!encoded.withinClip)
        #expect(abs(encoded.norm - 50) < 1e-3)
        #expect(lattice.admits(encoded.values))
        let back = try UpdateCodec.decode(
            sum: encoded.values.map(Int64.init), lattice: lattice, denominator: 1)
        #expect(abs(euclideanNorm(back) - 2) < 0.01)
        let along = zip(delta, back).reduce(0) { $0 + Double($1.0) * Double($1.1) }
        #expect(along / (50 * euclideanNorm(back)) > 0.999)
    }

    @Test("the largest finite values are clipped, not overflowed")
    func hugeValues() throws {
        let lattice = Lattice.sample(parameters: 100)
        let delta = [Float](repeating: .greatestFiniteMagnitude, count: 100)
        var random = SeededRandom(seed: 2)
        let encoded = try UpdateCodec.encode(delta: delta, lattice: lattice, random: &random)
        let back = try UpdateCodec.decode(
            sum: encoded.values.map(Int64.init), lattice: lattice, denominator: 1)
        #expect(back.allSatisfy { abs($0 - 0.1) < 0.1 })
    }

    @Test("no change encodes as zeros, within the clip")
    func zero() throws {
        let lattice = Lattice.sample(parameters: 1000)
        var random = SeededRandom(seed: 3)
        let encoded = try UpdateCodec.encode(
            delta: [Float](repeating: 0, count: 1000), lattice: lattice, random: &random)
        #expect(encoded.values == [Int8](repeating: 0, count: lattice.dimension))
        #expect(encoded.withinClip)
        #expect(encoded.norm == 0)
    }

    @Test("rounding has the error kappa^2 / (6 127^2) to 3 % and no bias")
    func roundingError() throws {
        let count = 1 << 14
        let trials = 60
        let delta = heavyTailed(count, norm: 1, seed: 11)
        var random = SeededRandom(seed: 5)
        var squares = 0.0
        var errors = [Double](repeating: 0, count: count)
        for trial in 0..<trials {
            let lattice = Lattice.sample(parameters: count, seed: UInt64(trial))
            let encoded = try UpdateCodec.encode(delta: delta, lattice: lattice, random: &random)
            let back = try UpdateCodec.decode(
                sum: encoded.values.map(Int64.init), lattice: lattice, denominator: 1)
            for index in 0..<count {
                let error = Double(back[index]) - Double(delta[index])
                squares += error * error
                errors[index] += error
            }
        }
        let expected = 36.0 / (6 * 127 * 127)
        let relative = squares / Double(trials) / expected
        #expect(abs(relative - 1) < 0.03)
        let bias = euclideanNorm(errors) / Double(trials)
        #expect(bias * bias <= 1.1 * expected / Double(trials))
    }

    @Test("every encoding keeps the norm bound, also where the first rounding often breaks it")
    func redraws() throws {
        for count in 1...40 {
            let delta = heavyTailed(count, norm: 1, seed: UInt64(count))
            for seed in 0..<20 as Range<UInt64> {
                let lattice = Lattice.sample(parameters: count, norm: 0.9, seed: seed)
                var random = SeededRandom(seed: seed)
                let encoded = try UpdateCodec.encode(
                    delta: delta, lattice: lattice, random: &random)
                #expect(lattice.admits(encoded.values))
            }
        }
    }

    @Test("a generator that never rounds within the bound ends in a fault, not in a loop")
    func endlessRedraw() {
        // One coordinate of 127/6 steps; rounded up to 22 it breaks the bound of 469, rounded up to
        // -21 it does not.
        let lattice = Lattice.sample(parameters: 1)
        var random = AlwaysUp()
        let codes = ([1, -1] as [Float]).map { value -> Fault.Code? in
            do throws(Fault) {
                _ = try UpdateCodec.encode(delta: [value], lattice: lattice, random: &random)
                return nil
            } catch { return error.code }
        }
        #expect(codes.count { $0 == nil } == 1)
        #expect(codes.count { $0 == .internal } == 1)
    }

    @Test(
        "a value that is not finite is refused by its first index",
        arguments: [Float.nan, .infinity, -.infinity])
    func notFinite(value: Float) {
        let lattice = Lattice.sample(parameters: 50)
        var delta = [Float](repeating: 1, count: 50)
        delta[17] = value
        delta[30] = .nan
        var random = SeededRandom(seed: 6)
        let fault = #expect(throws: Fault.self) {
            try UpdateCodec.encode(delta: delta, lattice: lattice, random: &random)
        }
        #expect(fault?.code == .invalid)
        #expect(fault?.message.contains("parameter 17 ") == true)
    }

    @Test("an update of another size than the lattice's is refused")
    func wrongSize() {
        let lattice = Lattice.sample(parameters: 50)
        var random = SeededRandom(seed: 6)
        for count in [0, 49, 51, lattice.dimension] {
            let fault = #expect(throws: Fault.self) {
                try UpdateCodec.encode(
                    delta: [Float](repeating: 0, count: count), lattice: lattice, random: &random)
            }
            #expect(fault?.code == .invalid)
        }
    }

    @Test("a lattice this codec cannot round to is refused")
    func unsupportedLattices() {
        let changes: [(inout Lattice) -> Void] = [
            { $0.elementBits = 24 }, { $0.modulus = 65_536 }, { $0.step = 0 }, { $0.step = .nan },
            { $0.clippingNorm = -1 }, { $0.clippingNorm = .infinity }, { $0.kappa = .nan },
        ]
        for change in changes {
            var lattice = Lattice.sample(parameters: 50)
            change(&lattice)
            var random = SeededRandom(seed: 6)
            let fault = #expect(throws: Fault.self) {
                try UpdateCodec.encode(
                    delta: [Float](repeating: 0, count: 50), lattice: lattice, random: &random)
            }
            #expect(fault?.code == .invalid)
        }
    }

    @Test("packing keeps every value, one byte each")
    func packing() {
        let lattice = Lattice.sample(parameters: 256, norm: 1)
        let values = (-128...127).map { Int8($0) }
        let bytes = UpdateElements.int8(values).packed(on: lattice)
        #expect(bytes[0] == 0x80)
        #expect(bytes[127] == 0xFF)
        #expect(bytes[255] == 0x7F)
        #expect(unpacked(bytes) == values)
    }
}

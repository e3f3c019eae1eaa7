import Federation
import Rounds
import Testing

@Suite("Selection rules")
struct SelectionRulesTests {
    @Test("over-select and close by target and minimum without privacy")
    func open() throws {
        let rules = try #require(openRules())
        #expect(!rules.isPrivate)
        #expect(rules.target == 4)
        #expect(rules.places == 5)
        #expect(rules.minimum == 2)
        #expect(rules.samplingRate == 1)
        #expect(rules.selectionSeconds == 60)
        #expect(rules.reportSeconds == 100)
        #expect(rules.leaseSeconds == 30)
    }

    @Test("have neither target nor places nor minimum with privacy")
    func `private`() throws {
        let rules = try #require(privateRules(sampling: .poisson(rate: 0.25)))
        #expect(rules.isPrivate)
        #expect(rules.target == nil)
        #expect(rules.places == nil)
        #expect(rules.minimum == 0)
        #expect(rules.samplingRate == 0.25)
        #expect(try #require(privateRules()).samplingRate == 1)
    }

    @Test(
        "round places up, without a place more for the error of a product",
        arguments: [(100, 1.1, 110), (3, 1.1, 4), (4, 1.0, 4), (10, 1.01, 11), (1, 1.5, 2)])
    func places(agents: Int, overSelection: Double, places: Int) throws {
        let rules = try #require(
            openRules(agents: agents, minimum: 1, overSelection: overSelection))
        #expect(rules.places == places)
    }

    @Test("draw coins with the plan's probability", arguments: [0.01, 0.25, 0.5, 0.9])
    func frequency(rate: Double) throws {
        let rules = try #require(privateRules(sampling: .poisson(rate: rate)))
        var random = SeededRandom(seed: 11)
        let draws = 40_000
        let yes = (0..<draws).count { _ in rules.drawCoin(random: &random) }
        let deviation = (Double(draws) * rate * (1 - rate)).squareRoot()
        #expect(abs(Double(yes) - Double(draws) * rate) < 4 * deviation)
    }

    /// The extremes that a generator can give.
    private struct Constant: RandomSource {
        let byte: UInt8

        mutating func fill(_ bytes: UnsafeMutableRawBufferPointer) {
            for index in bytes.indices { bytes[index] = byte }
        }
    }

    @Test("always say yes at rate 1 and never at rate 0, whatever the bits")
    func extremes() throws {
        let everyone = try #require(privateRules())
        let nobody = try #require(privateRules(sampling: .poisson(rate: 0)))
        for byte: UInt8 in [0, 255] {
            var random = Constant(byte: byte)
            #expect(everyone.drawCoin(random: &random))
            #expect(!nobody.drawCoin(random: &random))
        }
    }

    @Test("use the coin's high bits: the least draw is a yes, the greatest a no")
    func bits() throws {
        let rules = try #require(privateRules(sampling: .poisson(rate: 0.999)))
        var least = Constant(byte: 0)
        var greatest = Constant(byte: 255)
        #expect(rules.drawCoin(random: &least))
        #expect(!rules.drawCoin(random: &greatest))
    }
}

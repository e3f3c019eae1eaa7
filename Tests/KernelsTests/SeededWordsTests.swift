import Kernels
import Testing

@Suite("Seeded words")
struct SeededWordsTests {
    @Test("are those of SplitMix64 with every instruction set", arguments: [0, 1, 7, 8, 33, 1000])
    func words(count: Int) {
        var state: UInt64 = 0xFFFF_FFFF_0000_1234
        let start = state
        let expected = (0..<count).map { _ in
            state &+= 0x9E37_79B9_7F4A_7C15
            var word = state
            word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
            word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
            return word ^ (word >> 31)
        }
        for name in CPU.availableInstructionSets {
            var words = [UInt64](repeating: 0, count: count)
            let isFilled = words.withUnsafeMutableBytes {
                SeededWords.fill($0, after: start, instructionSet: name)
            }
            #expect(isFilled)
            #expect(words == expected, "\(name)")
        }
        var words = [UInt64](repeating: 0, count: count)
        words.withUnsafeMutableBytes { SeededWords.fill($0, after: start) }
        #expect(words == expected)
        let isFilled = words.withUnsafeMutableBytes {
            SeededWords.fill($0, after: start, instructionSet: "abacus")
        }
        #expect(!isFilled)
    }

    @Test("start with the published numbers for the seed 1234567")
    func published() {
        // Of Vigna's splitmix64.c.
        var words: [UInt64] = [0, 0, 0]
        words.withUnsafeMutableBytes { SeededWords.fill($0, after: 1_234_567) }
        #expect(
            words == [
                6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
            ])
    }
}

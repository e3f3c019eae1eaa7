import Federation
import Privacy
import Testing

@Suite("Decisions with the exponential function")
struct ExponentialDecisionTests {
    /// e^-((numerator / denominator)^2 / 2) in base 2^64, from an independent program with 200
    /// decimal digits.
    static let digits: [(numerator: UInt64, denominator: UInt64, digits: [UInt64])] = [
        (
            1, 1,
            [
                0x9B45_97E3_7CB0_4FF3, 0xD675_A355_30CD_D767, 0xE347_BF8A_D0E8_0ABB,
                0xCE4A_E958_6101_4318,
            ]
        ),
        (
            3, 7,
            [
                0xE989_7BB1_9F0B_BF74, 0x7050_A29F_EC1D_C7F9, 0x5DC0_A03E_B3A5_C0D1,
                0x4A83_4834_24CA_0B10,
            ]
        ),
        (
            5, 2,
            [
                0x0B3F_736C_FFC2_3DC7, 0xE418_2AEF_E0C4_2733, 0x347C_EB3F_8448_A317,
                0x735A_63B5_E4B3_3885,
            ]
        ),
    ]

    @Test("V is compared digit by digit, as far as it takes", arguments: digits)
    func ties(numerator: UInt64, denominator: UInt64, digits: [UInt64]) {
        let decision = ExponentialDecision(
            weight: 1, scale: 1, numerator: numerator, denominator: denominator)
        for tied in digits.indices {
            for (change, isBelow) in [(-1, true), (1, false)] {
                var words = Array(digits[...tied])
                words[tied] = UInt64(Int128(words[tied]) + Int128(change))
                var random = Scripted(words: Array(words.dropFirst()))
                #expect(decision.isBelow(words[0], random: &random) == isBelow)
            }
        }
    }

    @Test("the factor of e^-g counts, and its power of two")
    func factor() {
        // 5/9 e^-1/2, and 2^141 e^-98.
        let cases: [(ExponentialDecision, [UInt64])] = [
            (
                ExponentialDecision(weight: 9, scale: 5, numerator: 1, denominator: 1),
                [0x5643_1B7E_61B7_48DC, 0xCC7A_3E4B_C5C7_B08F, 0x0C7D_3186_0248_05F6]
            ),
            (
                ExponentialDecision(
                    weight: 1, scale: 1, shift: 141, numerator: 14, denominator: 1),
                [0xC428_EC20_8C48_43AC, 0x0EAA_1A72_46B1_FAC1, 0xD511_B973_2BAE_25B7]
            ),
            (
                ExponentialDecision(
                    weight: 1 << 63, scale: 1 << 62, shift: 142, numerator: 28, denominator: 2),
                [0xC428_EC20_8C48_43AC, 0x0EAA_1A72_46B1_FAC1, 0xD511_B973_2BAE_25B7]
            ),
        ]
        for (decision, digits) in cases {
            var below = Scripted(words: [digits[1], digits[2] - 1])
            #expect(decision.isBelow(digits[0], random: &below))
            var above = Scripted(words: [digits[1], digits[2] + 1])
            #expect(!decision.isBelow(digits[0], random: &above))
        }
    }

    @Test("a probability of 1 or of nearly 0 decides at once")
    func extremes() {
        var random = Scripted(words: [])
        let one = ExponentialDecision(weight: 7, scale: 7, numerator: 0, denominator: 3)
        #expect(one.isBelow(.max, random: &random))
        let small = ExponentialDecision(weight: 1, scale: 1, numerator: 100, denominator: 1)
        #expect(!small.isBelow(1, random: &random))
        // 64 bits are enough here; e^(2^127) would take too long.
        let none = ExponentialDecision(weight: 1, scale: 1, numerator: .max, denominator: 1)
        #expect(!none.isBelow(32, random: &random))
    }

    @Test("the bounds of 64 bits hold, by decisions of any length")
    func bounds() {
        var random = SeededRandom(seed: 12)
        for denominator in [1, 2, 10, 1000, 100_000, (1 << 31) - 1, 1 << 31] as [UInt64] {
            for _ in 0..<300 {
                // g up to 50, many of them small.
                let numerator = (random.next() % (10 * denominator)) >> (random.next() % 6)
                let bounds = ExponentialBounds(numerator: numerator, denominator: denominator)
                #expect(bounds.upper - bounds.lower <= 32)
                // A power of two in front keeps the decision from using the bounds themselves.
                let decision = ExponentialDecision(
                    weight: 2, scale: 1, shift: 1, numerator: numerator, denominator: denominator)
                if bounds.lower > 0 {
                    var highest = Constant(bit: 1)
                    #expect(decision.isBelow(2 * bounds.lower - 1, random: &highest))
                }
                if bounds.upper < 1 << 63 {
                    var lowest = Constant(bit: 0)
                    #expect(!decision.isBelow(2 * bounds.upper, random: &lowest))
                }
            }
        }
    }
}

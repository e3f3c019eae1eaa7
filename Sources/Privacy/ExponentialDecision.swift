package import Federation

/// Whether a uniform real V of [0, 1) lies below p = scale 2^shift e^-g / weight, where g =
/// (numerator / denominator)^2 / 2 and p <= 1: decided exactly, whatever p is.
///
/// V is known by its first bits, which leave it an interval; e^-g is known to be between two
/// integers. Only where that does not decide are more bits of V drawn and e^g computed more
/// precisely, and again, until it does. So the answer is that of the infinitely many bits.
package struct ExponentialDecision {
    private let weight: UInt64
    private let scale: UInt64
    private let shift: Int
    private let numerator: UInt64
    private let denominator: UInt64

    /// `weight` > 0, `shift` >= 0, 0 < `denominator` <= 2^31.
    package init(
        weight: UInt64, scale: UInt64, shift: Int = 0, numerator: UInt64, denominator: UInt64
    ) {
        self.weight = weight
        self.scale = scale
        self.shift = shift
        self.numerator = numerator
        self.denominator = denominator
    }

    /// Whether V < p; `word` is V's first 64 bits, and the next come from `random`.
    package func isBelow(_ word: UInt64, random: inout some RandomSource) -> Bool {
        var words = RandomWords(expected: 1)
        return isBelow(word, &words, &random)
    }

    func isBelow(
        _ word: UInt64, _ words: inout RandomWords, _ random: inout some RandomSource
    ) -> Bool {
        if shift == 0 {
            let bounds = ExponentialBounds(numerator: numerator, denominator: denominator)
            // Times 2^64, both sides of V weight < scale e^-g.
            let least = UInt128(word) * UInt128(weight)
            let doubled = 2 * UInt128(scale)
            if least + UInt128(weight) <= doubled * UInt128(bounds.lower) { return true }
            if least >= doubled * UInt128(bounds.upper) { return false }
        }
        return isBelowExactly(word, &words, &random)
    }

    /// Compares V weight e^g with scale 2^shift in integers of any length.
    @inline(never)
    private func isBelowExactly(
        _ word: UInt64, _ words: inout RandomWords, _ random: inout some RandomSource
    ) -> Bool {
        // V is in [prefix, prefix + 1) / 2^(64 digits).
        var prefix = LongNumber(word)
        var digits = 1
        while true {
            // e^g is between two integers over 2^(64 (digits + 1)).
            let limit = LongNumber(scale, shift: shift + 64 * (2 * digits + 1))
            var most = prefix
            most += LongNumber(1)
            if product(most, digits: digits + 1, above: true) <= limit { return true }
            if product(prefix, digits: digits + 1, above: false) >= limit { return false }
            prefix = LongNumber(1, shift: 64) * prefix
            prefix += LongNumber(words.next(&random))
            digits += 1
        }
    }

    private func product(_ prefix: LongNumber, digits: Int, above: Bool) -> LongNumber {
        var product = LongNumber(
            exponentialOf: numerator, over: denominator, digits: digits, above: above)
        product *= weight
        return product * prefix
    }
}

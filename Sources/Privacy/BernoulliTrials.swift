import Federation

/// Exact random decisions with rational probabilities: integers and random bits only, no floats, no
/// modulo bias.
///
/// Random bytes are drawn 4 KiB at a time; the source is passed to each call because it stays the
/// caller's.
struct BernoulliTrials {
    private var words = [UInt64](repeating: 0, count: 512)
    private var used = 512

    /// 64 random bits.
    mutating func word(_ random: inout some RandomSource) -> UInt64 {
        if used == words.count {
            words.withUnsafeMutableBytes { random.fill($0) }
            used = 0
        }
        used += 1
        return words[used - 1]
    }

    /// A uniform integer in [0, bound); `bound` > 0 (Lemire's multiplication with rejection).
    mutating func integer(below bound: UInt64, _ random: inout some RandomSource) -> UInt64 {
        var (high, low) = bound.multipliedFullWidth(by: word(&random))
        if low < bound {
            let unfair = (0 &- bound) % bound
            while low < unfair { (high, low) = bound.multipliedFullWidth(by: word(&random)) }
        }
        return high
    }

    /// True with probability e^-(numerator / denominator), for numerator < denominator.
    mutating func exponential(
        _ numerator: UInt64, over denominator: UInt64, _ random: inout some RandomSource
    ) -> Bool {
        exponential(0, numerator, denominator, &random)
    }

    /// True with probability e^-1.
    mutating func exponentialOfOne(_ random: inout some RandomSource) -> Bool {
        exponential(1, 0, 1, &random)
    }

    /// With g = whole + numerator / denominator at most 1: counts K while Bernoulli(g / K)
    /// succeeds; an odd K has probability e^-g (Canonne, Kamath and Steinke 2020, algorithm 1).
    private mutating func exponential(
        _ whole: UInt64, _ numerator: UInt64, _ denominator: UInt64,
        _ random: inout some RandomSource
    ) -> Bool {
        let (digit, rest) = denominator.dividingFullWidth((numerator, 0))
        var trial: UInt64 = 1
        while true {
            let success: Bool
            if trial <= whole {
                success = true
            } else {
                let (threshold, carry) = trial.dividingFullWidth((whole, digit))
                let uniform = word(&random)
                success =
                    uniform == threshold
                    ? continuesBelow(carry, rest, denominator, trial, &random)
                    : uniform < threshold
            }
            guard success else { return !trial.isMultiple(of: 2) }
            trial += 1
        }
    }

    /// Decides a tie, once in 2^64: a uniform real equals the first 64 bits of g / K, so its next
    /// 64 bits are compared with the next of g / K, until they differ. Long division in base 2^64:
    /// `rest` / `denominator` is what g's digits so far leave over, `carry` / `trial` what the
    /// quotient's do.
    private mutating func continuesBelow(
        _ carry: UInt64, _ rest: UInt64, _ denominator: UInt64, _ trial: UInt64,
        _ random: inout some RandomSource
    ) -> Bool {
        var carry = carry
        var rest = rest
        while true {
            let digit: UInt64
            let threshold: UInt64
            (digit, rest) = denominator.dividingFullWidth((rest, 0))
            (threshold, carry) = trial.dividingFullWidth((carry, digit))
            let uniform = word(&random)
            if uniform != threshold { return uniform < threshold }
        }
    }
}

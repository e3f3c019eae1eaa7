/// A natural number of any length, for the decisions that 64 bits leave open.
struct LongNumber: Comparable {
    /// Base 2^64, the least significant first; the last is not 0.
    private var words: [UInt64]

    /// `word` times 2^`shift`.
    init(_ word: UInt64, shift: Int = 0) {
        words = [UInt64](repeating: 0, count: shift / 64) + [word]
        self *= 1 << UInt64(shift % 64)
    }

    /// 2^(64 `digits`) e^g for g = (`numerator` / `denominator`)^2 / 2, rounded down or, with
    /// `above`, up; the two differ less the more digits there are.
    ///
    /// The Taylor series of e^g has positive terms only. Each is the one before times numerator^2
    /// over 2 denominator^2 i, every quotient rounded the same way, so that errors add to one side.
    /// From the term i >= 2 g on they at least halve: those that follow a term of at most one unit
    /// add up to at most one unit, which is added above and left out below.
    init(exponentialOf numerator: UInt64, over denominator: UInt64, digits: Int, above: Bool) {
        let one = LongNumber(1, shift: 64 * digits)
        let square = numerator.multipliedFullWidth(by: numerator)
        var sum = one
        var term = one
        var index: UInt64 = 1
        while true {
            term *= numerator
            term *= numerator
            term.divide(by: denominator, up: above)
            term.divide(by: denominator, up: above)
            term.divide(by: 2 * index, up: above)
            sum += term
            let falls =
                UInt128(square.high) << 64 | UInt128(square.low)
                <= UInt128(denominator) * UInt128(denominator) * UInt128(index)
            if falls, term <= LongNumber(1) { break }
            index += 1
        }
        if above { sum += LongNumber(1) }
        self = sum
    }

    static func < (left: LongNumber, right: LongNumber) -> Bool {
        guard left.words.count == right.words.count else {
            return left.words.count < right.words.count
        }
        for (one, other) in zip(left.words, right.words).reversed() where one != other {
            return one < other
        }
        return false
    }

    static func += (left: inout LongNumber, right: LongNumber) {
        left.add(right, digit: 0)
    }

    /// Adds `other` times 2^(64 `digit`).
    private mutating func add(_ other: LongNumber, digit: Int) {
        var carry: UInt64 = 0
        var index = digit
        while index < digit + other.words.count || carry > 0 {
            while index >= words.count { words.append(0) }
            let word = index - digit < other.words.count ? other.words[index - digit] : 0
            let (first, over) = words[index].addingReportingOverflow(word)
            let (second, overAgain) = first.addingReportingOverflow(carry)
            words[index] = second
            carry = (over ? 1 : 0) + (overAgain ? 1 : 0)
            index += 1
        }
        trim()
    }

    static func *= (left: inout LongNumber, factor: UInt64) {
        var carry: UInt64 = 0
        for index in left.words.indices {
            let (high, low) = left.words[index].multipliedFullWidth(by: factor)
            let (sum, over) = low.addingReportingOverflow(carry)
            left.words[index] = sum
            carry = high + (over ? 1 : 0)
        }
        left.words.append(carry)
        left.trim()
    }

    static func * (left: LongNumber, right: LongNumber) -> LongNumber {
        var product = LongNumber(0)
        for (digit, word) in right.words.enumerated() {
            var part = left
            part *= word
            product.add(part, digit: digit)
        }
        return product
    }

    /// The quotient, rounded down or `up`.
    mutating func divide(by divisor: UInt64, up: Bool) {
        var rest: UInt64 = 0
        for index in words.indices.reversed() {
            (words[index], rest) = divisor.dividingFullWidth((rest, words[index]))
        }
        trim()
        if up, rest > 0 { self += LongNumber(1) }
    }

    private mutating func trim() {
        while let last = words.last, last == 0 { words.removeLast() }
    }
}

/// Integers around 2^63 e^-g, at most 32 apart.
package struct ExponentialBounds {
    /// 2^63: the unit, which e^-0 reaches.
    static let one: UInt64 = 1 << 63
    /// floor(2^64 / e); the next 64 bits of 1 / e are BADEC7829054F90D.
    private static let inverseOfE: UInt64 = 0x5E2D_58D8_B3BC_DF1A
    /// More than the rounding errors below add up to.
    private static let margin: UInt64 = 16
    private static let terms: UInt64 = 21

    /// At most 2^63 e^-g.
    package let lower: UInt64
    /// At least 2^63 e^-g.
    package let upper: UInt64

    /// For g = (numerator / denominator)^2 / 2; `numerator` < 2^64, 0 < `denominator` <= 2^31.
    ///
    /// g = whole + fraction 2^-64, less than 2^-64 cut off, which moves the result by less than
    /// half a unit. e^-fraction is its Taylor series, 1 - f (1 - f/2 (1 - f/3 (...))): a factor is
    /// at most 1 and each step rounds down twice, so the errors are at most 2, 3, 3.4, 3.8, 5.7
    /// units in the last five steps and less before; what comes after 21 terms is below 2^-65. Each
    /// factor 1 / e divides the error by e and adds less than 1.5. All of it stays below 10 units.
    package init(numerator: UInt64, denominator: UInt64) {
        let square = numerator.multipliedFullWidth(by: numerator)
        let divisor = 2 * denominator * denominator
        // Beyond 2^64 the result is as good as 0.
        guard square.high < divisor else {
            (lower, upper) = (0, ExponentialBounds.margin)
            return
        }
        let (whole, rest) = divisor.dividingFullWidth(square)
        let fraction = divisor.dividingFullWidth((rest, 0)).quotient
        var value = ExponentialBounds.one
        for term in stride(from: ExponentialBounds.terms, through: 1, by: -1) {
            value = ExponentialBounds.one - fraction.multipliedFullWidth(by: value).high / term
        }
        var factors = whole
        while factors > 0, value > 0 {
            value = value.multipliedFullWidth(by: ExponentialBounds.inverseOfE).high
            factors -= 1
        }
        lower = value - min(value, ExponentialBounds.margin)
        upper = min(value + ExponentialBounds.margin, ExponentialBounds.one)
    }
}

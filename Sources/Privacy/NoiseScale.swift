/// The integer standard deviation of a round's noise: ceil(z B), where B^2 is `squaredNormBound`.
///
/// Exact: the smallest s with s^2 >= z^2 B^2, compared as integers, since z is a 53-bit integer
/// times a power of two. `multiplier` (z) is finite and not negative, `squaredNormBound` not
/// negative; 0 when either is.
package func noiseSigma(multiplier: Double, squaredNormBound: Int64) -> UInt64 {
    precondition(multiplier >= 0 && multiplier < 0x1p64, "the noise multiplier is impossible")
    precondition(squaredNormBound >= 0, "a squared norm is not negative")
    guard multiplier > 0, squaredNormBound > 0 else { return 0 }
    // multiplier = fraction * 2^-shift.
    let shift = 52 - Int(multiplier.exponent)
    let fraction = UInt128(multiplier.significand * 0x1p52)
    let square = (fraction * fraction).multipliedFullWidth(by: UInt128(squaredNormBound))
    return ceilingOfRoot(ceilingOfQuotient(square, shift: 2 * shift))
}

/// ceil(value / 2^shift) of a 256-bit value; saturates.
private func ceilingOfQuotient(
    _ value: (high: UInt128, low: UInt128), shift: Int
) -> UInt128 {
    switch shift {
    case ...0:
        let fits = value.high == 0 && value.low.leadingZeroBitCount >= -shift
        return fits ? value.low << UInt128(-shift) : .max
    case 1..<128:
        guard value.high >> UInt128(shift) == 0 else { return .max }
        let quotient = value.high << UInt128(128 - shift) | value.low >> UInt128(shift)
        return value.low.trailingZeroBitCount >= shift ? quotient : quotient + 1
    case 128..<256:
        let quotient = value.high >> UInt128(shift - 128)
        let isExact = value.low == 0 && value.high.trailingZeroBitCount >= shift - 128
        return isExact ? quotient : quotient + 1
    default:
        return 1
    }
}

/// The smallest s with s^2 >= `square`; saturates at 2^64 - 1.
private func ceilingOfRoot(_ square: UInt128) -> UInt64 {
    var low: UInt64 = 0
    var high = UInt64.max
    while low < high {
        let middle = low + (high - low) / 2
        if UInt128(middle) * UInt128(middle) >= square { high = middle } else { low = middle + 1 }
    }
    return low
}

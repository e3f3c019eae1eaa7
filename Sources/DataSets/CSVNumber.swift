/// Powers of ten that a Double holds exactly.
private let exactPowers: [Double] = [
    1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17,
    1e18, 1e19, 1e20, 1e21, 1e22,
]

/// The decimal number that `text` spells (`-12`, `.5`, `1.25e-3`), rounded to the nearest Double;
/// nil when it spells none, `nan` and `inf` included.
///
/// Through Double and not straight to Float, because numpy and pandas read the same file that way
/// and the two roundings differ in rare cases.
func decimalNumber(_ text: ArraySlice<UInt8>) -> Double? {
    var rest = text[...]
    let negative = rest.first == UInt8(ascii: "-")
    if negative || rest.first == UInt8(ascii: "+") { rest = rest.dropFirst() }
    var mantissa: UInt64 = 0
    var digits = 0
    var decimals = 0
    var seenPoint = false
    for byte in rest {
        if byte == UInt8(ascii: "."), !seenPoint {
            seenPoint = true
        } else if (48...57).contains(byte), digits < 15 {
            mantissa = mantissa * 10 + UInt64(byte - 48)
            digits += 1
            if seenPoint { decimals += 1 }
        } else {
            return longDecimalNumber(text)
        }
    }
    guard digits > 0 else { return nil }
    // Both operands are exact, so the quotient is the correctly rounded value.
    let magnitude = Double(mantissa) / exactPowers[decimals]
    return negative ? -magnitude : magnitude
}

/// Numbers with an exponent or more than 15 digits.
private func longDecimalNumber(_ text: ArraySlice<UInt8>) -> Double? {
    // Double's own parser also takes hexadecimal, nan and inf; these letters leave them out.
    let allowed = text.allSatisfy { byte in
        switch byte {
        case 48...57, UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "e"), UInt8(ascii: "E"):
            true
        default: false
        }
    }
    guard allowed, let number = Double(String(decoding: text, as: UTF8.self)), number.isFinite
    else { return nil }
    return number
}

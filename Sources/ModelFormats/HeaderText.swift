import Federation

/// Reads the JSON of a safetensors header from front to back: objects, strings and arrays of whole
/// numbers, which is all that it may hold.
struct HeaderText {
    private let bytes: ArraySlice<UInt8>
    private var next: Int

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        next = bytes.startIndex
    }

    /// Takes an object; `member` takes each value, told its name.
    mutating func object(
        _ member: (_ name: String, _ text: inout HeaderText) throws(Fault) -> Void
    ) throws(Fault) {
        try expect("{")
        guard !take("}") else { return }
        repeat {
            let name = try string()
            try expect(":")
            try member(name, &self)
        } while take(",")
        try expect("}")
    }

    /// Takes an array of whole numbers that are not negative.
    mutating func integers(atMost most: Int) throws(Fault) -> [Int] {
        try expect("[")
        var values: [Int] = []
        guard !take("]") else { return values }
        repeat {
            guard values.count < most else { throw fault("at most \(most) numbers") }
            values.append(try integer())
        } while take(",")
        try expect("]")
        return values
    }

    private mutating func integer() throws(Fault) -> Int {
        skipSpace()
        let start = next
        var value = 0
        while let byte = peek(), (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
            let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = tens.addingReportingOverflow(Int(byte - UInt8(ascii: "0")))
            guard !overflow, !carry else { throw fault("a number below 2^63") }
            value = sum
            next += 1
        }
        // JSON has no leading zeros.
        guard next == start + 1 || next > start && bytes[start] != UInt8(ascii: "0") else {
            throw fault("a whole number")
        }
        return value
    }

    /// Takes a string.
    mutating func string() throws(Fault) -> String {
        try expect("\"")
        var content: [UInt8] = []
        while let byte = peek() {
            next += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let text = String(validating: content, as: UTF8.self) else {
                    throw fault("UTF-8")
                }
                return text
            case UInt8(ascii: "\\"): content += Array(String(try escaped()).utf8)
            case ..<0x20: throw fault("a control character to be escaped")
            default: content.append(byte)
            }
        }
        throw fault("the end of a string")
    }

    /// Takes what follows a backslash.
    private mutating func escaped() throws(Fault) -> Unicode.Scalar {
        guard let byte = peek() else { throw fault("an escape") }
        next += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{c}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"):
            var code = try hexadecimal()
            if 0xd800..<0xdc00 ~= code, bytes[next...].starts(with: Array("\\u".utf8)) {
                next += 2
                let low = try hexadecimal()
                guard 0xdc00..<0xe000 ~= low else { throw fault("a low surrogate") }
                code = 0x10000 + (code - 0xd800) << 10 + (low - 0xdc00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw fault("a Unicode character") }
            return scalar
        default: throw fault("an escape")
        }
    }

    private mutating func hexadecimal() throws(Fault) -> UInt32 {
        let digits = bytes[next...].prefix(4)
        guard digits.count == 4, digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
            let code = UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
        else { throw fault("four hexadecimal digits") }
        next += 4
        return code
    }

    /// Takes the space at the end.
    mutating func end() throws(Fault) {
        skipSpace()
        guard next == bytes.endIndex else { throw fault("the end of the header") }
    }

    private mutating func expect(_ character: Unicode.Scalar) throws(Fault) {
        guard take(character) else { throw fault("'\(character)'") }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        skipSpace()
        guard peek() == UInt8(ascii: character) else { return false }
        next += 1
        return true
    }

    private mutating func skipSpace() {
        while let byte = peek(), [0x20, 0x09, 0x0a, 0x0d].contains(byte) { next += 1 }
    }

    private func peek() -> UInt8? { next < bytes.endIndex ? bytes[next] : nil }

    private func fault(_ expected: String) -> Fault {
        Fault(
            .invalid,
            "the header is not that of a safetensors file: expected \(expected) at byte"
                + " \(next)",
            remedy: SafetensorsHeader.remedy)
    }
}

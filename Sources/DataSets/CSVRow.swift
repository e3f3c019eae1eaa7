/// Why one line of a CSV file cannot be used.
struct CSVProblem: Error {
    /// Counted from 1; nil when the line as a whole is wrong.
    var column: Int?
    var reason: String
}

/// The fields of one line, from left to right.
///
/// Fields are separated by commas or tabs; white space around them does not count. A field in double
/// quotes may hold separators, and a quote written twice. A line's end always ends the row, quotes or
/// not.
struct CSVFields {
    private let line: ArraySlice<UInt8>
    private let separator: UInt8
    private var position: Int
    private var finished = false
    /// The column of the field last returned, counted from 1.
    private(set) var column = 0

    init(_ line: ArraySlice<UInt8>, separator: UInt8) {
        self.line = line
        self.separator = separator
        position = line.startIndex
    }

    /// The next field without its quotes (a quote inside is still doubled); nil after the last.
    mutating func next() throws(CSVProblem) -> ArraySlice<UInt8>? {
        guard !finished else { return nil }
        column += 1
        while position < line.endIndex, isBlank(line[position]) { position += 1 }
        if position < line.endIndex, line[position] == UInt8(ascii: "\"") {
            return try quotedField()
        }
        let start = position
        while position < line.endIndex, line[position] != separator { position += 1 }
        var end = position
        while end > start, isBlank(line[end - 1]) { end -= 1 }
        endField()
        return line[start..<end]
    }

    private mutating func quotedField() throws(CSVProblem) -> ArraySlice<UInt8> {
        position += 1
        let start = position
        while true {
            while position < line.endIndex, line[position] != UInt8(ascii: "\"") { position += 1 }
            guard position < line.endIndex else {
                throw CSVProblem(column: column, reason: "a quotation mark is not closed")
            }
            position += 1
            guard position < line.endIndex, line[position] == UInt8(ascii: "\"") else { break }
            position += 1
        }
        let content = line[start..<position - 1]
        while position < line.endIndex, isBlank(line[position]) { position += 1 }
        guard position == line.endIndex || line[position] == separator else {
            throw CSVProblem(column: column, reason: "there is text after a closing quotation mark")
        }
        endField()
        return content
    }

    /// Steps over the separator at `position`, or ends the line.
    private mutating func endField() {
        if position < line.endIndex { position += 1 } else { finished = true }
    }

    private func isBlank(_ byte: UInt8) -> Bool {
        (byte == 0x20 || byte == 0x09) && byte != separator
    }
}

/// What separates the fields of file `path`: tabs when its name ends in `.tsv`, otherwise commas.
func csvSeparator(path: String) -> UInt8 { UInt8(ascii: path.hasSuffix(".tsv") ? "\t" : ",") }

/// The fields of a header line as text, or of any line that should show names.
func csvNames(_ line: ArraySlice<UInt8>, separator: UInt8) throws(CSVProblem) -> [String] {
    var fields = CSVFields(line, separator: separator)
    var names: [String] = []
    while let field = try fields.next() {
        names.append(String(decoding: csvContent(field), as: UTF8.self))
    }
    return names
}

/// A field's content, with the quotes that are written twice once.
func csvContent(_ field: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    guard field.contains(0x22) else { return field }
    var bytes: [UInt8] = []
    var isSecond = false
    for byte in field {
        isSecond = byte == 0x22 && !isSecond && bytes.last == 0x22
        if !isSecond { bytes.append(byte) }
    }
    return bytes[...]
}

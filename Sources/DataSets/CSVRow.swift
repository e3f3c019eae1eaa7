/// Why one line of a CSV file cannot be used.
struct CSVProblem: Error {
    /// Counted from 1; nil when the line as a whole is wrong.
    var column: Int?
    var reason: String
}

/// The fields of one line, from left to right.
///
/// Fields are separated by commas; white space around them does not count. A field in double quotes
/// may hold commas, and a quote written twice. A line's end always ends the row, quotes or not.
struct CSVFields {
    private let line: ArraySlice<UInt8>
    private var position: Int
    private var finished = false
    /// The column of the field last returned, counted from 1.
    private(set) var column = 0

    init(_ line: ArraySlice<UInt8>) {
        self.line = line
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
        while position < line.endIndex, line[position] != UInt8(ascii: ",") { position += 1 }
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
        guard position == line.endIndex || line[position] == UInt8(ascii: ",") else {
            throw CSVProblem(column: column, reason: "there is text after a closing quotation mark")
        }
        endField()
        return content
    }

    /// Steps over the comma at `position`, or ends the line.
    private mutating func endField() {
        if position < line.endIndex { position += 1 } else { finished = true }
    }

    private func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
}

/// The fields of a header line as text, or of any line that should show names.
func csvNames(_ line: ArraySlice<UInt8>) throws(CSVProblem) -> [String] {
    var fields = CSVFields(line)
    var names: [String] = []
    while let field = try fields.next() {
        var bytes: [UInt8] = []
        for byte in field {
            // A quote can only stand in a field twice over; keep the first of each pair.
            if byte == 0x22, bytes.last == 0x22 { continue }
            bytes.append(byte)
        }
        names.append(String(decoding: bytes, as: UTF8.self))
    }
    return names
}

/// Which columns a row has, and how a row becomes numbers.
struct CSVColumns: Sendable, Equatable {
    /// Columns a row.
    var count: Int
    /// The label's column, from 0; nil when rows have none.
    var label: Int?
    /// Labels are 0 ..< `classes`; nil when the label's column is not looked at.
    var classes: Int?

    var features: Int { label == nil ? count : count - 1 }

    /// Reads a row's features into `values` from `start` on and returns its label, -1 without one.
    func parse(
        _ line: ArraySlice<UInt8>, into values: inout [Float], at start: Int
    ) throws(CSVProblem) -> Int32 {
        var fields = CSVFields(line)
        var found: Int32 = -1
        var next = start
        while let field = try fields.next() {
            guard fields.column <= count else { break }
            if fields.column - 1 == label {
                if let classes { found = try parseLabel(field, classes, fields.column) }
                continue
            }
            values[next] = try parseFeature(field, fields.column)
            next += 1
        }
        guard fields.column == count else {
            let more = fields.column > count
            throw CSVProblem(
                reason: more
                    ? "it has more than \(count) columns"
                    : "it has \(fields.column) columns instead of \(count)")
        }
        return found
    }

    private func parseFeature(
        _ field: ArraySlice<UInt8>, _ column: Int
    ) throws(CSVProblem) -> Float {
        guard let number = decimalNumber(field) else {
            throw CSVProblem(column: column, reason: "\(quoted(field)) is not a number")
        }
        let value = Float(number)
        guard value.isFinite else {
            throw CSVProblem(column: column, reason: "\(quoted(field)) is too large for float32")
        }
        return value
    }

    private func parseLabel(
        _ field: ArraySlice<UInt8>, _ classes: Int, _ column: Int
    ) throws(CSVProblem) -> Int32 {
        guard let number = decimalNumber(field), let label = Int32(exactly: number),
            label >= 0, label < classes
        else {
            throw CSVProblem(
                column: column,
                reason: "label \(quoted(field)) is not a whole number from 0 to \(classes - 1)")
        }
        return label
    }

    /// At most 40 bytes of `field` for a message.
    private func quoted(_ field: ArraySlice<UInt8>) -> String {
        "'\(String(decoding: field.prefix(40), as: UTF8.self))'\(field.count > 40 ? "..." : "")"
    }
}

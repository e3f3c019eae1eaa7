import CTOML
import Federation

/// A place in a text; both count from 1, a column is a Unicode code point.
struct Position: Equatable {
    var line: Int
    var column: Int

    init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }

    fileprivate init(_ position: ctoml_position) {
        self.init(line: max(1, Int(position.line)), column: max(1, Int(position.column)))
    }
}

/// A value of a TOML document and where it stands.
struct TOMLValue {
    enum Content {
        case table([TOMLEntry])
        case array([TOMLValue])
        case text(String)
        case integer(Int64)
        case decimal(Double)
        case truth(Bool)
        case date
    }

    var content: Content
    var position: Position

    /// What it is, for the message of a fault: "text", "a whole number".
    var kind: String {
        switch content {
        case .table: "a table"
        case .array: "an array"
        case .text: "text"
        case .integer: "a whole number"
        case .decimal: "a decimal number"
        case .truth(let truth): "\(truth)"
        case .date: "a date or time"
        }
    }
}

/// A key of a table with its value; `position` is the key's.
struct TOMLEntry {
    var key: String
    var position: Position
    var value: TOMLValue
}

/// A TOML text as a tree of Swift values.
struct TOMLDocument {
    /// Bytes of a text: room for two numbers a feature for thousands of features.
    static let maximumBytes = 256 << 10
    /// Levels of tables and arrays; no configuration here has more than four.
    private static let maximumDepth = 32

    /// Names the text in faults.
    let file: String
    let root: TOMLValue

    /// - Throws: `Fault.invalid` with line and column when `text` is not TOML, nests too deep or is
    ///   too long.
    init(_ text: [UInt8], file: String) throws(Fault) {
        guard text.count <= TOMLDocument.maximumBytes else {
            throw Fault(
                .invalid,
                "\(file) has \(text.count) bytes, at most \(TOMLDocument.maximumBytes) are allowed"
            )
        }
        var error = ctoml_error()
        let document = text.withUnsafeBytes { bytes in
            let characters = bytes.bindMemory(to: CChar.self)
            return ctoml_parse(
                ctoml_text(start: characters.baseAddress, length: text.count), &error)
        }
        guard let document else {
            throw Fault.at(file, Position(error.at), message(of: error), "correct the TOML")
        }
        defer { ctoml_free(document) }
        self.file = file
        root = try TOMLDocument.value(ctoml_root(document), file, depth: 0)
    }

    /// Copies `value` and all that is in it.
    private static func value(
        _ value: OpaquePointer, _ file: String, depth: Int
    ) throws(Fault) -> TOMLValue {
        let position = Position(ctoml_position_of(value))
        guard depth <= maximumDepth else {
            throw Fault.at(
                file, position, "tables or arrays nest deeper than \(maximumDepth) levels")
        }
        let content: TOMLValue.Content
        switch ctoml_type_of(value) {
        case CTOML_TABLE: content = .table(try children(of: value, file, depth: depth + 1))
        case CTOML_ARRAY:
            content = .array(try children(of: value, file, depth: depth + 1).map(\.value))
        case CTOML_STRING: content = .text(string(ctoml_string(value)))
        case CTOML_INTEGER: content = .integer(ctoml_integer(value))
        case CTOML_FLOAT: content = .decimal(ctoml_float(value))
        case CTOML_BOOLEAN: content = .truth(ctoml_boolean(value))
        default: content = .date
        }
        return TOMLValue(content: content, position: position)
    }

    /// The entries of a table, or the items of an array under empty keys.
    private static func children(
        of value: OpaquePointer, _ file: String, depth: Int
    ) throws(Fault) -> [TOMLEntry] {
        typealias Child = (key: String, position: Position, value: OpaquePointer)
        var found: [Child] = []
        withUnsafeMutablePointer(to: &found) { found in
            _ = ctoml_visit(value, found) { context, key, position, value in
                guard let value else { return false }
                context?.assumingMemoryBound(to: [Child].self).pointee.append(
                    (string(key), Position(position), value))
                return true
            }
        }
        var entries: [TOMLEntry] = []
        for child in found {
            entries.append(
                TOMLEntry(
                    key: child.key, position: child.position,
                    value: try self.value(child.value, file, depth: depth)))
        }
        return entries
    }
}

extension Fault {
    /// `FILE:LINE:COLUMN: message`, with what to write instead.
    static func at(
        _ file: String, _ position: Position, _ message: String, _ remedy: String = ""
    ) -> Fault {
        Fault(
            .invalid, "\(file):\(position.line):\(position.column): \(message)", remedy: remedy)
    }
}

private func string(_ text: ctoml_text) -> String {
    String(
        decoding: UnsafeRawBufferPointer(start: text.start, count: text.length), as: UTF8.self)
}

/// The message of `error` as one line.
private func message(of error: ctoml_error) -> String {
    withUnsafeBytes(of: error.message) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
}

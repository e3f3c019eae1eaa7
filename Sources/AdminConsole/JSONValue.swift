import Federation

/// A JSON document that is always written the same way: members in the order given, no
/// insignificant white space.
package enum JSONValue: Sendable, Equatable {
    case null
    case bool(Bool)
    case number(UInt64)
    /// Written with the fewest digits that read back as the same number; JSON has no word for the
    /// others, so they are `null`.
    case decimal(Double)
    case string(String)
    case array([JSONValue])
    case object([(String, JSONValue)])

    /// A quantity for which the wire says "not measured", or "does not apply", with a negative
    /// number: then `null`.
    package static func measured(_ value: Double) -> JSONValue {
        value < 0 ? .null : .decimal(value)
    }

    /// The document, on one line.
    package var text: String {
        switch self {
        case .null: "null"
        case .bool(let value): value ? "true" : "false"
        case .number(let value): String(value)
        case .decimal(let value): value.isFinite ? value.description : "null"
        case .string(let value): jsonString(value)
        case .array(let values): "[" + values.map(\.text).joined(separator: ",") + "]"
        case .object(let members):
            "{" + members.map { jsonString($0.0) + ":" + $0.1.text }.joined(separator: ",") + "}"
        }
    }

    package static func == (left: JSONValue, right: JSONValue) -> Bool { left.text == right.text }
}

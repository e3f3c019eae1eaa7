import Federation

/// The members of a leaf in its order, for people to read. It may come from a newer coordinator, so nothing is expected of
/// them; what a program decides by is in `LeafFields`.
package struct LeafMembers: Sendable {
    /// The kind of event; nil when the leaf says none.
    package private(set) var event: String?
    /// Every other member that is not for audits alone; strings without their quotes.
    package private(set) var lines: [(name: String, value: String)] = []

    /// What only an audit can read.
    private static let omitted: Set = ["rows"]

    /// - Parameter leaf: a flat JSON object.
    package init(_ leaf: String) {
        let words = LeafMembers.words(of: leaf)
        for index in stride(from: 0, to: words.count - 1, by: 2) {
            if words[index] == "event" {
                event = words[index + 1]
            } else if !Self.omitted.contains(words[index]) {
                lines.append((words[index], words[index + 1]))
            }
        }
    }

    /// Whether a value is a digest in hexadecimal digits, of which a few tell enough.
    package static func isDigest(_ value: String) -> Bool {
        value.utf8.count == 2 * Digest.byteCount && value.allSatisfy(\.isHexDigit)
    }

    /// Names and values in turn.
    private static func words(of leaf: String) -> [String] {
        var words = [""]
        var isQuoted = false
        var isEscaped = false
        for character in leaf.dropFirst().dropLast() {
            if isEscaped {
                words[words.count - 1] += "\"\\/".contains(character) ? "" : "\\"
                words[words.count - 1].append(character)
                isEscaped = false
                continue
            }
            switch character {
            case "\\" where isQuoted: isEscaped = true
            case "\"": isQuoted.toggle()
            case ":" where !isQuoted, "," where !isQuoted: words.append("")
            default: words[words.count - 1].append(character)
            }
        }
        return words
    }
}

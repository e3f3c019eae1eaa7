import Federation
import Wire

// The log's answers as a person reads them.

extension LogEntries {
    func text(on screen: Screen) -> String {
        var table = Table([
            ("POSITION", .right), ("TIME", .left), ("EVENT", .left), ("WHAT", .left),
        ])
        for item in items {
            let leaf = LeafText(item.leaf)
            table.add([String(item.index), date(item.loggedUnix), leaf.event, leaf.what])
        }
        let shown = items.count == 1 ? "1 leaf" : "\(items.count) leaves"
        return (items.isEmpty ? "" : table.text(on: screen)) + "\(shown) of \(size)\n"
    }
}

/// A leaf in words. It may come from a newer coordinator, so nothing is expected of its members.
struct LeafText {
    private(set) var event = "?"
    /// Every other member, in the leaf's order: `plan tiny, version 3`.
    private(set) var what = ""

    /// What the table has columns for, and what only an audit can read.
    private static let omitted: Set = ["time", "rows"]
    /// Characters of a digest that are shown.
    private static let digestCharacters = 12

    init(_ leaf: [UInt8]) {
        var members: [String] = []
        for (name, value) in LeafText.members(String(decoding: leaf, as: UTF8.self)) {
            if name == "event" {
                event = value
            } else if !LeafText.omitted.contains(name) {
                members.append("\(name) \(LeafText.shortened(value))")
            }
        }
        what = members.joined(separator: ", ")
    }

    private static func shortened(_ value: String) -> String {
        let isDigest = value.utf8.count == 2 * Digest.byteCount && value.allSatisfy(\.isHexDigit)
        return isDigest ? cut(value, to: digestCharacters) : value
    }

    /// Names and values of a flat JSON object, without their quotes.
    private static func members(_ leaf: String) -> [(String, String)] {
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
        return stride(from: 0, to: words.count - 1, by: 2).map { (words[$0], words[$0 + 1]) }
    }
}

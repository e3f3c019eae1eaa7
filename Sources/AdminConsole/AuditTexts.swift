import Federation
import Provenance
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
        let shown = counted(items.count, "leaf", plural: "leaves")
        return (items.isEmpty ? "" : table.text(on: screen)) + "\(shown) of \(size)\n"
    }
}

/// A leaf in words. It may come from a newer coordinator, so nothing is expected of its members.
struct LeafText {
    private(set) var event = "?"
    /// Every other member, in the leaf's order: `plan tiny, version 3`.
    private(set) var what = ""

    /// Characters of a digest that are shown.
    private static let digestCharacters = 12

    init(_ leaf: [UInt8]) {
        let members = LeafMembers(String(decoding: leaf, as: UTF8.self))
        event = members.event ?? event
        // The table has a column for the time.
        what = members.lines.filter { $0.name != "time" }
            .map { "\($0.name) \(LeafText.shortened($0.value))" }.joined(separator: ", ")
    }

    private static func shortened(_ value: String) -> String {
        LeafMembers.isDigest(value) ? cut(value, to: digestCharacters) : value
    }
}

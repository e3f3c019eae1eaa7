import Foundation

/// The pages that describe what `--json` prints: json.md of coordinator-config and agent-config.
struct DocumentedMembers {
    private struct Member {
        /// The record that a value, or each of an array, is.
        let record: String?
        let isOptional: Bool
        let mayBeNull: Bool

        /// - Parameter type: `array of [round]`, `number or null`, `text, optional`.
        init(type: String) {
            record = DocumentedMembers.record(in: type)
            isOptional = type.contains("optional")
            mayBeNull = type.contains("null")
        }
    }

    private typealias Table = [String: Member]

    /// What the document of a command is.
    private enum Shape {
        case table(Table)
        case record(String)
    }

    private var records: [String: Table] = [:]
    private var shapes: [String: Shape] = [:]

    /// - Parameter page: a path in the checkout.
    init(page: String) throws {
        let page = try text(of: Checkout.root.appending(path: page))
        for section in page.components(separatedBy: "\n## ").dropFirst() {
            let lines = section.split(separator: "\n")
            let heading = String(lines.first ?? "")
            var table: Table = [:]
            for line in lines where line.hasPrefix("| `") {
                let cells = line.split(separator: "|")
                table[cells[0].filter { !"` ".contains($0) }] = Member(type: String(cells[1]))
            }
            guard heading.contains("`") else {
                records[heading] = table
                continue
            }
            let record = lines.first { $0.hasPrefix("A") }.flatMap { Self.record(in: String($0)) }
            for name in heading.split(separator: "`") where name != ", " {
                shapes[String(name)] = record.map(Shape.record) ?? .table(table)
            }
        }
    }

    /// The commands that the page is about.
    var commands: Set<String> { Set(shapes.keys) }

    /// How the document of a command differs from what the page says, a line a difference.
    func differences(of document: Any, from command: String) -> [String] {
        switch shapes[command] {
        case .table(let table): differences(of: document, from: table, path: command)
        case .record(let name): differences(of: document, fromRecord: name, path: command)
        case nil: ["the page does not describe \(command)"]
        }
    }

    /// How the document of a command that failed differs.
    func differences(ofError document: Any) -> [String] {
        differences(of: document, fromRecord: "error", path: "")
    }

    private static func record(in words: String) -> String? {
        guard let start = words.firstIndex(of: "["), let end = words.firstIndex(of: "]"),
            start < end
        else { return nil }
        return String(words[words.index(after: start)..<end])
    }

    private func differences(
        of document: Any, fromRecord name: String, path: String
    ) -> [String] {
        guard let table = records[name] else { return ["\(path): nothing says what \(name) is"] }
        return differences(of: document, from: table, path: path)
    }

    private func differences(of document: Any, from table: Table, path: String) -> [String] {
        if let items = document as? [Any] {
            return items.flatMap { differences(of: $0, from: table, path: path + "[]") }
        }
        guard let members = document as? [String: Any] else {
            return ["\(path) is no object, but \(document)"]
        }
        var found: [String] = []
        for (key, value) in members {
            guard let member = table[key] else {
                found.append("\(path).\(key) is not described")
                continue
            }
            if value is NSNull {
                if !member.mayBeNull { found.append("\(path).\(key) is null") }
            } else if let record = member.record, value is [Any] || value is [String: Any] {
                found += differences(
                    of: value, fromRecord: record, path: "\(path).\(key)")
            }
        }
        for (key, member) in table where !member.isOptional && members[key] == nil {
            found.append("\(path).\(key) is missing")
        }
        return found
    }
}

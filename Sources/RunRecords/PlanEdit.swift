package import Federation

/// A value put into the text of a plan, as an author would: comments and everything else stay.
package struct PlanEdit: Sendable, Equatable {
    /// The table; nil for [training].
    package let table: String?
    package let key: String
    /// As it is written in TOML, or a word that still needs its quotation marks.
    package let value: String

    /// - Parameter name: `training.learning_rate`, or `learning_rate` for short.
    package init(name: String, value: String) {
        let parts = name.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        table = parts.count == 2 ? String(parts[0]) : nil
        key = String(parts.last ?? "")
        self.value = value
    }

    /// `text` with the value in place. A key without its table is [training]'s.
    ///
    /// - Parameter trainingKeys: what [training] may have, written there or not.
    /// - Throws: `Fault.invalid` when a key without its table is another table's, or the value is spread
    ///   over several lines.
    package func applied(
        to text: String, trainingKeys: [String]
    ) throws(Fault) -> String {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let places = places(in: lines)
        let table: String
        if let named = self.table {
            table = named
        } else {
            try checkOwner(of: places, trainingKeys)
            table = "training"
        }
        let assignment = "\(key) = \(written)"
        if let line = places[table] {
            let old = lines[line].drop { $0 != "=" }.dropFirst()
            guard PlanEdit.isClosed(old) else {
                throw Fault(
                    .invalid, "\(key) in [\(table)] is spread over several lines of the plan",
                    remedy: "write it on one line, or change it in the plan itself")
            }
            lines[line] = assignment
        } else if let header = lines.firstIndex(where: { PlanEdit.header($0) == table }) {
            lines.insert(assignment, at: header + 1)
        } else {
            while lines.last?.isEmpty == true { lines.removeLast() }
            lines += ["", "[\(table)]", assignment, ""]
        }
        return lines.joined(separator: "\n")
    }

    private func checkOwner(
        of places: [String: Int], _ trainingKeys: [String]
    ) throws(Fault) {
        let tables = places.keys.sorted()
        // What is a key of no table is misspelt, as the plan's reader says best.
        guard !trainingKeys.contains(key), let first = tables.first else { return }
        throw Fault(
            .invalid,
            "\(key) is in \(tables.map { "[\($0)]" }.joined(separator: " and ")), not in [training]",
            remedy: "say which: \(first).\(key)")
    }

    /// The line of the key in each table that has it.
    private func places(in lines: [String]) -> [String: Int] {
        var places: [String: Int] = [:]
        var table: String?
        for (index, line) in lines.enumerated() {
            if line.drop(while: \.isWhitespace).hasPrefix("[") {
                // Of a list of tables, such as the layers, no key is meant.
                table = PlanEdit.header(line)
                continue
            }
            guard let table, places[table] == nil else { continue }
            let name = line.prefix { $0 != "=" }
            guard name.count < line.count, name.filter({ !$0.isWhitespace }) == key else {
                continue
            }
            places[table] = index
        }
        return places
    }

    /// The name in `[name]`; nil for any other line.
    private static func header(_ line: String) -> String? {
        let text = line.prefix { $0 != "#" }.filter { !$0.isWhitespace }
        guard text.hasPrefix("["), text.hasSuffix("]"), !text.hasPrefix("[[") else { return nil }
        return String(text.dropFirst().dropLast())
    }

    /// Whether as many brackets close in `value` as open, and it is no text of several lines.
    private static func isClosed(_ value: Substring) -> Bool {
        let brackets = value.reduce(0) { $0 + ($1 == "[" ? 1 : $1 == "]" ? -1 : 0) }
        return brackets == 0 && !value.contains("\"\"\"") && !value.contains("'''")
    }

    private var written: String {
        let isWritten =
            Double(value) != nil || ["true", "false"].contains(value)
            || ["\"", "'", "["].contains { value.hasPrefix($0) }
        return isWritten ? value : "\"\(value)\""
    }
}

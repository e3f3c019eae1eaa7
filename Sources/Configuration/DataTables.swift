import Federation

/// What `read` makes of each `[data.NAME]` table under `tables`, by plan name; empty when there are
/// none.
///
/// - Throws: `Fault.invalid` when a NAME is not a plan's, and what `read` throws.
func plans<Key: SectionKey, Value>(
    _ tables: TOMLValue?, file: String, _ read: (PlanID, Section<Key>) throws(Fault) -> Value
) throws(Fault) -> [Value] {
    guard let tables else { return [] }
    guard case .table(let entries) = tables.content else {
        throw Fault.at(
            file, tables.position, "[data] is \(tables.kind)", "write [data.NAME] tables")
    }
    var values: [Value] = []
    for entry in entries {
        guard let plan = PlanID(entry.key) else {
            throw Fault.at(
                file, entry.position, "'\(entry.key.prefix(80))' in [data] is not a plan's name",
                "write [data.NAME] with 1 to 40 characters of a-z 0-9 -, beginning with a letter")
        }
        let section = try Section<Key>(
            entry.value, name: "[data.\(entry.key)]", file: file)
        values.append(try read(plan, section))
    }
    return values
}

extension Section {
    /// The path of a directory, relative to the file's own directory unless it is absolute.
    func directory(_ key: Key, default standard: String? = nil) throws(Fault) -> String {
        let path = try text(key, "the path of a directory", default: standard) {
            !$0.isEmpty && !$0.utf8.contains(0)
        }
        return resolved(path, besides: file)
    }
}

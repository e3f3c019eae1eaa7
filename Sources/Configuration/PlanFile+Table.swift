import Federation

// The keys of [data] that say more of a table than its file and label, and [data.window]
extension PlanFile {
    static let tableKeys: [DataKey] = [.featureColumns, .classNames, .missing, .window]

    enum WindowKey: String, SectionKey {
        case length, stride, label
        case groupColumn = "group_column"
    }

    static func tableFormat(
        _ section: Section<DataKey>, file: String, label: String
    ) throws(Fault) -> TableFormat {
        TableFormat(
            files: file, label: label,
            classNames: try texts(section, .classNames, "an array of names, one a class"),
            columns: try texts(section, .featureColumns, "an array of columns' names")?
                .map { TableFormat.Column(name: $0) },
            missing: try texts(section, .missing, "an array of texts") ?? [],
            window: try window(section))
    }

    private static func window(_ section: Section<DataKey>) throws(Fault) -> WindowFormat? {
        guard let table = section.value(.window) else { return nil }
        let window = try Section<WindowKey>(table, name: "[data.window]", file: section.file)
        let rows = 1...65536
        let group =
            window.has(.groupColumn)
            ? try window.text(.groupColumn, "the name of a column") { !$0.isEmpty } : nil
        return WindowFormat(
            length: try window.integer(.length, rows), stride: try window.integer(.stride, rows),
            label: try window.word(.label, ["last", "majority"], default: "last") == "last"
                ? .last : .majority,
            group: group)
    }

    private static func texts(
        _ section: Section<DataKey>, _ key: DataKey, _ allowed: String
    ) throws(Fault) -> [String]? {
        guard section.has(key) else { return nil }
        var texts: [String] = []
        for item in try section.items(key, 0...65536, allowed) {
            texts.append(try section.text(item, key, allowed) { _ in true })
        }
        return texts
    }
}

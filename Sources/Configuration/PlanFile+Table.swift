import Federation

// The keys of [data] that say more of a table than its file and label, and [data.window]
extension PlanFile {
    static let tableKeys: [DataKey] = [.featureColumns, .classNames, .missing, .window]

    enum WindowKey: String, SectionKey {
        case length, stride, label
        case groupColumn = "group_column"
    }

    static func tableFormat(
        _ section: Section<DataKey>, file: String, label: String?
    ) throws(Fault) -> TableFormat {
        TableFormat(
            files: file, label: label,
            classNames: try texts(section, .classNames, "an array of names, one a class"),
            columns: try featureColumns(section),
            missing: try texts(section, .missing, "an array of texts") ?? [],
            window: try window(section, hasLabel: label != nil))
    }

    enum ColumnKey: String, SectionKey { case name, categories }

    /// Each a name or, of a column that holds words, a table with its categories.
    private static func featureColumns(
        _ section: Section<DataKey>
    ) throws(Fault) -> [TableFormat.Column]? {
        guard section.has(.featureColumns) else { return nil }
        let allowed = #"an array of columns: "name", or { name = "...", categories = ["..."] }"#
        var columns: [TableFormat.Column] = []
        for item in try section.items(.featureColumns, 1...65536, allowed) {
            if case .table = item.content {
                columns.append(try categoricalColumn(item, file: section.file))
            } else {
                let name = try section.text(item, .featureColumns, allowed) { !$0.isEmpty }
                columns.append(TableFormat.Column(name: name))
            }
        }
        guard Set(columns.map(\.name)).count == columns.count else {
            throw section.fault(.featureColumns, "names a column twice", "name every column once")
        }
        return columns
    }

    private static func categoricalColumn(
        _ table: TOMLValue, file: String
    ) throws(Fault) -> TableFormat.Column {
        let column = try Section<ColumnKey>(table, name: "[data.feature_columns]", file: file)
        let name = try column.text(.name, "the name of a column") { !$0.isEmpty }
        let allowed = "an array of the 1 to 4096 texts that may stand in the column"
        var categories: [String] = []
        for item in try column.items(.categories, 1...4096, allowed) {
            categories.append(try column.text(item, .categories, allowed) { _ in true })
        }
        guard Set(categories).count == categories.count else {
            throw column.fault(.categories, "has a text twice", "name every category once")
        }
        return TableFormat.Column(name: name, kind: .category(categories))
    }

    /// Checks that the columns, where the plan names them, make the plan's features.
    static func checkWidth(
        _ section: Section<DataKey>, _ table: TableFormat, _ features: Int
    ) throws(Fault) {
        guard let columns = table.columns else { return }
        let width = columns.reduce(0) { sum, column in
            if case .category(let values) = column.kind { sum + values.count } else { sum + 1 }
        }
        let length = table.window?.length ?? 1
        guard width * length == features else {
            let windows = length == 1 ? "" : " of \(length) rows each"
            throw section.fault(
                .features, "is \(features), and the columns make \(width)\(windows)",
                "write \(width * length), or name other columns")
        }
    }

    private static func window(
        _ section: Section<DataKey>, hasLabel: Bool
    ) throws(Fault) -> WindowFormat? {
        guard let table = section.value(.window) else { return nil }
        let window = try Section<WindowKey>(table, name: "[data.window]", file: section.file)
        if !hasLabel { try window.refuse([.label], in: "a table without label_column") }
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

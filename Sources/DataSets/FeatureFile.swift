package import Federation

/// Raw features to predict from: one IDX or CSV file, labels optional.
///
/// A file that begins with two zero bytes is IDX, any other CSV. The first line of a CSV file is a
/// header when one of its fields is not a number; then a column named as the label is passed over.
/// Without a header every column is a feature. Rows are answered in order, so one that does not
/// parse is an error and not left out.
package struct FeatureFile: Sendable {
    private enum Storage: Sendable {
        case idx(IDXFile)
        case csv(CSVTable)
        /// With what a missing value becomes.
        case table(CSVTable, offset: [Float])
    }

    private let storage: Storage
    package let features: Int

    /// Opens `file`, whose rows hold `features` features, and reads a CSV file through once.
    ///
    /// - Throws: `Fault` naming the file, and the line and column of the first row that does not
    ///   parse.
    package static func open(
        file: String, features: Int, labelColumn: String = "label"
    ) throws(Fault) -> FeatureFile {
        guard try beginsLikeIDX(file) else {
            let table = try CSVTable(file: try InputFile(path: file), isGrowing: false) {
                (line) throws(Fault) in
                try columns(line, path: file, features: features, labelColumn: labelColumn)
            }
            if let problem = table.tally.firstUnreadable {
                throw Fault(.invalid, problem, remedy: "correct the row or take it out")
            }
            return FeatureFile(storage: .csv(table), features: features)
        }
        let idx = try IDXFile(path: file)
        guard idx.rowBytes == features else {
            throw Fault(
                .invalid, "\(file) has \(idx.rowBytes) features a row, the model \(features)",
                remedy: "use data of the form the model was trained on")
        }
        return FeatureFile(storage: .idx(idx), features: features)
    }

    /// Opens `file` as a table of the form that `plan` gives its data: columns by name, categories,
    /// missing values, windows. Columns of labels and targets may be there, and are passed over.
    ///
    /// Of a plan with IDX files, and of an IDX file, as above.
    ///
    /// - Throws: as above.
    package static func open(file: String, plan: DataPlan) throws(Fault) -> FeatureFile {
        let format: TableFormat
        switch plan.format {
        case .idx: return try open(file: file, features: plan.features)
        case .csv(let name, let label):
            format = TableFormat(files: name, label: label, missing: [])
        case .table(let table): format = table
        }
        guard try !beginsLikeIDX(file) else {
            return try open(file: file, features: plan.features)
        }
        try format.check(classes: plan.classes)
        var form = plan
        form.targets = nil
        let table = try CSVTable(
            file: try InputFile(path: file), window: format.window, isGrowing: false
        ) { (line) throws(Fault) in
            let seen = try format.withoutAnswers(header: line, path: file, plan: plan)
            return (try seen.columns(header: line, path: file, plan: form), true)
        }
        if let problem = table.tally.firstUnreadable {
            throw Fault(.invalid, problem, remedy: "correct the row or take it out")
        }
        let offset = try TableExamples.offsets(plan, length: format.window?.length ?? 1)
        return FeatureFile(storage: .table(table, offset: offset), features: plan.features)
    }

    /// Rows available, or windows; 0 when a CSV file holds only a header.
    package var count: Int {
        switch storage {
        case .idx(let file): file.count
        case .csv(let table), .table(let table, _): table.count
        }
    }

    /// The raw features of `rows`, `rows.count` x `features`, row-major.
    ///
    /// - Throws: `Fault` when the file cannot be read or has changed since it was opened.
    package func read(rows: Range<Int>) throws(Fault) -> [Float] {
        switch storage {
        case .idx(let file):
            var bytes = [UInt8](repeating: 0, count: rows.count * features)
            try file.read(row: rows.lowerBound, into: &bytes)
            return bytes.map { Float($0) }
        case .csv(let table):
            var values = [Float](repeating: 0, count: rows.count * features)
            for (position, row) in rows.enumerated() {
                _ = try table.read(row, into: &values, at: position * features)
            }
            return values
        case .table(let table, let offset):
            var values = [Float](repeating: 0, count: rows.count * features)
            for (position, row) in rows.enumerated() {
                let start = position * features
                _ = try table.read(row, into: &values, at: start)
                TableExamples.fillMissing(&values, at: start, count: features, offset: offset)
            }
            return values
        }
    }

    private static func beginsLikeIDX(_ path: String) throws(Fault) -> Bool {
        let file = try InputFile(path: path)
        var start: [UInt8] = [1, 1]
        guard file.size >= start.count else { return false }
        try file.read(at: 0, into: &start)
        return start == [0, 0]
    }

    private static func columns(
        _ line: ArraySlice<UInt8>, path: String, features: Int, labelColumn: String
    ) throws(Fault) -> (columns: CSVColumns, isHeader: Bool) {
        let separator = csvSeparator(path: path)
        let names = try headerNames(line, path: path, separator: separator)
        let isHeader = names.contains { decimalNumber(Array($0.utf8)[...]) == nil }
        let label = isHeader ? names.firstIndex(of: labelColumn) : nil
        let places = names.indices.filter { $0 != label }
        var roles = [ColumnRole](repeating: .ignored, count: names.count)
        for (feature, place) in places.enumerated() { roles[place] = .number(feature) }
        guard places.count == features else {
            throw Fault(
                .invalid,
                "\(path) has \(places.count) feature columns, the model \(features)",
                remedy: "leave only the model's features, in order, and at most one column named "
                    + "'\(labelColumn)' in the header")
        }
        let columns = CSVColumns(separator: separator, roles: roles, width: features)
        return (columns, isHeader)
    }
}

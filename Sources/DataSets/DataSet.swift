package import Federation

/// The labelled examples a device holds for one plan, read from disk as they are needed.
///
/// IDX: a features file `[N, ...]` and a labels file `[N]` of unsigned bytes. CSV: a header line,
/// then one example a line; the column the plan names is the label, every other one a feature, in
/// order.
package struct DataSet: ExampleSource, Sendable {
    private enum Storage: Sendable {
        case idx(IDXExamples)
        case csv(CSVTable)
    }

    private let storage: Storage
    package let features: Int

    /// Opens what `plan.format` names in `directory` and reads it through once, keeping no values.
    ///
    /// - Throws: `Fault` naming the path: `notFound` for a missing directory or file, `storage` for
    ///   one that cannot be read, `invalid` for one that is empty, compressed, truncated, of
    ///   another shape than the plan's, or without a single readable row.
    package static func open(directory: String, plan: DataPlan) throws(Fault) -> DataSet {
        try requireDirectory(directory)
        let storage: Storage
        switch plan.format {
        case .idx(let features, let labels):
            storage = .idx(
                try IDXExamples(
                    featurePath: "\(directory)/\(features)", labelPath: "\(directory)/\(labels)",
                    features: plan.features, classes: plan.classes))
        case .csv(let file, let label):
            let path = "\(directory)/\(file)"
            storage = .csv(
                try CSVTable(path: path) { (line) throws(Fault) in
                    (try labelledColumns(line, path: path, label: label, plan: plan), true)
                })
        }
        let dataSet = DataSet(storage: storage, features: plan.features)
        guard dataSet.count > 0 else {
            throw Fault(
                .invalid, "no row can be used: \(dataSet.firstUnreadable ?? "there is none")",
                remedy: "give this device at least one example of the plan's form")
        }
        return dataSet
    }

    package var count: Int {
        switch storage {
        case .idx(let examples): examples.count
        case .csv(let table): table.offsets.count
        }
    }

    /// Rows left out because they do not parse or their label is not one of the plan's classes.
    package var unreadable: Int {
        switch storage {
        case .idx(let examples): examples.unreadable
        case .csv(let table): table.unreadable
        }
    }

    /// The first row left out: its file, line and column, and why; nil when there is none.
    package var firstUnreadable: String? {
        switch storage {
        case .idx(let examples): examples.firstUnreadable
        case .csv(let table): table.firstUnreadable
        }
    }

    /// As the protocol says. Each of `rows` is in 0 ..< `count`.
    ///
    /// - Throws: `Fault` when a file cannot be read or has changed since it was opened.
    package func read(
        rows: ArraySlice<Int>, features values: inout [Float], labels: inout [Int32]
    ) throws(Fault) {
        switch storage {
        case .idx(let examples):
            try examples.read(rows: rows, features: &values, labels: &labels)
        case .csv(let table):
            for (position, row) in rows.enumerated() {
                labels[position] = try table.read(row: row, into: &values, at: position * features)
            }
        }
    }

    private static func labelledColumns(
        _ line: ArraySlice<UInt8>, path: String, label: String, plan: DataPlan
    ) throws(Fault) -> CSVColumns {
        let names = try headerNames(line, path: path)
        let places = names.indices.filter { names[$0] == label }
        guard places.count == 1 else {
            throw Fault(
                .invalid,
                "\(path): the header has \(places.isEmpty ? "no" : "more than one") column"
                    + " named '\(label)'",
                remedy: "name the label's column '\(label)' in the first line")
        }
        guard names.count == plan.features + 1 else {
            throw Fault(
                .invalid,
                "\(path) has \(names.count - 1) feature columns, the plan \(plan.features)",
                remedy: "use the data file this plan is for")
        }
        return CSVColumns(count: names.count, label: places[0], classes: plan.classes)
    }
}

/// The column names in header line `line` of `path`.
func headerNames(_ line: ArraySlice<UInt8>, path: String) throws(Fault) -> [String] {
    do {
        return try csvNames(line)
    } catch {
        throw Fault(
            .invalid, "\(path): line 1, column \(error.column ?? 1): \(error.reason)",
            remedy: "correct the header line")
    }
}

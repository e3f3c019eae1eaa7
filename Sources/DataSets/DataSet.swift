package import Federation

/// The labelled examples a device holds for one plan, read from disk as they are needed.
///
/// IDX: a features file `[N, ...]` and a labels file `[N]` of unsigned bytes. Tables: see
/// `TableFormat`. Files may grow: what was added is seen when the data set is opened again.
package struct DataSet: ExampleSource, Sendable {
    private enum Storage: Sendable {
        case idx(IDXExamples)
        case table(TableExamples)
    }

    private let storage: Storage
    package let features: Int
    package let targets: Int
    package let hasLabels: Bool

    /// Opens what `plan.format` names in `directory` and reads it through once, keeping no values.
    ///
    /// - Parameter part: the training or the held-out half; the latter may be empty.
    /// - Throws: `Fault` naming the path: `notFound` for a missing directory or file, `storage` for
    ///   one that cannot be read, `invalid` for one that is empty, compressed, truncated, of
    ///   another shape than the plan's, or without a single readable row.
    package static func open(
        directory: String, plan: DataPlan, part: DataPart = .all
    ) throws(Fault) -> DataSet {
        switch plan.format {
        case .idx(let features, let labels):
            try requireDirectory(directory)
            let examples = try IDXExamples(
                featurePath: "\(directory)/\(features)", labelPath: "\(directory)/\(labels)",
                features: plan.features, classes: plan.classes, part: part)
            return try DataSet(.idx(examples), plan, hasLabels: true, part)
        case .csv(let file, let label):
            let format = TableFormat(files: file, label: label, missing: [])
            return try open(directory: directory, table: format, plan: plan, part: part)
        case .table(let format):
            return try open(directory: directory, table: format, plan: plan, part: part)
        }
    }

    /// Opens the tables that `format` names in `directory`, whatever `plan.format` is.
    ///
    /// - Parameter plan: its features, classes and offsets count. Of windows, `plan.features` is
    ///   columns x length, and offsets may also be one a column.
    /// - Throws: as above.
    package static func open(
        directory: String, table format: TableFormat, plan: DataPlan, part: DataPart = .all
    ) throws(Fault) -> DataSet {
        try requireDirectory(directory)
        let examples = try TableExamples(
            directory: directory, format: format, plan: plan, part: part)
        return try DataSet(.table(examples), plan, hasLabels: format.label != nil, part)
    }

    private init(
        _ storage: Storage, _ plan: DataPlan, hasLabels: Bool, _ part: DataPart
    ) throws(Fault) {
        self.storage = storage
        features = plan.features
        targets = plan.targets?.columns.count ?? 0
        self.hasLabels = hasLabels
        if case .heldOut = part { return }
        guard count == 0 else { return }
        let reason =
            firstUnreadable
            ?? (tally.unfinished > 0
                ? "there is none whose line has an end" : "there is none in this part")
        throw Fault(
            .invalid, "no row can be used: \(reason)",
            remedy: "give this device at least one example of the plan's form")
    }

    package var count: Int {
        switch storage {
        case .idx(let examples): examples.count
        case .table(let examples): examples.count
        }
    }

    /// What became of the rows, and how many examples each class has.
    package var tally: RowTally {
        switch storage {
        case .idx(let examples): examples.tally
        case .table(let examples): examples.tally
        }
    }

    /// Rows left out because they do not parse or their label is not one of the plan's classes.
    package var unreadable: Int { tally.unreadable }

    /// The first row left out: its file, line and column, and why; nil when there is none.
    package var firstUnreadable: String? { tally.firstUnreadable }

    /// Whether examples can be read as bytes: those of IDX files can.
    package var holdsBytes: Bool {
        if case .idx = storage { true } else { false }
    }

    /// As below, of successive examples, which takes a file fewer reads.
    ///
    /// - Throws: as there.
    package func read(
        rows: Range<Int>, bytes: inout [UInt8], labels: inout [Int32]
    ) throws(Fault) {
        guard case .idx(let examples) = storage else {
            throw Fault(.internal, "these examples are no bytes")
        }
        try examples.read(rows: rows, bytes: &bytes, labels: &labels)
    }

    /// As the protocol says. Each of `rows` is in 0 ..< `count`.
    ///
    /// - Throws: `Fault` when a file cannot be read or has changed since it was opened.
    package func read(
        rows: ArraySlice<Int>, bytes: inout [UInt8], labels: inout [Int32]
    ) throws(Fault) {
        guard case .idx(let examples) = storage else {
            throw Fault(.internal, "these examples are no bytes")
        }
        try examples.read(rows: rows, bytes: &bytes, labels: &labels)
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
        case .table(let examples):
            for (position, row) in rows.enumerated() {
                let answer = try examples.read(row, into: &values, at: position * features)
                labels[position] = answer.label
            }
        }
    }

    /// As the protocol says. Each of `rows` is in 0 ..< `count`.
    ///
    /// - Throws: `Fault` when a file cannot be read or has changed since it was opened.
    package func read(
        rows: ArraySlice<Int>, features values: inout [Float], targets answers: inout [Float]
    ) throws(Fault) {
        guard case .table(let examples) = storage else {
            throw Fault(.invalid, "IDX files have no targets", remedy: "use a table")
        }
        for (position, row) in rows.enumerated() {
            let answer = try examples.read(row, into: &values, at: position * features)
            for (index, target) in answer.targets.enumerated() {
                answers[position * targets + index] = target
            }
        }
    }
}

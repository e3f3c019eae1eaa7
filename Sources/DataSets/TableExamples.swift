import Federation

/// The examples of one or several files of the same columns.
struct TableExamples: Sendable {
    private let features: Int
    /// What a missing value becomes; see `DataPlan.offset`.
    private let offset: [Float]
    private var tables: [CSVTable] = []
    /// Examples up to the end of each table.
    private var ends: [Int] = []
    private(set) var tally: RowTally

    var count: Int { ends.last ?? 0 }

    /// Opens what `format` names in `directory`.
    ///
    /// - Throws: `Fault` when a file cannot be read or has not the columns that the format or the
    ///   other files have.
    init(
        directory: String, format: TableFormat, plan: DataPlan, part: DataPart
    ) throws(Fault) {
        try format.check(classes: plan.classes)
        features = plan.features
        offset = try TableExamples.offsets(plan, length: format.window?.length ?? 1)
        tally = RowTally(classes: plan.classes)
        guard TableDirectory.isPattern(format.files) else {
            try add(try InputFile(path: "\(directory)/\(format.files)"), format, plan, part)
            return
        }
        for path in try TableDirectory.files(in: directory, matching: format.files) {
            guard let file = try TableExamples.begunFile(path) else {
                tally.unfinished += 1
                continue
            }
            try add(file, format, plan, part)
        }
    }

    /// Reads example `number` (features at `start`) and returns what stands beside them.
    func read(
        _ number: Int, into values: inout [Float], at start: Int
    ) throws(Fault) -> ExampleAnswer {
        let table = firstEnd(above: number)
        let before = table == 0 ? 0 : ends[table - 1]
        let answer = try tables[table].read(number - before, into: &values, at: start)
        if tally.missing > 0 {
            TableExamples.fillMissing(&values, at: start, count: features, offset: offset)
        }
        return answer
    }

    /// Gives missing features, read as NaN, their offset: one for all, or one a feature.
    static func fillMissing(_ values: inout [Float], at start: Int, count: Int, offset: [Float]) {
        for feature in 0..<count where values[start + feature].isNaN {
            values[start + feature] = offset.count == 1 ? offset[0] : offset[feature]
        }
    }

    private mutating func add(
        _ file: InputFile, _ format: TableFormat, _ plan: DataPlan, _ part: DataPart
    ) throws(Fault) {
        let table = try CSVTable(file: file, window: format.window, part: part, isGrowing: true) {
            (line) throws(Fault) in
            let columns = try format.columns(
                header: line, path: file.path, plan: plan)
            return (columns, true)
        }
        // Columns that the format does not name are told apart by their place.
        if let first = tables.first, format.columns == nil,
            table.columns.names != first.columns.names
        {
            throw Fault(
                .invalid, "\(file.path) has another header than \(first.file.path)",
                remedy: "give both the same columns, or name the columns in the plan")
        }
        tally.add(table.tally)
        tables.append(table)
        ends.append(count + table.count)
    }

    private func firstEnd(above number: Int) -> Int {
        var low = 0
        var high = ends.count - 1
        while low < high {
            let middle = (low + high) / 2
            if ends[middle] > number { high = middle } else { low = middle + 1 }
        }
        return low
    }

    /// Opens one file of many; nil when its header is still being written or it has just gone.
    private static func begunFile(_ path: String) throws(Fault) -> InputFile? {
        guard let file = try InputFile(growing: path) else { return nil }
        var lines = LineReader(file: file)
        guard try lines.next(), lines.isFinished || lines.tooLong else { return nil }
        return file
    }

    /// One offset, or one a feature.
    static func offsets(_ plan: DataPlan, length: Int) throws(Fault) -> [Float] {
        let given = plan.offset
        if given.count == 1 || given.count == plan.features { return given }
        guard given.count * length == plan.features else {
            throw Fault(
                .invalid, "\(given.count) offsets do not fit \(plan.features) features",
                remedy: "give the plan one offset, or one a feature or column")
        }
        return given.flatMap { [Float](repeating: $0, count: length) }
    }
}

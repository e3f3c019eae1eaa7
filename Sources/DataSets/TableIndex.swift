import Federation

/// Finds the examples of a file while its rows go by in order, holding no more than one window.
struct TableIndex {
    struct Found {
        /// Missing values of this row, 0 when its part is not wanted.
        var missing = 0
        /// The example that this row completes.
        var example: (offset: Int, label: Int32)?
    }

    private let columns: CSVColumns
    private let window: WindowFormat?
    private let part: DataPart
    /// One row's features, parsed to be checked.
    private var values: [Float]
    /// Rows of the present run so far.
    private var rows = 0
    private var group: [UInt8] = []
    private var isWanted = true
    /// Where the last rows begin and their labels; row n of the run is at n mod the window's length.
    private var offsets: [Int] = []
    private var labels: [Int32] = []

    init(columns: CSVColumns, window: WindowFormat?, part: DataPart) {
        self.columns = columns
        self.window = window
        self.part = part
        values = [Float](repeating: 0, count: columns.width)
    }

    /// Takes the row `line` that begins at `offset`.
    mutating func add(_ line: ArraySlice<UInt8>, at offset: Int) throws(CSVProblem) -> Found {
        let row = try columns.parse(line, into: &values, at: 0)
        guard let window else {
            guard part.holds(line) else { return Found() }
            return Found(missing: row.missing, example: (offset, row.label))
        }
        if rows == 0 || !(row.group ?? []).elementsEqual(group) {
            endRun()
            group = Array(row.group ?? [])
            isWanted = part.holds(row.group ?? line)
        }
        guard isWanted else {
            rows += 1
            return Found()
        }
        return Found(missing: row.missing, example: slide(window, offset, row.label))
    }

    /// The next row follows none before it.
    mutating func endRun() {
        rows = 0
        offsets.removeAll(keepingCapacity: true)
        labels.removeAll(keepingCapacity: true)
    }

    private mutating func slide(
        _ window: WindowFormat, _ offset: Int, _ label: Int32
    ) -> (offset: Int, label: Int32)? {
        let place = rows % window.length
        if place == offsets.count {
            offsets.append(offset)
            labels.append(label)
        } else {
            offsets[place] = offset
            labels[place] = label
        }
        rows += 1
        guard rows >= window.length, (rows - window.length) % window.stride == 0 else { return nil }
        let first = rows % window.length
        let ordered = labels[first...] + labels[..<first]
        return (offsets[first], window.label(of: ordered, classes: columns.classes))
    }
}

extension WindowFormat {
    /// The example's label, of the labels of its rows in the order of time, each in 0 ..< `classes`.
    func label(of labels: ArraySlice<Int32>, classes: Int) -> Int32 {
        switch label {
        case .last: return labels.last ?? 0
        case .majority:
            var counts = [Int](repeating: 0, count: max(classes, 1))
            for label in labels { counts[Int(label)] += 1 }
            let most = counts.max() ?? 0
            return Int32(counts.firstIndex(of: most) ?? 0)
        }
    }
}

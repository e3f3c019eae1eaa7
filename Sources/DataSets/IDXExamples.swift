import Federation

/// A pair of IDX files as labelled examples: features `[N, ...]` and labels `[N]`, unsigned bytes.
struct IDXExamples: Sendable {
    let features: IDXFile
    let labels: IDXFile
    let classes: Int
    /// The rows of the part wanted whose label is a class; nil when that is every row.
    private var taken: [UInt32]?
    private(set) var tally: RowTally

    var count: Int { taken?.count ?? features.count }

    /// - Throws: `Fault` when either file does not parse or they disagree with each other
    ///   or the plan.
    init(
        featurePath: String, labelPath: String, features: Int, classes: Int, part: DataPart
    ) throws(Fault) {
        self.features = try IDXFile(path: featurePath)
        labels = try IDXFile(path: labelPath)
        self.classes = classes
        tally = RowTally(classes: classes)
        guard self.features.rowBytes == features else {
            throw Fault(
                .invalid,
                "\(featurePath) has \(self.features.rowBytes) features a row, the plan \(features)",
                remedy: "use the data files this plan is for")
        }
        guard labels.dimensions.count == 1 else {
            throw Fault(
                .invalid, "\(labelPath) has dimensions \(labels.dimensions), labels have one",
                remedy: "check that features and labels are not exchanged")
        }
        guard labels.count == self.features.count else {
            throw Fault(
                .invalid,
                "\(featurePath) has \(self.features.count) rows, \(labelPath) \(labels.count)",
                remedy: "use the two files of one data set")
        }
        try takeRows(of: part)
    }

    /// As `ExampleSource.read`.
    func read(
        rows: ArraySlice<Int>, features values: inout [Float], labels classesRead: inout [Int32]
    ) throws(Fault) {
        var buffer = [UInt8](repeating: 0, count: features.rowBytes)
        var label: [UInt8] = [0]
        for (position, index) in rows.enumerated() {
            let row = taken.map { Int($0[index]) } ?? index
            try features.read(row: row, into: &buffer)
            try labels.read(row: row, into: &label)
            guard label[0] < classes else {
                throw labels.file.changed("the label of row \(row + 1) is now \(label[0])")
            }
            classesRead[position] = Int32(label[0])
            let start = position * buffer.count
            for column in buffer.indices { values[start + column] = Float(buffer[column]) }
        }
    }

    /// As `ExampleSource.read` of bytes.
    func read(
        rows: ArraySlice<Int>, bytes: inout [UInt8], labels classesRead: inout [Int32]
    ) throws(Fault) {
        var found = [UInt8](repeating: 0, count: rows.count)
        var start = rows.startIndex
        while start < rows.endIndex {
            let first = fileRow(rows[start])
            // Rows that follow one another in the file are read at once.
            var end = start + 1
            while end < rows.endIndex, fileRow(rows[end]) == first + end - start { end += 1 }
            let (place, count) = (start - rows.startIndex, end - start)
            try features.read(
                row: first, count: count, into: &bytes, at: place * features.rowBytes)
            try labels.read(row: first, count: count, into: &found, at: place)
            for offset in 0..<count {
                let label = found[place + offset]
                guard label < classes else {
                    throw labels.file.changed(
                        "the label of row \(first + offset + 1) is now \(label)")
                }
                classesRead[place + offset] = Int32(label)
            }
            start = end
        }
    }

    /// The row of the files that an example is.
    private func fileRow(_ index: Int) -> Int { taken.map { Int($0[index]) } ?? index }

    /// As `DataSet.read` of successive bytes.
    func read(
        rows: Range<Int>, bytes: inout [UInt8], labels classesRead: inout [Int32]
    ) throws(Fault) {
        let width = features.rowBytes
        var first = rows.lowerBound
        while first < rows.upperBound {
            let run = run(from: first, upTo: rows.upperBound)
            let place = first - rows.lowerBound
            try features.read(
                row: run.lowerBound, count: run.count, into: &bytes, at: place * width)
            var found = [UInt8](repeating: 0, count: run.count)
            try labels.read(row: run.lowerBound, into: &found)
            for (offset, label) in found.enumerated() {
                guard label < classes else {
                    let row = run.lowerBound + offset + 1
                    throw labels.file.changed("the label of row \(row) is now \(label)")
                }
                classesRead[place + offset] = Int32(label)
            }
            first += run.count
        }
    }

    /// The rows of the file that examples `first` ..< `end` are, as far as they follow each other there.
    private func run(from first: Int, upTo end: Int) -> Range<Int> {
        guard let taken else { return first..<end }
        let start = Int(taken[first])
        var count = 1
        while first + count < end, Int(taken[first + count]) == start + count { count += 1 }
        return start..<start + count
    }

    private mutating func takeRows(of part: DataPart) throws(Fault) {
        let chunk = 1 << 16
        var example = [UInt8](repeating: 0, count: features.rowBytes)
        for start in stride(from: 0, to: labels.count, by: chunk) {
            var bytes = [UInt8](repeating: 0, count: min(chunk, labels.count - start))
            try labels.read(row: start, into: &bytes)
            for (offset, label) in bytes.enumerated() {
                let row = start + offset
                if !part.isWhole { try features.read(row: row, into: &example) }
                note(row, label, isWanted: part.isWhole || part.holds((example + [label])[...]))
            }
        }
    }

    private mutating func note(_ row: Int, _ label: UInt8, isWanted: Bool) {
        let isReadable = label < classes
        if !isReadable {
            tally.refuse(
                "\(labels.file.path): row \(row + 1) has label \(label), not 0 to \(classes - 1)")
        }
        if isReadable && isWanted {
            tally.classes[Int(label)] += 1
            taken?.append(UInt32(row))
        } else if taken == nil {
            taken = (0..<row).map { UInt32($0) }
        }
    }
}

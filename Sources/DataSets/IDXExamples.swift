import Federation

/// A pair of IDX files as labelled examples: features `[N, ...]` and labels `[N]`, unsigned bytes.
struct IDXExamples: Sendable {
    let features: IDXFile
    let labels: IDXFile
    let classes: Int
    /// The rows whose label is a class; nil when every row's is.
    private(set) var readable: [Int]?
    private(set) var unreadable = 0
    private(set) var firstUnreadable: String?

    var count: Int { readable?.count ?? features.count }

    /// - Throws: `Fault` when either file does not parse or they disagree with each other
    ///   or the plan.
    init(featurePath: String, labelPath: String, features: Int, classes: Int) throws(Fault) {
        self.features = try IDXFile(path: featurePath)
        labels = try IDXFile(path: labelPath)
        self.classes = classes
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
        try findUnreadable()
    }

    /// As `ExampleSource.read`.
    func read(
        rows: ArraySlice<Int>, features values: inout [Float], labels classesRead: inout [Int32]
    ) throws(Fault) {
        var buffer = [UInt8](repeating: 0, count: features.rowBytes)
        var label: [UInt8] = [0]
        for (position, index) in rows.enumerated() {
            let row = readable?[index] ?? index
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

    private mutating func findUnreadable() throws(Fault) {
        let chunk = 1 << 16
        for start in stride(from: 0, to: labels.count, by: chunk) {
            var bytes = [UInt8](repeating: 0, count: min(chunk, labels.count - start))
            try labels.read(row: start, into: &bytes)
            for (offset, label) in bytes.enumerated() {
                note(label: label, row: start + offset)
            }
        }
    }

    private mutating func note(label: UInt8, row: Int) {
        if label < classes {
            readable?.append(row)
            return
        }
        if readable == nil {
            readable = Array(0..<row)
            firstUnreadable =
                "\(labels.file.path): row \(row + 1) has label \(label), not 0 to \(classes - 1)"
        }
        unreadable += 1
    }
}

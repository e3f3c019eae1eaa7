package import DataSets
package import Federation

/// Labelled examples in memory, appended one source after another; every virtual agent reads the
/// same copy.
///
/// Pixels and other whole numbers up to 255 take one byte each, until a value comes that is none.
package struct ResidentExamples: Sendable {
    /// Raw features a row.
    package let features: Int
    /// Targets a row.
    package let targets: Int
    /// Whether every source that was appended had labels.
    package private(set) var hasLabels = true
    /// One a row; 0 where there are targets or no labels.
    package private(set) var labels: [Int32] = []
    /// Rows x targets.
    private var answers: [Float] = []
    /// The row with which each appended source begins.
    package private(set) var sourceStarts: [Int] = []

    private enum Values: Sendable {
        case bytes([UInt8])
        case numbers([Float])
    }
    /// Rows x features.
    private var values = Values.bytes([])

    /// No examples yet, of `features` > 0 features and as many targets a row.
    package init(features: Int, targets: Int = 0) {
        precondition(features > 0)
        self.features = features
        self.targets = targets
    }

    package var count: Int { labels.count }

    /// Appends every row of `source`.
    ///
    /// - Throws: `Fault.invalid` when its rows have another number of features or targets; what
    ///   reading throws.
    package mutating func append(_ source: inout some ExampleSource) throws(Fault) {
        let rowsAtATime = 256
        guard source.features == features else {
            throw Fault(
                .invalid, "a data set has \(source.features) features a row, another \(features)")
        }
        guard source.targets == targets else {
            throw Fault(
                .invalid, "a data set has \(source.targets) targets a row, another \(targets)")
        }
        hasLabels = hasLabels && source.hasLabels
        sourceStarts.append(count)
        reserve(count + source.count)
        var rows = [Float](repeating: 0, count: rowsAtATime * features)
        var classes = [Int32](repeating: 0, count: rowsAtATime)
        var numbers = [Float](repeating: 0, count: rowsAtATime * targets)
        for start in stride(from: 0, to: source.count, by: rowsAtATime) {
            let wanted = Array(start..<min(start + rowsAtATime, source.count))
            if targets > 0 {
                try source.read(rows: wanted[...], features: &rows, targets: &numbers)
                answers += numbers[..<(wanted.count * targets)]
            } else {
                try source.read(rows: wanted[...], features: &rows, labels: &classes)
            }
            append(values: rows[..<(wanted.count * features)])
            labels += classes[..<wanted.count]
        }
    }

    /// Appends every row of `source`, bytes as bytes.
    ///
    /// - Throws: as above.
    package mutating func append(_ source: DataSet) throws(Fault) {
        let rowsAtATime = 256
        var source = source
        guard source.features == features, source.targets == targets, source.hasLabels,
            source.holdsBytes, case .bytes(var bytes) = values
        else { return try append(&source) }
        var rows = [UInt8](repeating: 0, count: min(rowsAtATime, source.count) * features)
        var classes = [Int32](repeating: 0, count: min(rowsAtATime, source.count))
        // While `values` and a variable both hold an array, growing it would copy it.
        values = .bytes([])
        defer { values = .bytes(bytes) }
        sourceStarts.append(count)
        bytes.reserveCapacity(bytes.count + source.count * features)
        bytes.preferHugePages()
        labels.reserveCapacity(labels.count + source.count)
        for start in stride(from: 0, to: source.count, by: rowsAtATime) {
            let wanted = start..<min(start + rowsAtATime, source.count)
            try source.read(rows: wanted, bytes: &rows, labels: &classes)
            bytes += rows[..<(wanted.count * features)]
            labels += classes[..<wanted.count]
        }
    }

    private mutating func reserve(_ rows: Int) {
        labels.reserveCapacity(rows)
        // While `values` and a variable both hold an array, growing it would copy it.
        switch values {
        case .bytes(var bytes):
            values = .bytes([])
            bytes.reserveCapacity(rows * features)
            values = .bytes(bytes)
        case .numbers(var numbers):
            values = .numbers([])
            numbers.reserveCapacity(rows * features)
            values = .numbers(numbers)
        }
    }

    private mutating func append(values new: ArraySlice<Float>) {
        let isBytes = new.allSatisfy { $0 >= 0 && $0 <= 255 && $0 == $0.rounded(.down) }
        switch values {
        case .bytes(var bytes):
            values = .bytes([])
            if isBytes {
                for value in new { bytes.append(UInt8(value)) }
                values = .bytes(bytes)
            } else {
                values = .numbers(bytes.map { Float($0) } + new)
            }
        case .numbers(var numbers):
            values = .numbers([])
            numbers += new
            values = .numbers(numbers)
        }
    }

    /// The examples `rows` of these, without a copy.
    package func subset(_ rows: ArraySlice<Int>) -> ExampleSubset {
        ExampleSubset(examples: self, rows: rows)
    }

    fileprivate var areBytes: Bool { if case .bytes = values { true } else { false } }

    fileprivate func copy(row: Int, to output: UnsafeMutableBufferPointer<UInt8>) {
        guard case .bytes(let bytes) = values else { return }
        bytes.withUnsafeBufferPointer { all in
            _ = output.update(fromContentsOf: all[row * features..<(row + 1) * features])
        }
    }

    fileprivate func answer(_ target: Int, row: Int) -> Float { answers[row * targets + target] }

    fileprivate func copy(row: Int, to output: UnsafeMutableBufferPointer<Float>) {
        let range = row * features..<(row + 1) * features
        switch values {
        case .bytes(let bytes):
            bytes.withUnsafeBufferPointer { all in
                let source = UnsafeBufferPointer(rebasing: all[range])
                for column in 0..<features { output[column] = Float(source[column]) }
            }
        case .numbers(let numbers):
            numbers.withUnsafeBufferPointer { all in
                _ = output.update(fromContentsOf: all[range])
            }
        }
    }
}

/// What one virtual agent holds: some rows of the shared examples.
package struct ExampleSubset: ExampleSource, Sendable {
    private let examples: ResidentExamples
    private let rows: ArraySlice<Int>

    fileprivate init(examples: ResidentExamples, rows: ArraySlice<Int>) {
        self.examples = examples
        self.rows = rows
    }

    package var count: Int { rows.count }
    package var features: Int { examples.features }
    package var targets: Int { examples.targets }
    package var hasLabels: Bool { examples.hasLabels }
    package var holdsBytes: Bool { examples.areBytes }

    package func read(
        rows wanted: ArraySlice<Int>, bytes: inout [UInt8], labels: inout [Int32]
    ) throws(Fault) {
        let width = features
        precondition(labels.count >= wanted.count && bytes.count >= wanted.count * width)
        bytes.withUnsafeMutableBufferPointer { output in
            for (position, index) in wanted.enumerated() {
                let row = rows[rows.startIndex + index]
                let place = position * width..<(position + 1) * width
                examples.copy(row: row, to: UnsafeMutableBufferPointer(rebasing: output[place]))
                labels[position] = examples.labels[row]
            }
        }
    }

    package func read(
        rows wanted: ArraySlice<Int>, features values: inout [Float], labels: inout [Int32]
    ) throws(Fault) {
        precondition(labels.count >= wanted.count)
        copy(wanted, to: &values) { position, row in labels[position] = examples.labels[row] }
    }

    package func read(
        rows wanted: ArraySlice<Int>, features values: inout [Float], targets: inout [Float]
    ) throws(Fault) {
        let width = self.targets
        precondition(targets.count >= wanted.count * width)
        copy(wanted, to: &values) { position, row in
            for target in 0..<width {
                targets[position * width + target] = examples.answer(target, row: row)
            }
        }
    }

    /// Copies the features of `wanted` to `values`, and calls `body` with each one's position there
    /// and its row among all examples.
    private func copy(
        _ wanted: ArraySlice<Int>, to values: inout [Float], _ body: (Int, Int) -> Void
    ) {
        let width = features
        precondition(values.count >= wanted.count * width)
        values.withUnsafeMutableBufferPointer { output in
            for (position, index) in wanted.enumerated() {
                let row = rows[rows.startIndex + index]
                let place = position * width..<(position + 1) * width
                examples.copy(
                    row: row, to: UnsafeMutableBufferPointer(rebasing: output[place]))
                body(position, row)
            }
        }
    }
}

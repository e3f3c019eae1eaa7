package import Federation

/// Labelled examples in memory, appended one source after another; every virtual agent reads the
/// same copy.
///
/// Pixels and other whole numbers up to 255 take one byte each, until a value comes that is none.
package struct ResidentExamples: Sendable {
    /// Raw features a row.
    package let features: Int
    /// One a row.
    package private(set) var labels: [Int32] = []
    /// The row with which each appended source begins.
    package private(set) var sourceStarts: [Int] = []

    private enum Values: Sendable {
        case bytes([UInt8])
        case numbers([Float])
    }
    /// Rows x features.
    private var values = Values.bytes([])

    /// No examples yet, of `features` > 0 features a row.
    package init(features: Int) {
        precondition(features > 0)
        self.features = features
    }

    package var count: Int { labels.count }

    /// Appends every row of `source`.
    ///
    /// - Throws: `Fault.invalid` when its rows have another number of features; what reading throws.
    package mutating func append(_ source: inout some ExampleSource) throws(Fault) {
        let rowsAtATime = 256
        guard source.features == features else {
            throw Fault(
                .invalid, "a data set has \(source.features) features a row, another \(features)")
        }
        sourceStarts.append(count)
        reserve(count + source.count)
        var rows = [Float](repeating: 0, count: rowsAtATime * features)
        var classes = [Int32](repeating: 0, count: rowsAtATime)
        for start in stride(from: 0, to: source.count, by: rowsAtATime) {
            let wanted = Array(start..<min(start + rowsAtATime, source.count))
            try source.read(rows: wanted[...], features: &rows, labels: &classes)
            append(values: rows[..<(wanted.count * features)])
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

    package func read(
        rows wanted: ArraySlice<Int>, features values: inout [Float], labels: inout [Int32]
    ) throws(Fault) {
        let width = features
        precondition(values.count >= wanted.count * width && labels.count >= wanted.count)
        values.withUnsafeMutableBufferPointer { output in
            for (position, index) in wanted.enumerated() {
                let row = rows[rows.startIndex + index]
                let place = position * width..<(position + 1) * width
                examples.copy(
                    row: row, to: UnsafeMutableBufferPointer(rebasing: output[place]))
                labels[position] = examples.labels[row]
            }
        }
    }
}

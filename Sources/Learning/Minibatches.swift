import Federation

/// Reads a data set a few rows at a time, in order or shuffled, into the same buffers again and
/// again.
struct Minibatches {
    /// Raw features of the current batch [rows x inputs]; the reader of a batch may overwrite them.
    var features: [Float]
    /// Classes of the current batch [rows].
    private(set) var labels: [Int32]

    private let batchSize: Int
    private let inputs: Int
    private let classes: Int?
    private var order: [Int]

    /// - Parameter classes: labels are below it; nil when labels do not matter.
    /// - Throws: `Fault.invalid` when `source` is empty or its rows do not have `inputs` features.
    init(
        of source: some ExampleSource, inputs: Int, classes: Int?, batchSize: Int
    ) throws(Fault) {
        guard source.count > 0 else {
            throw Fault(
                .invalid, "the data set has no examples",
                remedy: "check the data directory and the names in the plan's [data] section")
        }
        guard source.features == inputs else {
            throw Fault(
                .invalid, "the data has \(source.features) features a row and the model \(inputs)",
                remedy: "check that the data directory belongs to this plan")
        }
        self.batchSize = min(batchSize, source.count)
        self.inputs = inputs
        self.classes = classes
        features = [Float](repeating: 0, count: self.batchSize * inputs)
        labels = [Int32](repeating: 0, count: self.batchSize)
        order = Array(0..<source.count)
    }

    /// Batches an epoch; the last may be smaller.
    var count: Int { (order.count + batchSize - 1) / batchSize }

    /// Deals the rows anew (Fisher and Yates).
    mutating func shuffle(_ random: inout some RandomSource) {
        for last in stride(from: order.count - 1, to: 0, by: -1) {
            // The high word of a 64 x 64 product: uniform to within count / 2^64.
            let other = random.next().multipliedFullWidth(by: UInt64(last + 1)).high
            order.swapAt(last, Int(other))
        }
    }

    /// Reads batch `index` into `features` and `labels` and returns its rows.
    ///
    /// - Throws: `Fault.invalid` naming a row whose label is not a class; what reading throws.
    mutating func read(_ index: Int, from source: inout some ExampleSource) throws(Fault) -> Int {
        let first = index * batchSize
        let rows = order[first..<min(first + batchSize, order.count)]
        try source.read(rows: rows, features: &features, labels: &labels)
        guard let classes else { return rows.count }
        for (offset, row) in rows.enumerated() where !(0..<classes).contains(Int(labels[offset])) {
            throw Fault(
                .invalid,
                "the label of row \(row) is \(labels[offset]), not a class below \(classes)",
                remedy: "correct the labels, or the plan's number of classes")
        }
        return rows.count
    }

    /// Examples of each class in the whole data set.
    ///
    /// - Throws: as `read`.
    mutating func classCounts(from source: inout some ExampleSource) throws(Fault) -> [Int] {
        var counts = [Int](repeating: 0, count: classes ?? 0)
        for batch in 0..<count {
            let rows = try read(batch, from: &source)
            for label in labels[..<rows] where Int(label) < counts.count { counts[Int(label)] += 1 }
        }
        return counts
    }
}

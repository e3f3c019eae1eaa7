import Federation

/// The raw features of some rows [rows x inputs]: as numbers, or as bytes where all of them are
/// whole numbers from 0 to 255 and whoever reads them takes bytes. The other array is empty.
struct RawFeatures {
    var values: [Float]
    var bytes: [UInt8]

    var areBytes: Bool { !bytes.isEmpty }
}

/// Reads a data set a few rows at a time, in order or shuffled, into the same buffers again and
/// again.
struct Minibatches {
    /// Raw features of the current batch [rows x inputs]; the reader of a batch may overwrite them.
    var features: RawFeatures
    /// Classes of the current batch [rows].
    private(set) var labels: [Int32]
    /// Raw targets of the current batch [rows x targets]; empty when they do not matter.
    private(set) var targets: [Float]

    private let batchSize: Int
    private let inputs: Int
    private let answers: Answers
    /// The rows as they were dealt; those of the current batch.
    private var order: [UInt32]
    private var rows: [Int]

    /// What is read of a row besides its features.
    enum Answers: Sendable {
        /// Its label, which is below this number.
        case classes(Int)
        /// So many targets.
        case targets(Int)
        case none

        fileprivate var areTargets: Bool { if case .targets = self { true } else { false } }
    }

    /// - Throws: `Fault.invalid` when `source` is empty or its rows do not have `inputs` features
    ///   and the targets asked for.
    init(
        of source: some ExampleSource, inputs: Int, answers: Answers, batchSize: Int,
        takesBytes: Bool = false
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
        if case .targets(let width) = answers, source.targets != width {
            throw Fault(
                .invalid, "the data has \(source.targets) targets a row and the model \(width)",
                remedy: "check that the data directory belongs to this plan")
        }
        var memory = PlannedMemory()
        self.init(
            examples: source.count, inputs: inputs, answers: answers, batchSize: batchSize,
            asBytes: takesBytes && source.holdsBytes && !answers.areTargets, memory: &memory)
    }

    /// - Parameter asBytes: whether features are read as bytes; classes then are the answers.
    init(
        examples: Int, inputs: Int, answers: Answers, batchSize: Int, asBytes: Bool = false,
        memory: inout PlannedMemory
    ) {
        precondition(examples <= UInt32.max)
        self.batchSize = min(batchSize, examples)
        self.inputs = inputs
        self.answers = answers
        var width = 0
        if case .targets(let outputs) = answers { width = outputs }
        targets = memory.buffer(0, count: self.batchSize * width)
        let count = self.batchSize * inputs
        features = RawFeatures(
            values: memory.buffer(0, count: asBytes ? 0 : count),
            bytes: memory.buffer(0, count: asBytes ? count : 0))
        labels = memory.buffer(0, count: self.batchSize)
        rows = memory.buffer(0, count: self.batchSize)
        order = memory.made(examples) { (0..<UInt32(examples)).map { $0 } }
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

    /// Reads batch `index` into `features` and `labels` or `targets` and returns its rows.
    ///
    /// - Throws: `Fault.invalid` naming a row whose label is not a class; what reading throws.
    mutating func read(_ index: Int, from source: inout some ExampleSource) throws(Fault) -> Int {
        let first = index * batchSize
        let dealt = order[first..<min(first + batchSize, order.count)]
        for (offset, row) in dealt.enumerated() { rows[offset] = Int(row) }
        let rows = rows[..<dealt.count]
        if case .targets = answers {
            try source.read(rows: rows, features: &features.values, targets: &targets)
            return rows.count
        }
        if features.areBytes {
            try source.read(rows: rows, bytes: &features.bytes, labels: &labels)
        } else {
            try source.read(rows: rows, features: &features.values, labels: &labels)
        }
        guard case .classes(let classes) = answers else { return rows.count }
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
        guard case .classes(let classes) = answers else { return [] }
        var counts = [Int](repeating: 0, count: classes)
        for batch in 0..<count {
            let rows = try read(batch, from: &source)
            for label in labels[..<rows] { counts[Int(label)] += 1 }
        }
        return counts
    }
}

import Federation
import Learning
import Testing

/// Examples that can be read as bytes, too, and count how often they are.
private struct ByteTable: ExampleSource {
    var table: Table
    var readAsBytes = 0

    var count: Int { table.count }
    var features: Int { table.features }
    var holdsBytes: Bool { true }

    mutating func read(
        rows: ArraySlice<Int>, features: inout [Float], labels: inout [Int32]
    ) throws(Fault) {
        try table.read(rows: rows, features: &features, labels: &labels)
    }

    mutating func read(
        rows: ArraySlice<Int>, bytes: inout [UInt8], labels: inout [Int32]
    ) throws(Fault) {
        var values = [Float](repeating: 0, count: rows.count * features)
        try table.read(rows: rows, features: &values, labels: &labels)
        for (index, value) in values.enumerated() { bytes[index] = UInt8(value) }
        readAsBytes += rows.count
    }
}

@Suite("Features that are bytes")
struct ByteFeaturesTests {
    private var numbers = Table.clusters(70, features: 12, classes: 3, seed: 5)
    private var bytes: ByteTable

    init() { bytes = ByteTable(table: numbers) }

    private func train(
        _ training: TrainingPlan, _ shape: StudentShape, on source: inout some ExampleSource,
        normalisation: Normalisation = pixels
    ) throws -> [Float] {
        var training = training
        // Counting the classes would read every row once more.
        training.balancesClasses = false
        var trainer = StudentTrainer(
            shape: shape, normalisation: normalisation,
            parameters: graphParameters(shape, seed: 6), training: training)
        var random = SeededRandom(seed: 7)
        _ = try trainer.train(on: &source, random: &random, progress: always)
        return trainer.parameters
    }

    @Test("train the same parameters as the numbers do", arguments: [false, true])
    mutating func training(lowMemory: Bool) throws {
        var plan = TrainingPlan(epochs: 2, batchSize: 9, learningRate: 0.05, momentum: 0.9)
        plan.lowMemory = lowMemory
        let shape = try StudentShape(widths: [12, 16, 3], relu: [true, false])
        let expected = try train(plan, shape, on: &numbers)
        #expect(try train(plan, shape, on: &bytes) == expected)
        #expect(bytes.readAsBytes == 2 * 70)
    }

    @Test("are read as numbers where the table of bytes does not hold for every feature")
    mutating func normalisationOfEach() throws {
        let plan = TrainingPlan(epochs: 1, batchSize: 9, learningRate: 0.05, momentum: 0.9)
        let shape = try StudentShape(widths: [12, 16, 3], relu: [true, false])
        let each = Normalisation(
            offset: (0..<12).map { Float($0) }, scale: [Float](repeating: 255, count: 12))
        let expected = try train(plan, shape, on: &numbers, normalisation: each)
        #expect(try train(plan, shape, on: &bytes, normalisation: each) == expected)
        #expect(bytes.readAsBytes == 0)
    }

    @Test("train convolutions that read one channel of them")
    mutating func convolution() throws {
        let plan = TrainingPlan(epochs: 1, batchSize: 9, learningRate: 0.05, momentum: 0.9)
        let images = try Graphs.shape(TensorShape(1, 3, 4), Self.layers)
        let expected = try train(plan, images, on: &numbers)
        #expect(try train(plan, images, on: &bytes) == expected)
        #expect(bytes.readAsBytes == 70)
    }

    @Test("are read as numbers where channels are rearranged, and by losses that look at them")
    mutating func others() throws {
        let plan = TrainingPlan(epochs: 1, batchSize: 9, learningRate: 0.05, momentum: 0.9)
        let images = try Graphs.shape(TensorShape(2, 3, 2), Self.layers)
        let expected = try train(plan, images, on: &numbers)
        #expect(try train(plan, images, on: &bytes) == expected)
        var reconstruction = plan
        reconstruction.objective = .reconstruction
        let coder = try StudentShape(widths: [12, 5, 12], relu: [true, false])
        let coded = try train(reconstruction, coder, on: &numbers)
        #expect(try train(reconstruction, coder, on: &bytes) == coded)
        #expect(bytes.readAsBytes == 0)
    }

    private static let layers: [LayerKind] = [
        .conv(ConvPlan(channels: 4, kernel: [3, 3], padding: [1, 1])), .flatten,
        .dense(units: 3, relu: false),
    ]

    @Test("are measured like the numbers")
    mutating func measuring() throws {
        let plan = TrainingPlan(epochs: 2, batchSize: 9, learningRate: 0.05, momentum: 0.9)
        let shape = try StudentShape(widths: [12, 16, 3], relu: [true, false])
        let model = try QuantizedModel(
            parameters: try train(plan, shape, on: &numbers), shape: shape, normalisation: pixels)
        #expect(try accuracy(of: model, on: &bytes) == accuracy(of: model, on: &numbers))
        #expect(bytes.readAsBytes == 70)
    }

    @Test("batches beyond those whose gradient descends at once are learned from as well")
    mutating func largeBatches() throws {
        var data = Table.clusters(600, features: 12, classes: 3, seed: 5)
        let shape = try StudentShape(widths: [12, 16, 3], relu: [true, false])
        let plan = TrainingPlan(epochs: 15, batchSize: 200, learningRate: 0.1, momentum: 0.9)
        let model = try QuantizedModel(
            parameters: try train(plan, shape, on: &data), shape: shape, normalisation: pixels)
        #expect(try accuracy(of: model, on: &data) > 0.97)
    }
}

import Federation
import Learning
import Testing

@Suite("Training without fp32 weights")
struct LowMemoryTests {
    private static let data = Table.clusters(400, features: 8, classes: 6, seed: 41)

    private let shape: StudentShape
    private let start: [Float]

    init() throws {
        shape = try StudentShape(widths: [8, 24, 6], relu: [true, false])
        start = exampleParameters(shape, seed: 42)
    }

    private static func plan(
        _ lowMemory: Bool, epochs: Int = 1, rate: Float = 0.01, batchSize: Int = 16
    ) -> TrainingPlan {
        var plan = TrainingPlan(
            epochs: epochs, batchSize: batchSize, learningRate: rate, momentum: 0)
        plan.lowMemory = lowMemory
        return plan
    }

    private func trained(
        _ parameters: [Float], _ plan: TrainingPlan, shape: StudentShape, data: Table,
        seed: UInt64 = 43
    ) throws -> (parameters: [Float], loss: Float) {
        var data = data
        var random = SeededRandom(seed: seed)
        var trainer = StudentTrainer(
            shape: shape, normalisation: pixels, parameters: parameters, training: plan)
        let report = try trainer.train(on: &data, random: &random, progress: always)
        return (trainer.parameters, report.meanLoss)
    }

    private func accuracyOfInt8(_ parameters: [Float]) throws -> Double {
        var test = Self.data
        let model = try QuantizedModel(
            parameters: parameters, shape: shape, normalisation: pixels)
        return try accuracy(of: model, on: &test)
    }

    @Test("it learns what latent weights learn, and what rounding to the nearest would not")
    func learning() throws {
        let epochs = 12
        let latent = try trained(
            start, Self.plan(false, epochs: epochs), shape: shape, data: Self.data)
        let low = try trained(start, Self.plan(true, epochs: epochs), shape: shape, data: Self.data)
        // Rounding the weights to the nearest after every step: a step is a run of one batch.
        var nearest = start
        var random = SeededRandom(seed: 44)
        for _ in 0..<epochs * Self.data.count / 16 {
            let rows = (0..<16).map { _ in Int(random.next() % UInt64(Self.data.count)) }
            let batch = Self.data.subset(rows)
            let rounded = try QuantizedModel(
                parameters: nearest, shape: shape, normalisation: pixels)
            nearest =
                try trained(
                    rounded.dequantised(), Self.plan(false), shape: shape, data: batch
                ).parameters
        }
        let accuracies = (
            try accuracyOfInt8(start), try accuracyOfInt8(latent.parameters),
            try accuracyOfInt8(low.parameters), try accuracyOfInt8(nearest)
        )
        #expect(accuracies.2 > accuracies.1 - 0.015)
        #expect(accuracies.3 < accuracies.1 - 0.05)
        #expect(low.loss < 1.1 * latent.loss)
    }

    @Test("every kind of layer learns as with latent weights", arguments: Graphs.all.indices)
    func graphs(_ index: Int) throws {
        let shape = try Graphs.all[index]()
        let start = graphParameters(shape, seed: 45)
        let data = Table.clusters(
            60, features: shape.inputs, classes: shape.classes, seed: 46)
        let before = try trained(
            start, Self.plan(false, rate: 0), shape: shape, data: data
        ).loss
        let latent = try trained(
            start, Self.plan(false, epochs: 10), shape: shape, data: data
        ).loss
        let low = try trained(start, Self.plan(true, epochs: 10), shape: shape, data: data).loss
        #expect(latent < 0.98 * before)
        #expect(abs(low - latent) < 0.25 * (before - latent))
    }

    @Test("a step of no length changes no weight, and the update is that of int8 models")
    func nothing() throws {
        let model = try QuantizedModel(parameters: start, shape: shape, normalisation: pixels)
        let given = model.dequantised()
        #expect(
            try trained(given, Self.plan(true, rate: 0), shape: shape, data: Self.data).parameters
                == given)
        var data = Self.data
        var random = SeededRandom(seed: 43)
        var trainer = try StudentTrainer(
            shape: shape, model: model, training: Self.plan(true))
        #expect(trainer.parameters == given)
        _ = try trainer.train(on: &data, random: &random, progress: always)
        #expect(
            try trained(given, Self.plan(true), shape: shape, data: Self.data).parameters
                == trainer.parameters)
        var delta = trainer.parameters
        model.subtract(from: &delta)
        #expect(delta == zip(trainer.parameters, given).map { $0 - $1 })
    }

    @Test("a model of another shape is not trained")
    func otherShape() throws {
        let model = try QuantizedModel(parameters: start, shape: shape, normalisation: pixels)
        let other = try StudentShape(widths: [8, 23, 6], relu: [true, false])
        #expect(throws: Fault.self) {
            try StudentTrainer(shape: other, model: model, training: Self.plan(true))
        }
    }

    @Test("the same seed rounds the same way, another seed another")
    func seeds() throws {
        let results = try [7, 7, 8].map { seed in
            try trained(
                start, Self.plan(true, batchSize: 400), shape: shape, data: Self.data, seed: seed
            ).parameters
        }
        #expect(results[0] == results[1])
        #expect(results[0] != results[2])
    }

    @Test("frozen layers stay, and weight decay makes weights smaller")
    func options() throws {
        let frozen = try StudentShape(
            input: TensorShape(8),
            layers: [
                LayerPlan(name: "a", kind: .dense(units: 24, relu: true), isFrozen: true),
                LayerPlan(name: "b", kind: .dense(units: 6, relu: false)),
            ])
        let given = try QuantizedModel(parameters: start, shape: frozen, normalisation: pixels)
            .dequantised()
        let moved = try trained(given, Self.plan(true), shape: frozen, data: Self.data).parameters
        let still = frozen.parameterRanges(layer: 0)
        #expect(moved[still.weights] == given[still.weights])
        #expect(moved[still.bias] == given[still.bias])
        let weights = frozen.parameterRanges(layer: 1).weights
        #expect(moved[weights] != given[weights])

        var decaying = Self.plan(true, epochs: 4)
        decaying.weightDecay = 0.5
        let small = try trained(given, decaying, shape: frozen, data: Self.data).parameters
        func norm(_ values: ArraySlice<Float>) -> Float { values.reduce(0) { $0 + $1 * $1 } }
        #expect(norm(small[weights]) < 0.8 * norm(moved[weights]))
    }

    @Test("training that diverges is refused, and leaves the parameters")
    func divergence() throws {
        var data = Self.data
        var random = SeededRandom(seed: 1)
        var trainer = StudentTrainer(
            shape: shape, normalisation: pixels, parameters: start,
            training: Self.plan(true, epochs: 20, rate: 1e30))
        #expect(throws: Fault.self) {
            try trainer.train(on: &data, random: &random, progress: always)
        }
        #expect(trainer.parameters == start)
    }
}

extension Table {
    /// These rows of it.
    fileprivate func subset(_ rows: [Int]) -> Table {
        Table(
            features: features,
            values: rows.flatMap { values[$0 * features..<($0 + 1) * features] },
            classes: rows.map { classes[$0] })
    }
}

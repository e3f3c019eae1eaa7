import Federation
import Learning
import Testing

@Suite("Training options and graphs")
struct TrainingOptionTests {
    /// Images [1, 8, 8] of a bright bar: upright, level, or none but noise.
    static func bars(_ count: Int, seed: UInt64) -> Table {
        var random = SeededRandom(seed: seed)
        var table = Table(features: 64, values: [], classes: [])
        for row in 0..<count {
            let place = Int(random.next() % 8)
            for pixel in 0..<64 {
                let isBar = [pixel % 8 == place, pixel / 8 == place, false][row % 3]
                table.values.append(Float(random.next() % 100) + (isBar ? 130 : 0))
            }
            table.classes.append(Int32(row % 3))
        }
        return table
    }

    static let layers = [
        LayerPlan(
            name: "edges", kind: .conv(ConvPlan(channels: 6, kernel: [3, 3], padding: [1, 1]))),
        LayerPlan(
            name: "mix",
            kind: .conv(
                ConvPlan(
                    channels: 6, kernel: [3, 3], padding: [1, 1], isDepthwise: true, relu: false))),
        LayerPlan(name: "sum", kind: .add(from: "edges", relu: true)),
        LayerPlan(name: "pool", kind: .maxPool(size: [2, 2], stride: [2, 2])),
        LayerPlan(name: "mean", kind: .averagePool(size: [2, 2], stride: [2, 2])),
        LayerPlan(name: "flat", kind: .flatten),
        LayerPlan(name: "drop", kind: .dropout(rate: 0.1)),
        LayerPlan(name: "scores", kind: .dense(units: 3, relu: false)),
    ]

    static func trained(
        _ shape: StudentShape, on data: Table, _ training: TrainingPlan,
        arithmetic: StudentTrainer.Arithmetic = .int8, seed: UInt64 = 31
    ) throws -> (start: [Float], end: [Float], report: TrainingReport) {
        var data = data
        var random = SeededRandom(seed: seed)
        var start = initialParameters(shape, random: &random)
        try calibrate(
            &start, shape: shape, normalisation: pixels, on: &data, random: &random)
        var trainer = StudentTrainer(
            shape: shape, normalisation: pixels, parameters: start, training: training,
            arithmetic: arithmetic)
        let report = try trainer.train(on: &data, random: &random, progress: always)
        return (start, trainer.parameters, report)
    }

    @Test("a network of every kind of layer learns images in int8 and in fp32, repeatably")
    func learns() throws {
        let shape = try StudentShape(input: TensorShape(1, 8, 8), layers: Self.layers)
        let training = TrainingPlan(epochs: 6, batchSize: 16, learningRate: 0.05, momentum: 0.9)
        let data = Self.bars(300, seed: 41)
        var test = Self.bars(150, seed: 42)
        let first = try Self.trained(shape, on: data, training).end
        let model = try QuantizedModel(parameters: first, shape: shape, normalisation: pixels)
        #expect(try accuracy(of: model, on: &test) > 0.9)
        #expect(try Self.trained(shape, on: data, training).end == first)
        #expect(try Self.trained(shape, on: data, training, seed: 32).end != first)
        let float = try Self.trained(shape, on: data, training, arithmetic: .float32).end
        let student = try FloatStudent(shape: shape, normalisation: pixels, parameters: float)
        #expect(try student.accuracy(on: &test) > 0.9)
    }

    @Test(
        "frozen layers do not move at all, and the others do",
        arguments: [
            TrainingPlan.Optimizer.sgd(momentum: 0.9, nesterov: false),
            .adamW(beta1: 0.9, beta2: 0.99, epsilon: 1e-6),
        ])
    func frozen(optimizer: TrainingPlan.Optimizer) throws {
        var layers = Self.layers
        for index in layers.indices.dropLast() { layers[index].isFrozen = true }
        let shape = try StudentShape(input: TensorShape(1, 8, 8), layers: layers)
        var training = TrainingPlan(
            epochs: 2, batchSize: 8, learningRate: 0.01, optimizer: optimizer)
        training.weightDecay = 0.1
        training.proximalMu = 0.1
        training.clipNorm = 1
        let (start, end, _) = try Self.trained(shape, on: Self.bars(30, seed: 43), training)
        let moved = start.indices.filter { start[$0].bitPattern != end[$0].bitPattern }
        let last = shape.parameterRanges(layer: 7)
        // The input's scale belongs to no layer; the scores' is the last.
        let free = Set(last.weights).union(last.bias).union([
            shape.logScaleOffset, shape.parameterCount - 1,
        ])
        #expect(Set(moved).isSubset(of: free))
        #expect(moved.count > last.weights.count / 2)
    }

    @Test(
        "dropout zeroes values or raises them, each by as much as it was", arguments: [true, false])
    func dropout(inIntegers: Bool) throws {
        let shape = try Graphs.shape(
            TensorShape(4), [.dropout(rate: 0.5), .dense(units: 4, relu: false)])
        var training = TrainingPlan(epochs: 1, batchSize: 50, learningRate: 0, momentum: 0)
        training.objective = .reconstruction
        // The identity, on inputs of 100 / 255: what is kept doubles, so that every error is the
        // value itself, whether it was kept or not.
        var parameters = [Float](repeating: 0, count: shape.parameterCount)
        for unit in 0..<4 { parameters[unit * 5] = 1 }
        parameters[shape.logScaleOffset] = -5
        parameters[shape.logScaleOffset + 1] = -4.5
        var data = Table(
            features: 4, values: [Float](repeating: 100, count: 200),
            classes: [Int32](repeating: 0, count: 50))
        var trainer = StudentTrainer(
            shape: shape, normalisation: pixels, parameters: parameters, training: training,
            arithmetic: inIntegers ? .int8 : .float32)
        var random = SeededRandom(seed: 51)
        let loss = try trainer.train(on: &data, random: &random, progress: always).meanLoss
        let value: Float = 100 / 255
        #expect(abs(loss - value * value) < 0.03 * value * value)
    }

    @Test("training ends early once the loss has not fallen for the plan's patience")
    func patience() throws {
        let shape = try StudentShape(widths: [64, 3], relu: [false])
        // A rate of zero: the loss of the first epoch is the lowest.
        var training = TrainingPlan(epochs: 9, batchSize: 30, learningRate: 0, momentum: 0)
        training.patience = 2
        // Rows all alike: the order of an epoch does not move the last bit of its loss.
        var data = Table(
            features: 64, values: [Float](repeating: 50, count: 30 * 64),
            classes: [Int32](repeating: 1, count: 30))
        var trainer = StudentTrainer(
            shape: shape, normalisation: pixels, parameters: exampleParameters(shape, seed: 45),
            training: training)
        var random = SeededRandom(seed: 46)
        let before = random
        _ = try trainer.train(on: &data, random: &random, progress: always)
        // Each epoch shuffles 30 rows with 29 words: three epochs ran.
        var expected = before
        for _ in 0..<3 * 29 { _ = expected.next() }
        #expect(random.next() == expected.next())
    }

    @Test("class shares are corrected for only where the plan says so")
    func balance() throws {
        let shape = try StudentShape(widths: [64, 3], relu: [false])
        var data = Self.bars(60, seed: 47)
        // Four in five rows are of class 0.
        data.classes = (0..<60).map { $0 % 5 == 0 ? 1 : 0 }
        var training = TrainingPlan(epochs: 3, batchSize: 10, learningRate: 0.05, momentum: 0)
        let balanced = try Self.trained(shape, on: data, training).end
        training.balancesClasses = false
        let plain = try Self.trained(shape, on: data, training).end
        let bias = shape.parameterRanges(layer: 0).bias.lowerBound
        #expect(plain[bias] - plain[bias + 1] > balanced[bias] - balanced[bias + 1] + 0.01)
    }

    @Test("an autoencoder learns ordinary rows and scores strange ones higher")
    func anomalies() throws {
        let shape = try StudentShape(widths: [64, 8, 64], relu: [true, false])
        var training = TrainingPlan(
            epochs: 30, batchSize: 10, learningRate: 0.01,
            optimizer: .adamW(beta1: 0.9, beta2: 0.999, epsilon: 1e-8))
        training.objective = .reconstruction
        // Labels beyond any class: they do not matter.
        func rows(_ count: Int, shift: Int, seed: UInt64) -> Table {
            var random = SeededRandom(seed: seed)
            let values = (0..<count * 64).map { index in
                Float((index % 64 / 8 + shift) % 8 * 30) + Float(random.next() % 20)
            }
            return Table(
                features: 64, values: values, classes: [Int32](repeating: 999, count: count))
        }
        let (start, end, report) = try Self.trained(
            shape, on: rows(60, shift: 0, seed: 48), training)
        #expect(report.meanLoss < 0.02)
        func scores(_ parameters: [Float], shift: Int) throws -> [Float] {
            let model = try QuantizedModel(
                parameters: parameters, shape: shape, normalisation: pixels)
            var predictor = Predictor(model)
            return try predictor.anomalyScores(
                raw: rows(70, shift: shift, seed: 49).values, rows: 70)
        }
        let ordinary = try scores(end, shift: 0)
        let strange = try scores(end, shift: 3)
        #expect(ordinary.count == 70)
        #expect(try #require(ordinary.max()) < #require(strange.min()))
        #expect(try #require(scores(start, shift: 0).min()) > #require(ordinary.max()))
    }

    @Test("a student that has not one output a feature cannot reconstruct")
    func reconstructionNeedsOutputs() throws {
        let shape = try StudentShape(widths: [64, 3], relu: [false])
        var training = TrainingPlan(epochs: 1, batchSize: 10, learningRate: 0.1, momentum: 0)
        training.objective = .reconstruction
        let fault = #expect(throws: Fault.self) {
            try Self.trained(shape, on: Self.bars(30, seed: 50), training)
        }
        #expect(fault?.message.contains("64 inputs and 3 outputs") == true)
    }
}

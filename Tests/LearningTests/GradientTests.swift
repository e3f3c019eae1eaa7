import Federation
import Learning
import Testing

@Suite("Gradients")
struct GradientTests {
    @Test(
        "agree with finite differences for every parameter of every kind of layer",
        arguments: Graphs.all)
    func finiteDifferences(graph: @Sendable () throws -> StudentShape) throws {
        let shape = try graph()
        let loss = CrossEntropy(classes: shape.classes)
        try check(shape, loss, labels: (0..<3).map { Int32($0 % shape.classes) })
    }

    @Test("of the reconstruction error agree with finite differences")
    func reconstruction() throws {
        let shape = try StudentShape(widths: [5, 3, 5], relu: [true, false])
        try check(
            shape, try Reconstruction(normalisation: pixels, shape: shape), labels: [0, 0, 0])
    }

    @Test("through dropout agree with finite differences of the loss under the same draws")
    func dropout() throws {
        let shape = try Graphs.shape(
            TensorShape(5),
            [.dense(units: 8, relu: false), .dropout(rate: 0.4), .dense(units: 3, relu: false)])
        let raw = randomBytes(shape, rows: 4, seed: 16)
        let parameters = graphParameters(shape, seed: 17)
        /// One step of rate 1: the loss before it, and by how much it moved the parameters.
        func step(_ parameters: [Float], seed: UInt64) throws -> (loss: Float, moved: [Float]) {
            var data = Table(features: 5, values: raw, classes: [0, 1, 2, 1])
            var training = TrainingPlan(epochs: 1, batchSize: 4, learningRate: 1, momentum: 0)
            training.balancesClasses = false
            var trainer = StudentTrainer(
                shape: shape, normalisation: pixels, parameters: parameters, training: training,
                arithmetic: .float32)
            var random = SeededRandom(seed: seed)
            let loss = try trainer.train(on: &data, random: &random, progress: always).meanLoss
            return (loss, zip(parameters, trainer.parameters).map { $0 - $1 })
        }
        let gradient = try step(parameters, seed: 18).moved
        #expect(try step(parameters, seed: 18).loss != step(parameters, seed: 19).loss)
        let largest = try #require(gradient.map(\.magnitude).max())
        for index in 0..<shape.logScaleOffset {
            var moved = parameters
            moved[index] += 1e-3
            let above = try step(moved, seed: 18).loss
            moved[index] = parameters[index] - 1e-3
            let quotient = (above - (try step(moved, seed: 18).loss)) / 2e-3
            #expect(abs(quotient - gradient[index]) < 0.01 * largest, "parameter \(index)")
        }
    }

    @Test("of the integer network point where those of fp32 do", arguments: Graphs.all)
    func straightThrough(graph: @Sendable () throws -> StudentShape) throws {
        let shape = try graph()
        // One class, so that the gradients of the rows add up and leave no small difference; many rows,
        // because rounding makes another value the largest, or negative, in a few.
        let labels = [Int32](repeating: 1, count: 60)
        let raw = randomBytes(shape, rows: labels.count, seed: 13)
        var data = Table(features: shape.inputs, values: raw, classes: labels)
        var random = SeededRandom(seed: 14)
        var parameters = graphParameters(shape, seed: 15)
        try calibrate(
            &parameters, shape: shape, normalisation: pixels, on: &data, random: &random)
        var training = TrainingPlan(
            epochs: 1, batchSize: labels.count, learningRate: 1, momentum: 0)
        training.balancesClasses = false
        var trainer = StudentTrainer(
            shape: shape, normalisation: pixels, parameters: parameters, training: training)
        _ = try trainer.train(on: &data, random: &random, progress: always)
        let float = try FloatStudent(shape: shape, normalisation: pixels, parameters: parameters)
            .gradient(of: CrossEntropy(classes: shape.classes), raw: raw, labels: labels).gradient
        for layer in shape.weightedLayers {
            let ranges = shape.parameterRanges(layer: layer)
            let range = ranges.weights.lowerBound..<ranges.bias.upperBound
            let descent = range.map { parameters[$0] - trainer.parameters[$0] }
            let product = zip(range, descent).reduce(0) { $0 + float[$1.0] * $1.1 }
            let norms =
                descent.reduce(0) { $0 + $1 * $1 } * range.reduce(0) { $0 + float[$1] * float[$1] }
            #expect(product / norms.squareRoot() > 0.995, "layer \(layer)")
        }
    }

    /// Compares each derivative with the quotient of a small step either way, where the loss has
    /// no kink between.
    private func check(_ shape: StudentShape, _ loss: some Loss, labels: [Int32]) throws {
        let parameters = graphParameters(shape, seed: 11)
        let raw = randomBytes(shape, rows: labels.count, seed: 12)
        func evaluate(_ parameters: [Float]) throws -> (loss: Float, gradient: [Float]) {
            try FloatStudent(shape: shape, normalisation: pixels, parameters: parameters)
                .gradient(of: loss, raw: raw, labels: labels)
        }
        let gradient = try evaluate(parameters).gradient
        #expect(gradient[shape.logScaleOffset...].allSatisfy { $0 == 0 })
        let largest = try #require(gradient.map(\.magnitude).max())
        #expect(largest > 0.01)
        let step: Float = 1e-3
        var compared = 0
        for index in 0..<shape.logScaleOffset {
            var moved = parameters
            moved[index] += step
            let above = try evaluate(moved)
            moved[index] = parameters[index] - step
            let below = try evaluate(moved)
            // Past a kink the derivative differs on the two sides.
            let bend = abs(above.gradient[index] - below.gradient[index])
            guard bend < 0.02 * largest else { continue }
            compared += 1
            let quotient = (above.loss - below.loss) / (2 * step)
            #expect(
                abs(quotient - gradient[index]) < 0.01 * largest,
                "parameter \(index): \(gradient[index]), by differences \(quotient)")
        }
        #expect(compared > shape.logScaleOffset * 3 / 4, "only \(compared) were smooth")
    }
}

import Federation
import Glibc
import Learning
import Testing

@Suite("Regression")
struct RegressionTests {
    private let units = Normalisation(
        offset: [100], scale: [60], targets: TargetScale(offset: [40, -3], scale: [25, 0.5]))

    /// Rows of 4 bytes with two targets in units of their own: one linear in the features, one not.
    private func measurements(_ count: Int, seed: UInt64) -> Table {
        var random = SeededRandom(seed: seed)
        var table = Table(features: 4, values: [], classes: [])
        table.targets = 2
        for _ in 0..<count {
            let row = (0..<4).map { _ in Float(random.next() % 256) }
            table.values += row
            table.classes.append(0)
            table.answers.append(20 + 0.2 * row[0] - 0.1 * row[1])
            table.answers.append(-3 + sinf(row[2] / 50) * 0.4 + row[3] * row[3] / 200_000)
        }
        return table
    }

    private func trained(_ arithmetic: StudentTrainer.Arithmetic) throws -> [Float] {
        let shape = try StudentShape(widths: [4, 32, 2], relu: [true, false])
        var data = measurements(600, seed: 61)
        var random = SeededRandom(seed: 62)
        var parameters = initialParameters(shape, random: &random)
        try calibrate(
            &parameters, shape: shape, normalisation: units, on: &data, random: &random)
        var training = TrainingPlan(epochs: 40, batchSize: 16, learningRate: 0.05, momentum: 0.9)
        training.objective = .regression
        training.schedule = .cosine
        var trainer = StudentTrainer(
            shape: shape, normalisation: units, parameters: parameters, training: training,
            arithmetic: arithmetic)
        let report = try trainer.train(on: &data, random: &random, progress: always)
        #expect(report.meanLoss < 0.1)
        return trainer.parameters
    }

    @Test("learns two targets of different size in int8 and in fp32")
    func learns() throws {
        let shape = try StudentShape(widths: [4, 32, 2], relu: [true, false])
        var test = measurements(300, seed: 63)
        let model = try QuantizedModel(
            parameters: try trained(.int8), shape: shape, normalisation: units)
        let float = try FloatStudent(
            shape: shape, normalisation: units, parameters: try trained(.float32))
        #expect(try model.measure(.regression, on: &test) > 0.9)
        #expect(try float.measure(.regression, on: &test) > 0.95)
        // Outputs are in the targets' units.
        var predictor = Predictor(model)
        let outputs = predictor.outputs(raw: test.values, rows: test.count)
        let misses = zip(outputs, test.answers).enumerated().map { index, pair in
            abs(pair.0 - pair.1) / [25, 0.5][index % 2]
        }
        #expect(misses.reduce(0, +) / Float(misses.count) < 0.25)
    }

    @Test("has the gradient of the mean squared error of normalised targets")
    func gradient() throws {
        let shape = try StudentShape(widths: [4, 5, 2], relu: [true, false])
        let loss = try Regression(normalisation: units, outputs: 2)
        let parameters = graphParameters(shape, seed: 64)
        let data = measurements(3, seed: 65)
        func evaluate(_ parameters: [Float]) throws -> (loss: Float, gradient: [Float]) {
            try FloatStudent(shape: shape, normalisation: units, parameters: parameters)
                .gradient(
                    of: loss, raw: data.values, labels: data.classes, targets: data.answers)
        }
        let gradient = try evaluate(parameters).gradient
        let largest = try #require(gradient.map(\.magnitude).max())
        #expect(largest > 0.1)
        for index in 0..<shape.logScaleOffset {
            var moved = parameters
            moved[index] += 1e-3
            let above = try evaluate(moved).loss
            moved[index] = parameters[index] - 1e-3
            let quotient = (above - (try evaluate(moved).loss)) / 2e-3
            #expect(abs(quotient - gradient[index]) < 0.01 * largest, "parameter \(index)")
        }
    }

    @Test("is measured by the share of each target's variance explained, on average, not below 0")
    func measure() throws {
        // Of x it makes 2 x + 1, and x.
        let model = try QuantizedModel(
            shape: try StudentShape(widths: [1, 2], relu: [false]),
            normalisation: Normalisation(
                offset: [0], scale: [1], targets: TargetScale(offset: [1, 0], scale: [2, 1])),
            activationScales: [1, 1],
            layers: [
                QuantizedLayer(weights: [127, 127], scales: [1 / 127, 1 / 127], bias: [0, 0])
            ])
        var predictor = Predictor(model)
        #expect(predictor.outputs(raw: [7], rows: 1) == [15, 7])
        func measure(_ first: [Float], _ second: [Float]) throws -> Double {
            var table = Table(features: 1, values: [1, 2, 3, 4], classes: [0, 0, 0, 0])
            table.targets = 2
            table.answers = zip(first, second).flatMap { [$0, $1] }
            return try model.measure(.regression, on: &table)
        }
        #expect(try measure([3, 5, 7, 9], [1, 2, 3, 4]) == 1)
        // A squared error of 16, and deviations from the mean of 16 + 4 + 0 + 36.
        let expected = (1 - 16.0 / 56 + 1) / 2
        #expect(abs(try measure([3, 5, 7, 13], [1, 2, 3, 4]) - expected) < 1e-12)
        #expect(try measure([9, 7, 5, 3], [4, 3, 2, 1]) == 0)
        #expect(throws: Fault.self) { try measure([3, 5, 7, 9], [2, 2, 2, 2]) }
    }

    @Test("refuses data without targets, with others, and a student without units")
    func refusals() throws {
        let shape = try StudentShape(widths: [4, 2], relu: [false])
        let parameters = exampleParameters(shape, seed: 66)
        var training = TrainingPlan(epochs: 1, batchSize: 4, learningRate: 0.1, momentum: 0)
        training.objective = .regression
        func fault(_ normalisation: Normalisation, _ targets: Int) -> Fault? {
            var data = measurements(8, seed: 67)
            data.targets = targets
            var trainer = StudentTrainer(
                shape: shape, normalisation: normalisation, parameters: parameters,
                training: training)
            var random = SeededRandom(seed: 1)
            do throws(Fault) {
                _ = try trainer.train(on: &data, random: &random, progress: always)
                return nil
            } catch { return error }
        }
        #expect(fault(units, 2) == nil)
        #expect(fault(units, 0)?.message.contains("0 targets a row and the model 2") == true)
        #expect(fault(units, 1)?.message.contains("1 targets") == true)
        #expect(fault(pixels, 2)?.message.contains("nobody named") == true)
        let three = TargetScale(offset: [0, 0, 0], scale: [1, 1, 1])
        let wide = Normalisation(offset: [0], scale: [1], targets: three)
        #expect(fault(wide, 2)?.message.contains("2 outputs have 3 offsets") == true)
        for scale: Float in [0, -1, .infinity, .nan] {
            let bad = Normalisation(
                offset: [0], scale: [1], targets: TargetScale(offset: [0, 0], scale: [1, scale]))
            #expect(throws: Fault.self) {
                try QuantizedModel(parameters: parameters, shape: shape, normalisation: bad)
            }
        }
        var labelled = Table.clusters(8, features: 4, classes: 2, seed: 1)
        let model = try QuantizedModel(
            parameters: parameters, shape: shape, normalisation: units)
        #expect(throws: Fault.self) { try model.measure(.regression, on: &labelled) }
    }
}

import Federation
import Glibc
import Learning
import Testing

@Suite("Outputs beyond their range")
struct OutputSaturationTests {
    @Test("a class whose output sticks at the edge for every example is called back")
    func stuckOutput() throws {
        let shape = try StudentShape(widths: [12, 16, 3], relu: [true, false])
        var parameters = exampleParameters(shape, seed: 6)
        // The outputs reach from -1 to 1, and class 0 begins at 2 and more.
        parameters[shape.parameterCount - 1] = logf(1.0 / 127)
        let bias = shape.parameterRanges(layer: 1).bias
        parameters[bias.lowerBound] = 4
        var data = Table.clusters(300, features: 12, classes: 3, seed: 5)
        var random = SeededRandom(seed: 1)
        var trainer = StudentTrainer(
            shape: shape, normalisation: pixels, parameters: parameters,
            training: TrainingPlan(epochs: 20, batchSize: 32, learningRate: 0.05, momentum: 0.9))
        _ = try trainer.train(on: &data, random: &random, progress: always)
        let model = try QuantizedModel(
            parameters: trainer.parameters, shape: shape, normalisation: pixels)
        #expect(try accuracy(of: model, on: &data) > 0.95)
    }
}

import Federation
import Learning
import Testing

@Suite("The worked example of Learning")
struct WorkedExampleTests {
    @Test("does what its catalogue says")
    func example() throws {
        let shape = try StudentShape(widths: [784, 128, 10], relu: [true, false])
        var random = SeededRandom(seed: 7)
        let parameters = (0..<shape.parameterCount).map { _ in
            Float.random(in: -0.1...0.1, using: &random)
        }
        let model = try QuantizedModel(
            parameters: parameters, shape: shape,
            normalisation: Normalisation(offset: [0], scale: [255]))
        var predictor = Predictor(model)
        let outputs = predictor.outputs(raw: [Float](repeating: 128, count: 784), rows: 1)

        #expect(outputs.count == 10 && outputs.allSatisfy(\.isFinite))
    }
}

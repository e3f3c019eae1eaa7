import Federation
import Learning
import ModelFormats
import Testing

@Suite("The worked example of ModelFormats")
struct WorkedExampleTests {
    @Test("does what its catalogue says")
    func example() throws {
        let plan = try #require(PlanID("fashion"))

        let layer = QuantizedLayer(weights: [127, -127], scales: [0.5, 0.5], bias: [0, 0])
        let model = try QuantizedModel(
            shape: StudentShape(widths: [1, 2], relu: [false]),
            normalisation: Normalisation(offset: [0], scale: [1]),
            activationScales: [0.1, 0.1], layers: [layer])
        let identity = ModelIdentity(plan: plan, version: 3, round: 12, parent: nil)
        let file = try OnnxModel.encode(model, identity: identity)
        let read = try OnnxModel.decode(file)

        #expect(read.model == model && read.identity == identity)
    }
}

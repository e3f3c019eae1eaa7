import Cryptography
import Federation
import Learning
import ModelFormats

/// What a device does with a model before it trains from it: digest, parsing and checks, and its weights as numbers again.
enum ModelPath {
    private static let times = 5

    static func run() throws {
        var random = SeededRandom(seed: 1)
        let shape = try StudentShape(
            input: TensorShape(TrainingPath.inputs, 1, 1), layers: TrainingPath.layers)
        let model = try QuantizedModel(
            parameters: initialParameters(shape, random: &random), shape: shape,
            normalisation: TrainingPath.normalisation)
        guard let plan = PlanID("workload") else { throw WrongAnswer(what: "no plan") }
        let bytes = try OnnxModel.encode(
            model, identity: ModelIdentity(plan: plan, version: 0, round: 0, parent: nil))
        var count = 0
        try countedWork {
            for _ in 0..<times {
                _ = SHA256.digest(of: bytes)
                count += try OnnxModel.decode(bytes).model.dequantised().count
            }
        }
        try expect(count == times * shape.parameterCount, "parameters are missing")
    }
}

import Cryptography
import Federation
import Learning
import ModelFormats
import Provenance

/// fp32 master weights on their way to a published version.
struct Candidate: Sendable {
    let plan: Plan
    let version: UInt64
    /// 0 for the first, distilled version.
    let round: UInt64
    /// The version it came from, with its accuracy; nil for the first.
    let parent: (digest: Digest, version: UInt64, accuracy: Double?)?
    let master: [Float]
    let velocity: [Float]
    /// C of the next round, where clipping is adaptive.
    let clippingNorm: Float?
    /// What made `master` of the round's weights, or left them; nil when it was not tried.
    var distillation: DistillationTrial?
    let testDirectory: String
    let key: PrivateKey

    var parentVersion: UInt64? { parent?.version }

    /// Rounds to int8, measures, refuses what must not be published, writes ONNX and signs.
    ///
    /// - Throws: `Fault.invalid` when a weight is not finite, a scale is not positive, or accuracy dropped too far.
    func sealed() throws(Fault) -> SealedModel {
        let model = try QuantizedModel(
            parameters: master, shape: try StudentShape(plan: plan),
            normalisation: Normalisation(plan: plan.data))
        let accuracy = try testAccuracy(of: model, plan: plan, testDirectory: testDirectory)
        if let before = parent?.accuracy, accuracy < before - plan.sealing.maxAccuracyDrop {
            throw Fault(
                .invalid,
                "accuracy on the test data would fall from \(before) to \(accuracy), more than the plan's limit of \(plan.sealing.maxAccuracyDrop)",
                remedy: "look at the round's noise and learning rate, or raise max_accuracy_drop")
        }
        let identity = ModelIdentity(
            plan: plan.id, version: version, round: round, parent: parent?.digest)
        let onnx = try OnnxModel.encode(model, identity: identity)
        let signature = try ModelSignature.sign(
            name: modelDirectoryName(plan: plan.id, version: version),
            files: [ModelFile(name: "model.onnx", digest: SHA256.digest(of: onnx))], key: key)
        return SealedModel(onnx: onnx, signature: signature, accuracy: accuracy)
    }
}

/// What a candidate becomes: the file devices run, its signature, and how well it does on the test data.
struct SealedModel: Sendable {
    let onnx: [UInt8]
    let signature: [UInt8]
    let accuracy: Double
}

/// `fashion-12`: the directory an exported version lives in.
func modelDirectoryName(plan: PlanID, version: UInt64) -> String { "\(plan)-\(version)" }

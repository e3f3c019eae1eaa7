import AgentService
import AgentSession
import Configuration
import Cryptography
import Federation
import Foundation
import Learning
import ModelFormats
import Provenance

/// A directory that is removed with its contents when the test lets go of it.
final class TemporaryDirectory {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "agent-service-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Creates a folder of this name and returns its path.
    func folder(_ name: String) throws -> String {
        let folder = "\(path)/\(name)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        return folder
    }

    func write(_ bytes: [UInt8], to name: String) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
    }

    func contents(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: "\(path)/\(name)")))
    }
}

/// A plan over three features and two classes, with signed models to match.
struct ExampleFleet {
    let modelKey: PrivateKey
    let plan: Plan
    let planText: [UInt8]

    init() throws {
        modelKey = try PrivateKey.generate(.p256)
        planText = Array(
            """
            [plan]
            name = "pumps"
            [data]
            format = "csv"
            file = "rows.csv"
            label_column = "state"
            features = 3
            classes = 2
            [[model.layers]]
            units = 4
            [[model.layers]]
            units = 2
            [training]
            learning_rate = 0.1
            [teacher]
            hidden = [4]
            epochs = 1
            learning_rate = 0.1
            [distillation]
            epochs = 1
            learning_rate = 0.1
            [round]
            agents = 2
            [clipping]
            norm = 1.0
            [server]
            """.utf8)
        plan = try PlanFile.parse(planText, file: "plan")
    }

    /// A model file of the plan's shape; `plan` and `version` are what it says of itself.
    func model(
        version: UInt64, plan name: String = "pumps", widths: [Int] = [3, 4, 2], scale: Float = 1
    ) throws -> [UInt8] {
        let shape = try StudentShape(
            widths: widths, relu: Array(repeating: true, count: widths.count - 2) + [false])
        var random = SeededRandom(seed: version)
        var parameters = (0..<shape.parameterCount).map { _ in
            Float(random.next() >> 40) * 0x1p-24 - 0.5
        }
        for index in shape.logScaleOffset..<shape.parameterCount { parameters[index] = -3 }
        let model = try QuantizedModel(
            parameters: parameters, shape: shape,
            normalisation: Normalisation(offset: [0], scale: [scale]))
        let identity = ModelIdentity(
            plan: try planID(name), version: version, round: version, parent: nil)
        return try OnnxModel.encode(model, identity: identity)
    }

    /// A signature over a directory that holds `model` under the name `file`.
    func signature(
        of model: [UInt8], file: String = "model.onnx", key: PrivateKey? = nil
    ) throws -> [UInt8] {
        try ModelSignature.sign(
            name: "pumps",
            files: [
                ModelFile(name: "MODEL_CARD.md", digest: SHA256.digest(of: [])),
                ModelFile(name: file, digest: SHA256.digest(of: model)),
            ],
            key: key ?? modelKey)
    }

    func reference(
        version: UInt64, plan name: String = "pumps", model: [UInt8], signature: [UInt8]
    ) throws -> ModelReference {
        ModelReference(
            plan: try planID(name), version: version,
            model: BlobReference(
                digest: SHA256.digest(of: model), size: UInt64(model.count)),
            signature: BlobReference(
                digest: SHA256.digest(of: signature), size: UInt64(signature.count)))
    }
}

struct NoSuchName: Error {}

func planID(_ name: String) throws -> PlanID {
    guard let plan = PlanID(name) else { throw NoSuchName() }
    return plan
}

/// The fault that `body` throws; nil when it throws none.
func fault(_ body: () throws(Fault) -> Void) -> Fault? {
    do throws(Fault) {
        try body()
        return nil
    } catch { return error }
}

import Federation
import Foundation
import Learning
import ModelFormats

/// Where the teacher of a plan's first student comes from.
package enum TeacherSource: Sendable, Equatable {
    /// The plan's `[teacher]`, trained on the coordinator's public data.
    case plan
    /// Dense layers with ReLU between them, trained elsewhere: a safetensors file with `layerK.weight` [outputs, inputs]
    /// and `layerK.bias` [outputs] for K = 0, 1, ... It is fed what the plan's normalisation makes of raw features.
    case safetensors(path: String)

    /// The teacher, trained or read; nil for a plan whose students have none, since they reconstruct their input.
    ///
    /// - Throws: `Fault` when the data or the file cannot be read, does not fit the plan, or is no longer wanted
    ///   (`gone`).
    func teacher(
        plan: Plan, on publicData: inout some ExampleSource, random: inout SeededRandom,
        progress: (Double) throws(Fault) -> Bool
    ) throws(Fault) -> Teacher? {
        if plan.training.objective == .reconstruction {
            guard self == .plan else {
                throw Fault(
                    .invalid, "a student that reconstructs its input has no teacher",
                    remedy: "leave the teacher out")
            }
            return nil
        }
        switch self {
        case .plan:
            return try Teacher.trained(
                plan: plan, on: &publicData, random: &random, progress: progress)
        case .safetensors(let path):
            return try importedTeacher(path: path, plan: plan)
        }
    }
}

private func importedTeacher(path: String, plan: Plan) throws(Fault) -> Teacher {
    let bytes: [UInt8]
    do {
        bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
    } catch {
        throw Fault(
            .storage, "cannot read the teacher \(path): \(error.localizedDescription)",
            remedy: "name a safetensors file, or `plan` to train the plan's own teacher")
    }
    do {
        let file = try Safetensors(decoding: bytes)
        return try Teacher(
            layers: try denseLayers(file.tensors), plan: plan.data)
    } catch {
        throw Fault(error.code, "\(path): \(error.message)", remedy: error.remedy)
    }
}

/// The layers from input to output.
private func denseLayers(
    _ tensors: [String: Safetensors.Tensor]
) throws(Fault) -> [ImportedLayer] {
    let remedy = "name the teacher's tensors layer0.weight, layer0.bias, layer1.weight, ..."
    var layers: [ImportedLayer] = []
    while let weight = tensors["layer\(layers.count).weight"] {
        let name = "layer\(layers.count)"
        guard let bias = tensors["\(name).bias"] else {
            throw Fault(.invalid, "\(name).bias is missing", remedy: remedy)
        }
        guard weight.shape.count == 2, bias.shape == [weight.shape[0]] else {
            throw Fault(
                .invalid,
                "\(name).weight has shape \(weight.shape) and \(name).bias \(bias.shape), not [outputs, inputs] and [outputs]",
                remedy: "export dense layers")
        }
        layers.append(
            ImportedLayer(weights: weight.values, bias: bias.values))
    }
    guard tensors.count == 2 * layers.count, !layers.isEmpty else {
        let known = Set(layers.indices.flatMap { ["layer\($0).weight", "layer\($0).bias"] })
        let stranger = tensors.keys.filter { !known.contains($0) }.min() ?? "nothing"
        throw Fault(
            .invalid, "it holds \(stranger), which is no layer of a teacher", remedy: remedy)
    }
    return layers
}

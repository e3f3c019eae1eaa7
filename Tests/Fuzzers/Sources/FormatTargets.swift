import Federation
import Learning
import ModelFormats

/// Models and teachers that somebody hands over as a file.
let formatTargets: [String: FuzzTarget] = [
    "onnx": FuzzTarget(
        { input in
            guard let decoded = try? OnnxModel.decode(input) else { return }
            let (model, identity) = decoded
            demand(
                (try? OnnxModel.encode(model, identity: identity)) == input,
                "a model is another file when it is written again")
            demand(
                model.dequantised().allSatisfy(\.isFinite), "a weight is not a finite number")
            var predictor = Predictor(model)
            let raw = [Float](repeating: 1, count: 2 * model.shape.inputs)
            demand(
                predictor.outputs(raw: raw, rows: 2).count == 2 * model.shape.classes,
                "a model does not answer for every row")
        },
        seeds: {
            let identity = ModelIdentity(
                plan: ExamplePlans.dense.id, version: 3, round: 12,
                parent: Digest(bytes: [UInt8](0..<32)))
            return try [ExamplePlans.dense, ExamplePlans.layered].map { plan in
                try OnnxModel.encode(try ExamplePlans.model(of: plan), identity: identity)
            }
        }),
    "safetensors": FuzzTarget(
        { input in
            guard let file = try? Safetensors(decoding: input) else { return }
            // Written as F32 it is another file at first, and the same one from then on.
            guard let bytes = try? file.encoded() else { return }
            demand(
                (try? Safetensors(decoding: bytes).encoded()) == bytes,
                "tensors are others once they were written")
        },
        seeds: {
            [
                try Safetensors(tensors: [
                    "a": Safetensors.Tensor(shape: [2, 3], values: [0, 1, -2, .nan, 4, 5]),
                    "b": Safetensors.Tensor(shape: [], values: [7]),
                    "c": Safetensors.Tensor(shape: [0], values: []),
                ]).encoded(),
                file(
                    of: #"{"__metadata__":{"made":"by \u00e4"},"h":{"dtype":"F16","#
                        + #""shape":[2],"data_offsets":[0,4]}}"#, [0, 60, 1, 0]),
                file(
                    of: #"{"b":{"dtype":"BF16","shape":[1,1],"data_offsets":[2,4]},"#
                        + #" "i":{"dtype":"I8","shape":[2],"data_offsets":[0,2]}}"#,
                    [1, 255, 0, 64]),
            ]
        }),
    "teacher": FuzzTarget(
        { input in
            for plan in [ExamplePlans.dense, ExamplePlans.layered] {
                guard let teacher = try? TeacherFile.decode(input, plan: plan) else { continue }
                demand(
                    teacher.parameters.allSatisfy(\.isFinite), "a weight is not a finite number")
                guard let bytes = try? TeacherFile.encode(teacher),
                    let again = try? TeacherFile.decode(bytes, plan: plan)
                else { fatalError("a teacher cannot be written and read") }
                demand(again.parameters == teacher.parameters, "a teacher changes in its file")
            }
        },
        seeds: {
            try [ExamplePlans.dense, ExamplePlans.layered].map { plan in
                let shape = try StudentShape(teacher: plan.teacher.layers, data: plan.data)
                let parameters = [Float](repeating: 0.25, count: shape.parameterCount)
                return try TeacherFile.encode(
                    Teacher(shape: shape, parameters: parameters, data: plan.data))
            }
        }),
]

/// A safetensors file of this header and data.
private func file(of header: String, _ data: [UInt8]) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: header.utf8.count >> (8 * $0)) } + header.utf8 + data
}

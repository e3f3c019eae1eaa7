import Configuration
import Cryptography
import DataSets
package import Federation
import Learning
import ModelFormats

/// Predictions from a model file, as lines of text.
package struct Prediction: ~Copyable {
    private static let batchRows = 64
    /// A model file that a device could hold in memory.
    private static let largestModelBytes: UInt64 = 1 << 30

    private var predictor: Predictor
    private let outputs: Int
    /// Whether the outputs are numbers in their own units and not scores of classes.
    private let predictsTargets: Bool
    private let input: FeatureFile

    /// A model of an agent's state is verified first.
    ///
    /// - Parameters:
    ///   - directory: holds `model.onnx`.
    ///   - file: IDX or CSV rows of raw features.
    ///   - planFile: the model's plan, whose form the input then has; without one, a row holds the model's features.
    /// - Throws: `Fault` naming the file that is missing, malformed or not vouched for, and the row.
    package init(
        modelDirectory directory: String, input file: String, plan planFile: String? = nil
    ) throws(Fault) {
        let path = "\(directory)/model.onnx"
        guard let size = fileSize(path) else {
            throw Fault(
                .notFound, "\(path) does not exist",
                remedy: "give --model the directory that holds model.onnx")
        }
        guard size <= Prediction.largestModelBytes else {
            throw Fault(.invalid, "\(path) has \(size) bytes, more than any model here")
        }
        try HeldModel.verify(directory)
        let model: QuantizedModel
        do throws(Fault) {
            model = try OnnxModel.decode(try readBytes(path, count: Int(size))).model
        } catch {
            throw Fault(error.code, "\(path): \(error.message)", remedy: error.remedy)
        }
        input = try Prediction.input(file, planFile: planFile, features: model.shape.inputs)
        predictor = Predictor(model)
        outputs = model.shape.classes
        predictsTargets = model.normalisation.targets != nil
    }

    private static func input(
        _ file: String, planFile: String?, features: Int
    ) throws(Fault) -> FeatureFile {
        guard let planFile else { return try FeatureFile.open(file: file, features: features) }
        let plan = try PlanFile.parse(try CredentialFile.read(planFile), file: planFile)
        guard plan.data.features == features else {
            throw Fault(
                .invalid,
                "\(planFile) is of \(plan.data.features) features, and the model of \(features)",
                remedy: "name the plan that the model is of")
        }
        return try FeatureFile.open(file: file, plan: plan.data)
    }

    /// Calls `line` with the text for each row, in order: the class or, with `json`, an object with `label` and `outputs`.
    /// Of a model that predicts targets: their values, separated by commas, or an object with `outputs`.
    ///
    /// - Throws: `Fault` when the file cannot be read any more.
    package mutating func lines(json: Bool, _ line: (String) -> Void) throws(Fault) {
        for start in stride(from: 0, to: input.count, by: Prediction.batchRows) {
            let rows = start..<min(start + Prediction.batchRows, input.count)
            let values = predictor.outputs(
                raw: try input.read(rows: rows), rows: rows.count)
            for row in 0..<rows.count {
                let answer = values[row * outputs..<(row + 1) * outputs]
                line(predictsTargets ? numbers(answer, json: json) : label(answer, json: json))
            }
        }
    }

    private func label(_ scores: ArraySlice<Float>, json: Bool) -> String {
        let label = largestIndex(scores)
        return json ? Prediction.json(label: label, outputs: scores) : String(label)
    }

    private func numbers(_ targets: ArraySlice<Float>, json: Bool) -> String {
        json
            ? Prediction.json(label: nil, outputs: targets)
            : targets.map(\.description).joined(separator: ",")
    }

    /// A float32's shortest decimal that reads back to the same bits; JSON allows every form Swift writes for a finite one.
    package static func json(label: Int?, outputs: ArraySlice<Float>) -> String {
        let values = ("outputs", "[" + outputs.map(\.description).joined(separator: ",") + "]")
        return object((label.map { [("label", String($0))] } ?? []) + [values])
    }
}

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
    /// What the outputs are, and so what is said of a row.
    private let objective: TrainingPlan.Objective
    private let input: FeatureFile

    /// A model of an agent's state is verified first.
    ///
    /// - Parameters:
    ///   - directory: holds `model.onnx`.
    ///   - file: IDX or CSV rows of raw features.
    ///   - planFile: the model's plan, whose form the input then has; without one, a row holds the model's features.
    /// - Throws: `Fault` naming the file that is missing, malformed or not vouched for, and the row; `Fault.invalid` when
    ///   the plan is needed to tell what the outputs are.
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
        let identity: ModelIdentity
        do throws(Fault) {
            (model, identity) = try OnnxModel.decode(try readBytes(path, count: Int(size)))
        } catch {
            throw Fault(error.code, "\(path): \(error.message)", remedy: error.remedy)
        }
        let plan = try Prediction.plan(planFile, of: identity, features: model.shape.inputs)
        let objective = try Prediction.objective(of: model, identity, plan: plan, path)
        if let plan {
            input = try FeatureFile.open(file: file, plan: plan.data)
        } else {
            input = try FeatureFile.open(file: file, features: model.shape.inputs)
        }
        self.objective = objective
        predictor = Predictor(model)
        outputs = model.shape.classes
    }

    private static func plan(
        _ file: String?, of identity: ModelIdentity, features: Int
    ) throws(Fault) -> Plan? {
        guard let file else { return nil }
        let plan = try PlanFile.parse(try CredentialFile.read(file), file: file)
        func refused(_ why: String) -> Fault {
            Fault(.invalid, "\(file) is \(why)", remedy: "name the plan that the model is of")
        }
        guard plan.id == identity.plan else {
            throw refused("the plan '\(plan.id)', and the model of '\(identity.plan)'")
        }
        guard plan.data.features == features else {
            throw refused("of \(plan.data.features) features, and the model of \(features)")
        }
        return plan
    }

    private static func objective(
        of model: QuantizedModel, _ identity: ModelIdentity, plan: Plan?, _ path: String
    ) throws(Fault) -> TrainingPlan.Objective {
        if model.normalisation.targets != nil { return .regression }
        if let objective = identity.objective { return objective }
        if let plan { return plan.training.objective }
        guard model.shape.classes != model.shape.inputs else {
            throw Fault(
                .invalid,
                "\(path) has as many outputs as inputs and does not say whether they are classes or"
                    + " a reconstruction of the input",
                remedy: "name the model's plan with --plan")
        }
        return .classification
    }

    /// Calls `line` with the text for each row, in order: the class or, with `json`, an object with `label` and `outputs`.
    /// Of a model that predicts targets: their values, separated by commas, or an object with `outputs`. Of one that
    /// reconstructs its input: how unusual the row is, or an object with `anomaly_score` and `outputs`.
    ///
    /// - Throws: `Fault` when the file cannot be read any more.
    package mutating func lines(json: Bool, _ line: (String) -> Void) throws(Fault) {
        for start in stride(from: 0, to: input.count, by: Prediction.batchRows) {
            let rows = start..<min(start + Prediction.batchRows, input.count)
            let raw = try input.read(rows: rows)
            let values = predictor.outputs(raw: raw, rows: rows.count)
            let scores =
                objective == .reconstruction
                ? try predictor.anomalyScores(raw: raw, rows: rows.count) : []
            for row in 0..<rows.count {
                let answer = values[row * outputs..<(row + 1) * outputs]
                switch objective {
                case .classification: line(label(answer, json: json))
                case .regression: line(numbers(answer, json: json))
                case .reconstruction: line(anomaly(scores[row], answer, json: json))
                }
            }
        }
    }

    private func label(_ scores: ArraySlice<Float>, json: Bool) -> String {
        let label = String(largestIndex(scores))
        return json ? Prediction.json(("label", label), outputs: scores) : label
    }

    private func numbers(_ targets: ArraySlice<Float>, json: Bool) -> String {
        json
            ? Prediction.json(nil, outputs: targets)
            : targets.map(\.description).joined(separator: ",")
    }

    /// A row so far from everything known that float32 cannot hold its error is as unusual as any number says.
    private func anomaly(_ score: Float, _ outputs: ArraySlice<Float>, json: Bool) -> String {
        let score = min(score, .greatestFiniteMagnitude).description
        return json ? Prediction.json(("anomaly_score", score), outputs: outputs) : score
    }

    /// A float32's shortest decimal that reads back to the same bits; JSON allows every form Swift writes for a finite one.
    ///
    /// - Parameter answer: the member before `outputs`; nil when they are all there is to say.
    package static func json(
        _ answer: (name: String, value: String)?, outputs: ArraySlice<Float>
    ) -> String {
        let values = ("outputs", "[" + outputs.map(\.description).joined(separator: ",") + "]")
        return object((answer.map { [($0.name, $0.value)] } ?? []) + [values])
    }
}

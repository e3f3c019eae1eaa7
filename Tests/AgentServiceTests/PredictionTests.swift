import AgentService
import Federation
import Foundation
import Learning
import ModelFormats
import Testing

@Suite("Prediction")
struct PredictionTests {
    let directory: TemporaryDirectory
    let fleet: ExampleFleet

    init() throws {
        directory = try TemporaryDirectory()
        fleet = try ExampleFleet()
        try directory.write(fleet.model(version: 1), to: "model.onnx")
    }

    private func lines(_ input: String, plan: String? = nil, json: Bool) throws -> [String] {
        var lines: [String] = []
        var prediction = try Prediction(
            modelDirectory: directory.path, input: "\(directory.path)/\(input)",
            plan: plan.map { "\(directory.path)/\($0)" })
        try prediction.lines(json: json) { lines.append($0) }
        return lines
    }

    private func refusal(_ input: String, model: String? = nil, plan: String? = nil) -> Fault? {
        fault { () throws(Fault) in
            _ = try Prediction(
                modelDirectory: model ?? directory.path, input: "\(directory.path)/\(input)",
                plan: plan.map { "\(directory.path)/\($0)" })
        }
    }

    @Test("each row gets its label, and its outputs to the bit")
    func rows() throws {
        let rows = 150
        let raw = (0..<rows * 3).map { Float($0 % 17) / 4 - 2 }
        let text = (0..<rows).map { row in
            raw[row * 3..<row * 3 + 3].map(\.description).joined(separator: ",")
        }
        try directory.write(Array(text.joined(separator: "\n").utf8), to: "rows.csv")

        var predictor = Predictor(try OnnxModel.decode(fleet.model(version: 1)).model)
        let expected = predictor.outputs(raw: raw, rows: rows)
        let labels = try lines("rows.csv", json: false)
        let objects = try lines("rows.csv", json: true)
        #expect(labels.count == rows && objects.count == rows)
        for row in 0..<rows {
            let object = try #require(
                try JSONSerialization.jsonObject(with: Data(objects[row].utf8)) as? [String: Any])
            let outputs = try #require(object["outputs"] as? [Double]).map { Float($0) }
            #expect(outputs.map(\.bitPattern) == expected[row * 2..<row * 2 + 2].map(\.bitPattern))
            let label = expected[row * 2] >= expected[row * 2 + 1] ? 0 : 1
            #expect(labels[row] == String(label))
            #expect(object["label"] as? Int == label)
        }
    }

    @Test("a model that predicts targets gives their values in their own units")
    func targets() throws {
        let model = try QuantizedModel(
            shape: try StudentShape(widths: [3, 2], relu: [false]),
            normalisation: Normalisation(
                offset: [0], scale: [1],
                targets: TargetScale(offset: [100, -0.5], scale: [10, 0.25])
            ), activationScales: [1, 1],
            layers: [
                QuantizedLayer(
                    weights: [1, 0, 0, 0, 1, 0], scales: [1, 1], bias: [0, 0])
            ])
        let plan = try #require(PlanID("engines"))
        try directory.write(
            OnnxModel.encode(
                model, identity: ModelIdentity(plan: plan, version: 0, round: 0, parent: nil)),
            to: "model.onnx")
        try directory.write(Array("1,2,3\n-4,8,0\n".utf8), to: "rows.csv")
        #expect(try lines("rows.csv", json: false) == ["110.0,0.0", "60.0,1.5"])
        #expect(
            try lines("rows.csv", json: true)
                == ["{\"outputs\":[110.0,0.0]}", "{\"outputs\":[60.0,1.5]}"])
    }

    /// Three features and their reconstruction, which is exact for small whole numbers but for the last, always 0.
    private func writeSquareModel(objective: TrainingPlan.Objective?) throws {
        let model = try QuantizedModel(
            shape: try StudentShape(widths: [3, 3], relu: [false]),
            normalisation: Normalisation(offset: [10], scale: [2]), activationScales: [1, 1],
            layers: [
                QuantizedLayer(
                    weights: [1, 0, 0, 0, 1, 0, 0, 0, 0], scales: [1, 1, 1], bias: [0, 0, 0])
            ])
        let plan = try #require(PlanID("radiators"))
        let identity = ModelIdentity(
            plan: plan, version: 0, round: 0, parent: nil, objective: objective)
        try directory.write(OnnxModel.encode(model, identity: identity), to: "model.onnx")
        // 12 is 1 when normalised, and 16 is 3, of which 9 is the square.
        try directory.write(Array("12,8,10\n12,8,16\n1e38,8,10\n".utf8), to: "rows.csv")
    }

    /// A plan of three features as outputs.
    private func writePlan(_ name: String, objective: String, to file: String) throws {
        var text = String(decoding: fleet.planText, as: UTF8.self)
            .replacingOccurrences(of: "\"pumps\"", with: "\"\(name)\"")
            .replacingOccurrences(of: "classes = 2", with: "classes = 3")
            .replacingOccurrences(of: "units = 2", with: "units = 3")
            .replacingOccurrences(
                of: "[training]", with: "[training]\nobjective = \"\(objective)\"")
        if objective == "reconstruction", let teacher = text.range(of: "[teacher]"),
            let distillation = text.range(of: "[distillation]")
        {
            text.removeSubrange(teacher.lowerBound..<distillation.lowerBound)
        }
        try directory.write(Array(text.utf8), to: file)
    }

    @Test("a model that reconstructs its input rates how unusual each row is")
    func anomalies() throws {
        try writeSquareModel(objective: .reconstruction)
        let text = try lines("rows.csv", json: false)
        #expect(text.prefix(2) == ["0.0", "3.0"])
        let objects = try lines("rows.csv", json: true)
        #expect(objects[1] == "{\"anomaly_score\":3.0,\"outputs\":[1.0,-1.0,0.0]}")
        // Beyond float32 it stays a number, in JSON as well, and the largest of all.
        let far = try #require(
            try JSONSerialization.jsonObject(with: Data(objects[2].utf8)) as? [String: Any])
        let score = try #require(far["anomaly_score"] as? NSNumber)
        #expect(Float(score.doubleValue) == .greatestFiniteMagnitude)
        #expect(Float(text[2]) == .greatestFiniteMagnitude)
    }

    @Test("a file that does not say what as many outputs as inputs are needs the model's plan")
    func ambiguity() throws {
        try writeSquareModel(objective: nil)
        let fault = refusal("rows.csv")
        #expect(fault?.code == .invalid)
        #expect(fault?.message.contains("as many outputs as inputs") == true)
        #expect(fault?.remedy.contains("--plan") == true)

        try directory.write(Array("a,b,c\n12,8,10\n12,8,16\n".utf8), to: "rows.csv")
        try writePlan("radiators", objective: "reconstruction", to: "radiators.toml")
        #expect(try lines("rows.csv", plan: "radiators.toml", json: false) == ["0.0", "3.0"])
        try writePlan("radiators", objective: "classification", to: "radiators.toml")
        #expect(try lines("rows.csv", plan: "radiators.toml", json: false) == ["0", "0"])
        // The file's own word counts for more than a plan's, which may have been replaced.
        try writeSquareModel(objective: .classification)
        #expect(try lines("rows.csv", json: false) == ["0", "0", "0"])
    }

    @Test("another model's plan is refused")
    func otherPlan() throws {
        try writeSquareModel(objective: nil)
        try writePlan("pipes", objective: "reconstruction", to: "pipes.toml")
        let fault = refusal("rows.csv", plan: "pipes.toml")
        #expect(fault?.message.contains("'pipes', and the model of 'radiators'") == true)
    }

    @Test("small and large outputs are valid JSON and read back to the same bits")
    func exponents() throws {
        let values: [Float] = [
            1e-30, -1e30, 0, .leastNonzeroMagnitude, .greatestFiniteMagnitude, 16_777_216,
            0.1, -2,
        ]
        let line = Prediction.json(("label", "3"), outputs: values[...])
        let object = try #require(
            try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        let outputs = try #require(object["outputs"] as? [NSNumber])
        #expect(outputs.map { Float($0.doubleValue).bitPattern } == values.map(\.bitPattern))
    }

    @Test("a file with a header and no rows has no predictions")
    func noRows() throws {
        try directory.write(Array("a,b,c\n".utf8), to: "rows.csv")
        #expect(try lines("rows.csv", json: false).isEmpty)
    }

    @Test("what is missing is named")
    func missing() throws {
        #expect(refusal("none.csv")?.code == .notFound)
        let fault = refusal("none.csv", model: "\(directory.path)/nowhere")
        #expect(fault?.code == .notFound)
        #expect(fault?.message.contains("nowhere/model.onnx") == true)
    }

    @Test("a row that does not parse is named, with its line")
    func malformedRow() throws {
        try directory.write(Array("1,2,3\n4,x,6\n".utf8), to: "rows.csv")
        let fault = refusal("rows.csv")
        #expect(fault?.code == .invalid)
        #expect(fault?.message.contains("rows.csv") == true)
        #expect(fault?.message.contains("2") == true)
    }

    @Test("rows of another width are refused")
    func otherWidth() throws {
        try directory.write(Array("1,2\n".utf8), to: "rows.csv")
        #expect(refusal("rows.csv")?.code == .invalid)
    }

    @Test("a damaged model is refused, and named")
    func damagedModel() throws {
        var model = try fleet.model(version: 1)
        model.removeLast(20)
        try directory.write(model, to: "model.onnx")
        try directory.write(Array("1,2,3\n".utf8), to: "rows.csv")
        let fault = refusal("rows.csv")
        #expect(fault?.code == .invalid)
        #expect(fault?.message.contains("model.onnx") == true)
    }
}

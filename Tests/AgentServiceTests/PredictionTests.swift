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

    private func lines(_ input: String, json: Bool) throws -> [String] {
        var lines: [String] = []
        var prediction = try Prediction(
            modelDirectory: directory.path, input: "\(directory.path)/\(input)")
        try prediction.lines(json: json) { lines.append($0) }
        return lines
    }

    private func refusal(_ input: String, model: String? = nil) -> Fault? {
        fault { () throws(Fault) in
            _ = try Prediction(
                modelDirectory: model ?? directory.path, input: "\(directory.path)/\(input)")
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

    @Test("small and large outputs are valid JSON and read back to the same bits")
    func exponents() throws {
        let values: [Float] = [
            1e-30, -1e30, 0, .leastNonzeroMagnitude, .greatestFiniteMagnitude, 16_777_216,
            0.1, -2,
        ]
        let line = Prediction.json(label: 3, outputs: values[...])
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

import Federation
import Foundation
import Learning
import ModelFormats
import Testing

@Suite("Predictions of ONNX files")
struct OnnxAgreementTests {
    @Test("are onnxruntime's to the bit, whatever the graph")
    func randomGraphs() throws {
        let directory = FileManager.default.temporaryDirectory
            .appending(path: "tributary-graphs-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let graphs = 1000
        let kinds = try writeGraphs(graphs, to: directory)
        // Nothing is left out by chance.
        #expect(kinds.count == 8 && kinds.values.allSatisfy { $0 >= 100 }, "\(kinds)")

        let (status, output) = try run(script: "graph_agreement.py", directory.path)
        #expect(status == 0, "\(output)")
        #expect(output.contains("\(graphs) graphs, 0 of them different"))
    }

    /// Writes models, rows and outputs as the script reads them.
    ///
    /// - Returns: how many layers of each kind there are, and how many models that predict targets.
    private func writeGraphs(_ count: Int, to directory: URL) throws -> [String: Int] {
        var graphs = RandomGraphs(seed: 20)
        var kinds: [String: Int] = [:]
        let rows = 3
        for index in 0..<count {
            let model = try graphs.next()
            let features = graphs.features(rows: rows, of: model)
            var predictor = Predictor(model)
            let outputs = predictor.outputs(raw: features, rows: rows)
            for layer in model.shape.layers { kinds[operation(of: layer.kind), default: 0] += 1 }
            if model.normalisation.targets != nil { kinds["targets", default: 0] += 1 }

            let file = directory.appending(path: "\(index)")
            let onnx = try OnnxModel.encode(model, identity: someIdentity())
            let isReadBack = try OnnxModel.decode(onnx).model == model
            #expect(isReadBack)
            try Data(onnx).write(to: file.appendingPathExtension("onnx"))
            try bytes(features).write(to: file.appendingPathExtension("rows"))
            try bytes(outputs).write(to: file.appendingPathExtension("outputs"))
        }
        return kinds
    }

    private func operation(of kind: LayerKind) -> String {
        switch kind {
        case .dense: "dense"
        case .conv(let conv): conv.isDepthwise ? "depthwise" : "conv"
        case .maxPool: "max_pool"
        case .averagePool: "average_pool"
        case .flatten: "flatten"
        case .add: "add"
        case .dropout: "dropout"
        }
    }

    private func bytes(_ values: [Float]) -> Data { values.withUnsafeBytes { Data($0) } }

    /// Runs a script of the interop tests with the venv's interpreter: its exit status and all that
    /// it says.
    private func run(script: String, _ argument: String) throws -> (Int32, String) {
        let tests = URL(filePath: #filePath).resolvingSymlinksInPath()
            .deletingLastPathComponent().deletingLastPathComponent()
        let python = tests.deletingLastPathComponent().appending(path: ".venv/bin/python")
        try #require(
            FileManager.default.isExecutableFile(atPath: python.path),
            "\(python.path) is missing: run `make deps`")
        let process = Process()
        process.executableURL = python
        process.arguments = [tests.appending(path: "InteropTests/python/\(script)").path, argument]
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let output = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: output, as: UTF8.self))
    }
}

import Foundation
import Testing

extension InteropTests {
    /// An autoencoder made by `distill` alone, as far as a person who asks it about a row.
    @Suite("tributary-agent predict on a model that reconstructs its input")
    struct AnomalyTests {
        /// Four features that follow one number between them: two units are enough to hold them.
        private static let plan = """
            [plan]
            name = "radiators"
            [data]
            format = "csv"
            file = "rows.csv"
            features = 4
            offset = 20
            scale = 5
            [[model.layers]]
            units = 16
            [[model.layers]]
            units = 2
            [[model.layers]]
            units = 16
            [[model.layers]]
            units = 4
            [training]
            objective = "reconstruction"
            learning_rate = 0.05
            [distillation]
            epochs = 30
            learning_rate = 0.05
            [round]
            agents = 2
            [clipping]
            norm = 1.0
            [server]
            """

        /// Rows as they usually are, the temperature of one radiator at four places.
        private static func rows(_ count: Int, first: Int) -> [[Double]] {
            (first..<first + count).map { index in
                let heat = Double(index * 37 % 101) / 10
                return [15 + heat, 16 + heat, 27 - heat, 17 + 0.5 * heat]
            }
        }

        private static func table(_ rows: [[Double]]) -> Data {
            let lines = rows.map { $0.map(\.description).joined(separator: ",") }
            return Data((["a,b,c,d"] + lines).joined(separator: "\n").utf8 + [UInt8(ascii: "\n")])
        }

        private struct Answer: Decodable {
            let anomalyScore: Double
            let outputs: [Double]
        }

        private func predict(_ directory: URL, _ words: String...) async throws -> [String] {
            try await run(
                Program.agent.located(),
                [
                    "predict", "--model", directory.path, "--input",
                    directory.appending(path: "input.csv").path,
                ] + words
            ).succeeded().output.split(separator: "\n").map(String.init)
        }

        @Test("rates each row by its reconstruction's error, which onnxruntime's outputs have too")
        func scores() async throws {
            try await withTemporaryDirectory { directory in
                let plan = directory.appending(path: "plan.toml")
                try Data(Self.plan.utf8).write(to: plan)
                for part in ["public", "test"] {
                    let data = directory.appending(path: part)
                    try FileManager.default.createDirectory(
                        at: data, withIntermediateDirectories: true)
                    try Self.table(Self.rows(300, first: part == "test" ? 300 : 0))
                        .write(to: data.appending(path: "rows.csv"))
                }
                let model = directory.appending(path: "model.onnx").path
                _ = try await run(
                    .coordinator, "distill", plan.path, "--data", directory.path, "--output", model
                ).succeeded()

                // The first place is cold while the others are hot.
                var rows = Self.rows(20, first: 700)
                rows[7][0] = 8
                try Self.table(rows).write(to: directory.appending(path: "input.csv"))
                let printed = try await predict(directory, "--json")
                let answers: [Answer] = try printed.map { try decoded($0) }
                try #require(answers.count == rows.count)
                for (row, answer) in zip(rows, answers) {
                    let squares = zip(row, answer.outputs).map { raw, output in
                        (output - (raw - 20) / 5) * (output - (raw - 20) / 5)
                    }
                    let expected = squares.reduce(0, +) / 4
                    #expect(abs(answer.anomalyScore - expected) <= 1e-5 * max(expected, 0.01))
                }
                let others = answers.indices.filter { $0 != 7 }.map { answers[$0].anomalyScore }
                #expect(answers[7].anomalyScore > 3 * (others.max() ?? .infinity))

                let text = try await predict(directory)
                #expect(text.map { Double($0) } == answers.map(\.anomalyScore))
                #expect(try await predict(directory, "--plan", plan.path) == text)

                let lines = directory.appending(path: "lines.jsonl")
                try Data(printed.joined(separator: "\n").utf8).write(to: lines)
                let agreement = try await run(
                    script: "onnx_agreement.py", model,
                    directory.appending(path: "input.csv").path, lines.path)
                #expect(agreement.status == 0, "\(agreement)")
            }
        }
    }
}

import Foundation
import Testing

extension InteropTests {
    @Suite("tributary-coordinator distill")
    struct DistillTests {
        /// Calls `body` with a directory that holds plan.toml, public/ and test/.
        private func withData(_ body: (URL) async throws -> Void) async throws {
            try await withTemporaryDirectory { directory in
                let plan = ExamplePlan.beads
                try Data(plan.toml.utf8).write(to: directory.appending(path: "plan.toml"))
                try plan.writeRows(300, seed: 1, to: directory.appending(path: "public"))
                try plan.writeRows(200, seed: 2, to: directory.appending(path: "test"))
                try await body(directory)
            }
        }

        private func distil(_ directory: URL, _ arguments: String...) async throws -> Finished {
            try await run(
                Program.coordinator.located(),
                [
                    "distill", directory.appending(path: "plan.toml").path, "--data",
                    directory.path,
                ] + arguments)
        }

        private struct Summary: Decodable, Equatable {
            let accuracyTeacher: Double
            let accuracyStudentFp32: Double
            let accuracyStudentInt8: Double
        }

        private func summary(_ finished: Finished) throws -> Summary {
            let decoder = JSONDecoder()
            decoder.keyDecodingStrategy = .convertFromSnakeCase
            return try decoder.decode(Summary.self, from: Data(finished.output.utf8))
        }

        /// A safetensors file of float32 tensors.
        private func safetensors(_ tensors: [(name: String, shape: [Int], values: [Float])]) -> Data
        {
            var data = Data()
            var entries: [String] = []
            for tensor in tensors {
                let start = data.count
                for value in tensor.values {
                    withUnsafeBytes(of: value.bitPattern.littleEndian) {
                        data.append(contentsOf: $0)
                    }
                }
                entries.append(
                    "\"\(tensor.name)\":{\"dtype\":\"F32\",\"shape\":\(tensor.shape),"
                        + "\"data_offsets\":[\(start),\(data.count)]}")
            }
            let header = Data("{\(entries.joined(separator: ","))}".utf8)
            var file = withUnsafeBytes(of: UInt64(header.count).littleEndian) { Data($0) }
            file.append(header)
            file.append(data)
            return file
        }

        /// The best linear teacher of beads: each class adds up its own columns.
        private var linear: [(name: String, shape: [Int], values: [Float])] {
            [
                ("layer0.weight", [3, 4], [1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 1, 0]),
                ("layer0.bias", [3], [-2, -1, -1]),
            ]
        }

        @Test("says of which form a teacher from elsewhere is, convolutions too")
        func help() async throws {
            let words = try await run(.coordinator, "distill", "--help").succeeded().output
                .split(whereSeparator: \.isWhitespace).joined(separator: " ")
            for expected in [
                "[outputs, inputs / groups, height, width]", "layer0.weight [outputs, inputs]",
                "F32, F16, BF16 or I8",
            ] { #expect(words.contains(expected), "\(words)") }
        }

        @Test("trains a teacher, measures three networks and writes the model once")
        func ownTeacher() async throws {
            try await withData { directory in
                let model = directory.appending(path: "model.onnx").path
                let first = try await distil(directory, "--output", model, "--json").succeeded()
                let measured = try summary(first)
                #expect(measured.accuracyTeacher > 0.7)
                #expect(measured.accuracyStudentFp32 > 0.7)
                #expect(measured.accuracyStudentInt8 > 0.7)
                #expect(FileManager.default.fileExists(atPath: model))
                #expect(try summary(try await distil(directory, "--json")) == measured)

                let again = try await distil(directory, "--output", model)
                #expect(again.status == 1)
                #expect(again.errors.contains("exists already"), "\(again)")
            }
        }

        @Test("takes a teacher from a safetensors file")
        func importedTeacher() async throws {
            try await withData { directory in
                let teacher = directory.appending(path: "teacher.safetensors")
                try safetensors(linear).write(to: teacher)
                let finished = try await distil(directory, "--teacher", teacher.path).succeeded()
                #expect(finished.output.contains("teacher "), "\(finished)")
                let measured = try summary(
                    try await distil(directory, "--teacher", teacher.path, "--json").succeeded())
                #expect(measured.accuracyTeacher > 0.75)
                #expect(measured.accuracyStudentInt8 > 0.7)
            }
        }

        @Test("refuses a teacher that does not fit, naming the file and the tensor")
        func strangeTeachers() async throws {
            try await withData { directory in
                let path = directory.appending(path: "teacher.safetensors")
                let weight = linear[0]
                let cases: [(Data, String)] = [
                    (Data("no".utf8), "no safetensors file"),
                    (safetensors([weight]), "layer0.bias is missing"),
                    (
                        safetensors([weight, ("layer0.bias", [1, 3], [0, 0, 0])]),
                        "layer0.bias has the shape [1, 3], and the teacher needs [3]"
                    ),
                    (safetensors(linear + [("head", [1], [0])]), "it holds head"),
                    (
                        safetensors([
                            ("layer0.weight", [3, 2], [0, 0, 0, 0, 0, 0]),
                            ("layer0.bias", [3], [0, 0, 0]),
                        ]),
                        "layer0.weight has the shape [3, 2], and the teacher needs [3, 4]"
                    ),
                    (
                        safetensors([
                            ("layer0.weight", [1, 4], [0, 0, 0, 0]), ("layer0.bias", [1], [0]),
                        ]),
                        "1 outputs"
                    ),
                ]
                for (content, words) in cases {
                    try content.write(to: path)
                    let finished = try await distil(directory, "--teacher", path.path)
                    #expect(finished.status == 1, "\(finished)")
                    #expect(finished.errors.contains(path.path), "\(finished)")
                    #expect(finished.errors.contains(words), "\(finished)")
                }
                let none = try await distil(directory, "--teacher", "/nowhere/teacher")
                #expect(none.status == 1)
                #expect(none.errors.contains("/nowhere/teacher"), "\(none)")
            }
        }

        @Test("names the directory that is missing")
        func missingData() async throws {
            try await withData { directory in
                try FileManager.default.removeItem(at: directory.appending(path: "test"))
                let finished = try await distil(directory)
                #expect(finished.status == 1)
                #expect(finished.errors.contains("\(directory.path)/test"), "\(finished)")
            }
        }
    }
}

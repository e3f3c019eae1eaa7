import Foundation
import Testing

extension InteropTests.WithFleet {
    @Suite("Predictions of an exported model")
    struct PredictionTests {
        @Test(
            "are onnxruntime's to the bit, and as accurate as the coordinator says",
            arguments: [ExamplePlan.beads, .stripes])
        func onnxruntime(plan: ExamplePlan) async throws {
            let fleet = try ExampleFleet.current
            if plan.format == .idx { try await publishRound(of: plan, in: fleet) }
            let export = try await fleet.export(plan)
            let test = fleet.testData(of: plan)
            let input = test.appending(path: plan.featuresFile).path
            let predicted = try await predict(export.modelDir, input)
            let lines = fleet.directory.appending(path: "\(plan.name).jsonl")
            try Data(predicted.utf8).write(to: lines)

            let agreement = try await run(
                script: "onnx_agreement.py", "\(export.modelDir)/model.onnx", input, lines.path)
            #expect(agreement.status == 0, "\(agreement)")
            #expect(agreement.output.contains("200 rows of 3 outputs: identical to the bit"))

            let answers: [PredictionAnswer] = try predicted.split(separator: "\n").map {
                try decoded(String($0))
            }
            let labels = try plan.labels(in: test)
            try #require(answers.count == labels.count)
            let correct = zip(answers, labels).count { $0.label == $1 }
            let shown: PlanAnswer = try await fleet.administer(["plan", "show", plan.name])
            #expect(shown.accuracyLast == Double(correct) / Double(labels.count))
            #expect(export.accuracy == shown.accuracyLast)
            // Data without overlap would make this test easy to pass.
            #expect((0.5..<1).contains(export.accuracy))
        }

        @Test("are the same with every instruction set and OpenBLAS kernel")
        func instructionSets() async throws {
            let fleet = try ExampleFleet.current
            let plan = ExamplePlan.stripes
            let model = try await fleet.export(plan).modelDir
            let input = fleet.testData(of: plan).appending(path: plan.featuresFile).path
            let usual = try await predict(model, input)
            let settings = [
                ["TRIBUTARY_ISA": "scalar"], ["TRIBUTARY_ISA": "avx2"], ["TRIBUTARY_ISA": "neon"],
                ["OPENBLAS_CORETYPE": "Prescott"],
                ["TRIBUTARY_ISA": "scalar", "OPENBLAS_CORETYPE": "Haswell"],
            ]
            for setting in settings {
                #expect(try await predict(model, input, environment: setting) == usual)
            }
            // The setting is heeded.
            let doctor = try await run(
                .agent, "doctor", "--config", fleet.agent("one").configuration,
                environment: ["TRIBUTARY_ISA": "scalar"])
            #expect(doctor.output.contains("int8 kernels: scalar,"))
        }

        private func predict(
            _ model: String, _ input: String, environment: [String: String] = [:]
        ) async throws -> String {
            try await run(
                .agent, "predict", "--model", model, "--input", input, "--json",
                environment: environment
            ).succeeded().output
        }

        private func publishRound(of plan: ExamplePlan, in fleet: ExampleFleet) async throws {
            let job: JobAnswer = try await fleet.administer([
                "round", "start", plan.name, "--watch",
            ])
            try #require(job.state == "finished")
        }
    }
}

extension ExamplePlan {
    /// The true classes of the rows that `writeRows` wrote.
    fileprivate func labels(in directory: URL) throws -> [Int] {
        switch format {
        case .csv:
            let lines = try text(of: directory.appending(path: featuresFile)).split(separator: "\n")
            return try lines.dropFirst().map { line in
                guard let label = line.split(separator: ",").last.flatMap({ Int($0) }) else {
                    throw Unexpected("no label in \(line)")
                }
                return label
            }
        case .idx:
            let headerBytes = 8
            return try Data(contentsOf: directory.appending(path: Self.labelsFile))
                .dropFirst(headerBytes).map { Int($0) }
        }
    }
}

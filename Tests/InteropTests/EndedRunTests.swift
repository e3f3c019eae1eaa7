import Foundation
import Testing

extension InteropTests {
    @Suite("A recorded simulation that does not come to its last round")
    struct EndedRunTests {
        /// Calls `body` with a private plan's file, a directory with train.csv and test.csv, and the file
        /// for a record.
        private func withData(
            _ body: (_ plan: String, _ data: URL, _ record: URL) async throws -> Void
        ) async throws {
            try await withTemporaryDirectory { directory in
                var plan = ExamplePlan.beads
                plan.noiseMultiplier = 2
                let file = directory.appending(path: "beads.toml")
                try Data(plan.toml.utf8).write(to: file)
                for (split, rows, seed) in [("train", 300, UInt64(1)), ("test", 200, 2)] {
                    let made = directory.appending(path: "made-\(split)")
                    try plan.writeRows(rows, seed: seed, to: made)
                    let folder = directory.appending(path: "data")
                    try FileManager.default.createDirectory(
                        at: folder, withIntermediateDirectories: true)
                    try FileManager.default.moveItem(
                        at: made.appending(path: plan.featuresFile),
                        to: folder.appending(path: "\(split).csv"))
                }
                try await body(
                    file.path, directory.appending(path: "data"),
                    directory.appending(path: "run.json"))
            }
        }

        private func object(_ text: Data) throws -> [String: Any] {
            try #require(try JSONSerialization.jsonObject(with: text) as? [String: Any])
        }

        @Test("for its budget says what it spent and reached, and fails again when it is resumed")
        func budget() async throws {
            try await withData { plan, data, record in
                let program = try Program.coordinator.located()
                let words = ["simulate", plan, "--data", data.path, "--rounds", "30"]
                let stopped = try await run(
                    program,
                    words + [
                        "--sweep", "privacy.max_epsilon=6", "--measure-every", "20",
                        "--runs", data.appending(path: "runs").path,
                    ])
                #expect(stopped.status == 1)
                let file = data.appending(path: "runs/beads-1.json")
                let document = try object(try Data(contentsOf: file))
                #expect(document["state"] as? String == "failed")
                let rounds = try #require(document["rounds"] as? [[String: Any]])
                #expect((1..<20).contains(rounds.count))
                let summary = try #require(document["summary"] as? [String: Any])
                let epsilon = try #require(summary["epsilon"] as? Double)
                #expect(epsilon > 4 && epsilon <= 6)
                #expect(rounds.last?["epsilon"] as? Double == epsilon)
                let accuracy = try #require(summary["accuracy_last"] as? Double)
                #expect(rounds.last?["accuracy"] as? Double == accuracy)
                let again = try await run(program, ["simulate", "--resume", file.path])
                #expect(again.status == 1)
                #expect(again.errors.contains("run beads-1 failed: "), "\(again)")
            }
        }

        @Test("in a sweep is in its table, and the command fails")
        func sweep() async throws {
            try await withData { plan, data, _ in
                let finished = try await run(
                    .coordinator, "simulate", plan, "--data", data.path, "--rounds", "30",
                    "--no-record", "--sweep", "privacy.max_epsilon=6,1000")
                #expect(finished.status == 1)
                #expect(finished.output.contains("failed: "), "\(finished)")
                #expect(finished.output.contains("1000"))
            }
        }

        @Test(
            "before it kept anything begins anew on the data there is, and then notices other data")
        func changedData() async throws {
            try await withData { plan, data, record in
                let program = try Program.coordinator.located()
                let process = try RunningProgram(
                    program,
                    [
                        "simulate", plan, "--data", data.path, "--rounds", "100000",
                        "--run-record", record.path, "--checkpoint-seconds", "1000",
                    ], output: data.appending(path: "output"),
                    errors: data.appending(path: "output"))
                try await wait(for: "rounds, and the data's digests") {
                    let text = (try? text(of: record)) ?? ""
                    return text.contains("train.csv") && text.contains("\"round\" : 1,")
                }
                process.signal(SIGKILL)
                _ = try await process.end(within: 20)
                let interrupted = try object(try Data(contentsOf: record))
                let summary = try #require(interrupted["summary"] as? [String: Any])
                #expect(summary["epsilon"] is Double)
                let train = data.appending(path: "train.csv")
                try Data((try text(of: train) + "1,2,3,4,0\n").utf8).write(to: train)
                let refused = try await run(program, ["simulate", "--resume", record.path])
                #expect(refused.status == 1)
                #expect(refused.errors.contains("the data is not what"), "\(refused)")
                // As the record is of one that was killed before the digests were made.
                var early = interrupted
                early["data"] = [Any]()
                var options = try #require(early["options"] as? [String: Any])
                options["rounds"] = 2
                early["options"] = options
                try JSONSerialization.data(withJSONObject: early).write(to: record)
                _ = try await run(program, ["simulate", "--resume", record.path]).succeeded()
                let done = try object(try Data(contentsOf: record))
                let population = try #require(done["population"] as? [String: Any])
                #expect(population["train_examples"] as? Int == 301)
                #expect((done["rounds"] as? [Any])?.count == 2)
            }
        }

        @Test("is not gone on with under other options than it began with")
        func options() async throws {
            let program = try Program.coordinator.located()
            for option in [
                ["beads"], ["--agents", "3"], ["--rounds", "3"], ["--partition", "iid"],
                ["--seed", "1"], ["--cold"], ["--fp32"], ["--no-record"], ["--delta", "0.1"],
                ["--run-record", "x.json"], ["--measure-every", "2"], ["--sweep", "seed=1,2"],
            ] {
                let refused = try await run(program, ["simulate", "--resume", "beads-1"] + option)
                #expect(refused.status == 64)
                #expect(refused.errors.contains("--resume goes on with"), "\(refused)")
            }
        }

        @Test("is none for a public folder without examples that nobody asked for")
        func coldWithPublicFolder() async throws {
            try await withData { plan, data, record in
                try FileManager.default.createDirectory(
                    at: data.appending(path: "public"), withIntermediateDirectories: true)
                _ = try await run(
                    .coordinator, "simulate", plan, "--data", data.path, "--rounds", "2", "--cold",
                    "--run-record", record.path
                ).succeeded()
                let done = try object(try Data(contentsOf: record))
                #expect(done["state"] as? String == "finished")
                #expect((done["data"] as? [[String: Any]])?.count == 2)
            }
        }
    }
}

import Foundation
import Testing

extension InteropTests {
    @Suite("A recorded simulation")
    struct RecordedRunTests {
        /// Calls `body` with a plan's file and a directory with train.csv and test.csv.
        private func withData(_ body: (_ plan: String, _ data: URL) async throws -> Void)
            async throws
        {
            try await withTemporaryDirectory { directory in
                let plan = ExamplePlan.beads
                let file = directory.appending(path: "plans/beads.toml")
                let data = directory.appending(path: "data")
                for folder in [file.deletingLastPathComponent(), data] {
                    try FileManager.default.createDirectory(
                        at: folder, withIntermediateDirectories: true)
                }
                try Data(plan.toml.utf8).write(to: file)
                for (split, rows, seed) in [("train", 300, UInt64(1)), ("test", 200, 2)] {
                    let made = directory.appending(path: split)
                    try plan.writeRows(rows, seed: seed, to: made)
                    try FileManager.default.moveItem(
                        at: made.appending(path: plan.featuresFile),
                        to: data.appending(path: "\(split).csv"))
                }
                try await body(file.path, data)
            }
        }

        /// A record without what differs from one time, or machine, to the next.
        private func lasting(_ record: URL) throws -> String {
            let text = try Data(contentsOf: record)
            var members = try #require(
                try JSONSerialization.jsonObject(with: text) as? [String: Any])
            for name in ["spent", "machine"] {
                #expect(members.removeValue(forKey: name) != nil)
            }
            return String(
                decoding: try JSONSerialization.data(
                    withJSONObject: members, options: [.sortedKeys, .prettyPrinted]),
                as: UTF8.self)
        }

        private func object(_ finished: Finished) throws -> [String: Any] {
            let last = try #require(finished.output.split(separator: "\n").last)
            let document = try JSONSerialization.jsonObject(with: Data(last.utf8))
            return try #require(document as? [String: Any])
        }

        private static let words = [
            "--agents", "30", "--rounds", "9", "--sampling-rate", "0.2", "--noise-multiplier",
            "0.3", "--partition", "dirichlet:0.5",
        ]

        @Test("is the same to the byte, whatever the number of threads")
        func threads() async throws {
            try await withData { plan, data in
                let program = try Program.coordinator.located()
                var records: [String] = []
                for threads in ["1", "2", "3", "7"] {
                    let record = data.appending(path: "\(threads).json")
                    let finished = try await run(
                        program,
                        ["simulate", plan, "--data", data.path, "--run-record", record.path]
                            + Self.words + ["--threads", threads, "--json"]
                    ).succeeded()
                    records.append(try lasting(record))
                    let result = try object(finished)
                    #expect(result["threads"] as? Int == Int(threads))
                    #expect(result["record"] as? String == record.path)
                    #expect(result["epsilon"] is Double && result["accuracy_last"] is Double)
                    #expect(
                        !FileManager.default.fileExists(atPath: record.path + ".checkpoint"))
                }
                #expect(Set(records).count == 1)
                #expect(records[0].contains("\"training.learning_rate\" : 0.02"))
                #expect(records[0].contains("\"accuracy\""))
                #expect(records[0].contains("\"path\" : \"train.csv\""))
            }
        }

        @Test("goes on after kill -9, and then is the same to the byte as one that never stopped")
        func killed() async throws {
            // So many that a fast machine is not at their end before it is interrupted.
            let rounds = 600
            try await withData { plan, data in
                let program = try Program.coordinator.located()
                func words(_ record: URL) -> [String] {
                    [
                        "simulate", plan, "--data", data.path, "--agents", "30", "--rounds",
                        "\(rounds)",
                        "--noise-multiplier", "0.3", "--run-record", record.path,
                        "--checkpoint-seconds", "0",
                    ]
                }
                let whole = data.appending(path: "whole.json")
                _ = try await run(program, words(whole)).succeeded()
                let record = data.appending(path: "killed.json")
                var arguments = words(record)
                for reached in [20, 120] {
                    let process = try RunningProgram(
                        program, arguments, output: data.appending(path: "output"),
                        errors: data.appending(path: "output"))
                    try await wait(for: "\(reached) rounds") {
                        let text = (try? text(of: record)) ?? ""
                        return text.contains("\"round\" : \(reached),") || !process.isRunning
                    }
                    let again = try await run(program, ["simulate", "--resume", record.path])
                    #expect(again.errors.contains("another process is at work"), "\(again)")
                    process.signal(SIGKILL)
                    #expect(try await process.end(within: 20) == -SIGKILL)
                    arguments = [
                        "simulate", "--resume", record.path, "--checkpoint-seconds", "0",
                        "--threads", "3",
                    ]
                }
                let list = try await run(
                    .coordinator, "runs", "list", "--runs", data.path
                ).succeeded()
                #expect(list.output.contains("interrupted"))
                let resumed = try await run(program, arguments).succeeded()
                #expect(resumed.output.contains("going on after round"), "\(resumed)")
                #expect(try lasting(record) == (try lasting(whole)))
                let after = try await run(program, arguments + ["--json"]).succeeded()
                #expect(try object(after)["rounds"] as? Int == rounds)
            }
        }

        @Test("is not gone on with on other data")
        func otherData() async throws {
            try await withData { plan, data in
                let program = try Program.coordinator.located()
                let record = data.appending(path: "run.json")
                let process = try RunningProgram(
                    program,
                    [
                        "simulate", plan, "--data", data.path, "--rounds", "100000",
                        "--run-record", record.path, "--checkpoint-seconds", "0.1",
                    ], output: data.appending(path: "output"),
                    errors: data.appending(path: "output"))
                try await wait(for: "a checkpoint") {
                    FileManager.default.fileExists(atPath: record.path + ".checkpoint")
                }
                process.signal(SIGKILL)
                _ = try await process.end(within: 20)
                let train = data.appending(path: "train.csv")
                try Data((try text(of: train) + "1,2,3,4,0\n").utf8).write(to: train)
                let resumed = try await run(program, ["simulate", "--resume", record.path])
                #expect(resumed.status == 1)
                #expect(resumed.errors.contains("the data is not what the run began with"))
            }
        }

        @Test("of each combination of a sweep is told of in a table, listed and compared")
        func sweep() async throws {
            try await withData { plan, data in
                let program = try Program.coordinator.located()
                let runs = ["--runs", data.appending(path: "runs").path]
                let words = [
                    "simulate", "beads", "--data", data.path, "--agents", "9", "--rounds", "2",
                    "--sweep", "learning_rate=0.01,0.1", "--sweep", "seed=1,2",
                ]
                let plans = URL(filePath: plan).deletingLastPathComponent().path
                let table = try await run(
                    program, words + runs, environment: ["TRIBUTARY_PLANS": plans]
                ).succeeded()
                #expect(table.output.contains("learning_rate  seed"), "\(table)")
                #expect(table.output.contains("beads-4"))
                let list = try object(
                    try await run(program, ["runs", "list", "--json"] + runs).succeeded())
                let listed = try #require(list["runs"] as? [[String: Any]])
                #expect(listed.map { $0["seed"] as? Int } == [1, 2, 1, 2])
                #expect(listed.allSatisfy { $0["state"] as? String == "finished" })
                let compared = try object(
                    try await run(
                        program, ["runs", "compare", "beads-1", "beads-3", "--json"] + runs
                    ).succeeded())
                let differences = try #require(compared["differences"] as? [String: [Any]])
                #expect(
                    Set(differences.keys) == ["training.learning_rate", "plan.sha256"],
                    "\(differences)")
                #expect(differences["training.learning_rate"] as? [Double] == [0.01, 0.1])
                let text = try await run(
                    program, ["runs", "compare", "beads-1", "beads-2"] + runs
                ).succeeded().output
                #expect(text.hasPrefix("differs  beads-1  beads-2\nseed           1        2\n"))
                let shown = try await run(program, ["runs", "show", "beads-2"] + runs).succeeded()
                #expect(shown.output.contains("training.batch_size"))
                let document = try await run(
                    program, words + runs + ["--json"], environment: ["TRIBUTARY_PLANS": plans]
                ).succeeded()
                let sweep = try #require(try object(document)["sweep"] as? [[String: Any]])
                #expect(sweep.count == 4)
            }
        }

        @Test(
            "of values that cannot be, or of no plan, is refused with what can",
            arguments: [
                (["--sweep", "learning_rat=1"], "learning_rate"),
                (["--sweep", "seed=x"], "'x' is no seed"),
                (["--sweep", "seed"], "does not say what to try"),
                (["--sweep", "seed=1,2", "--run-record", "x.json"], "--runs in place of"),
                (["--measure-every", "0"], "--measure-every must be"),
                (["--examples-per-agent", "0"], "--examples-per-agent must be"),
                (["--delta", "1e-9"], "has no [privacy]"),
                (["--runs", "/dev/null/x"], "cannot write"),
            ])
        func refusals(arguments: [String], words: String) async throws {
            try await withData { plan, data in
                let program = try Program.coordinator.located()
                let finished = try await run(
                    program, ["simulate", plan, "--data", data.path] + arguments)
                #expect(finished.status != 0)
                #expect(finished.errors.contains(words), "\(finished)")
                let unknown = try await run(program, ["simulate", "pearls", "--data", data.path])
                #expect(unknown.errors.contains("there is no plan 'pearls'"))
                #expect(unknown.errors.contains("coordinator-config/plans"))
            }
        }

        @Test("of a million agents takes the memory of a few, and draws another cohort each round")
        func million() async throws {
            try await withData { plan, data in
                let program = try Program.coordinator.located()
                func simulated(_ agents: String, _ rate: String) async throws -> [String: Any] {
                    try object(
                        try await run(
                            program,
                            [
                                "simulate", plan, "--data", data.path, "--agents", agents,
                                "--rounds", "3", "--sampling-rate", rate, "--noise-multiplier",
                                "0.5", "--partition", "labels:2", "--examples-per-agent", "8",
                                "--json", "--no-record",
                            ]
                        ).succeeded())
                }
                let few = try await simulated("1000", "0.02")
                let many = try await simulated("1000000", "0.00002")
                #expect(many["agents"] as? Int == 1_000_000)
                #expect(many["record"] is NSNull)
                let rounds = try #require(many["client_rounds"] as? Int)
                #expect((20...120).contains(rounds))
                let memory = [few, many].compactMap { $0["peak_memory_mib"] as? Double }
                #expect(memory.count == 2 && memory[1] < memory[0] + 16, "\(memory)")
                // A plan's delta that is too large for so many is lowered.
                #expect(many["delta"] as? Double == 1e-7)
            }
        }
    }
}

import Foundation
import Testing

extension InteropTests {
    @Suite("tributary-coordinator simulate")
    struct SimulateTests {
        /// Calls `body` with a plan's file and a directory of data for it.
        private func withData(_ body: (_ plan: String, _ data: URL) async throws -> Void)
            async throws
        {
            try await withTemporaryDirectory { directory in
                let plan = ExamplePlan.beads
                let file = directory.appending(path: "plan.toml")
                try Data(plan.toml.utf8).write(to: file)
                let data = directory.appending(path: "data")
                try plan.writeRows(400, seed: 1, to: data.appending(path: "train"))
                try plan.writeRows(100, seed: 2, to: data.appending(path: "public"))
                try plan.writeRows(200, seed: 3, to: data.appending(path: "test"))
                for client in 1...3 {
                    try plan.writeRows(
                        50, seed: UInt64(10 + client),
                        to: data.appending(path: "clients/0\(client)"))
                }
                try await body(file.path, data)
            }
        }

        private struct Summary: Decodable, Equatable {
            let accuracyLast: Double?
            let accuracyFirst: Double?
            let accuracyTeacher: Double?
            let epsilon: Double?
            let clientRounds: Int
        }

        private func summary(_ finished: Finished) throws -> Summary {
            let last = try #require(finished.output.split(separator: "\n").last)
            let decoder = JSONDecoder()
            decoder.keyDecodingStrategy = .convertFromSnakeCase
            return try decoder.decode(Summary.self, from: Data(last.utf8))
        }

        @Test("trains, and gives the same numbers on one thread and on two")
        func training() async throws {
            try await withData { plan, data in
                var summaries: [Summary] = []
                var lines: [String] = []
                for threads in ["1", "2"] {
                    let finished = try await run(
                        .coordinator, "simulate", plan, "--data", data.path, "--agents", "20",
                        "--rounds", "4", "--partition", "dirichlet:0.5", "--threads", threads,
                        "--json"
                    ).succeeded()
                    summaries.append(try summary(finished))
                    lines.append(finished.errors)
                }
                #expect(summaries[0] == summaries[1])
                #expect(lines[0] == lines[1])
                #expect(lines[0].contains("round 4: 3 of 3 updates, accuracy 0."))
                #expect(summaries[0].clientRounds == 12)
                #expect(summaries[0].epsilon == nil)
                #expect(try #require(summaries[0].accuracyTeacher) > 0.7)
                #expect(try #require(summaries[0].accuracyLast) > 0.7)
            }
        }

        @Test("changes a plan's noise and its coin, and says what they spend and cost")
        func privacy() async throws {
            try await withData { plan, data in
                var secret = ExamplePlan.beads
                secret.noiseMultiplier = 0.5
                try Data(secret.toml.utf8).write(to: URL(filePath: plan))
                let words = [
                    "simulate", plan, "--data", data.path, "--agents", "40", "--rounds", "3",
                    "--sampling-rate", "0.3", "--json",
                ]
                let program = try Program.coordinator.located()
                let calibrated = try await run(
                    program, words + ["--target-epsilon", "6", "--delta", "1e-4"]
                ).succeeded()
                let spent = try #require(try summary(calibrated).epsilon)
                #expect(spent > 5.9 && spent <= 6)
                #expect(calibrated.output.contains("\"delta\":0.0001"))
                // Three rounds of 40 coins of 0.3.
                #expect((12...60).contains(try summary(calibrated).clientRounds))
                let open = try await run(program, words + ["--noise-multiplier", "0"])
                    .succeeded()
                #expect(try summary(open).epsilon == nil)
                #expect(try summary(open).clientRounds == 36)
                // The population stays the plan's, though only one of the three is selected.
                let few = words.filter { !["--agents", "40"].contains($0) }
                let small = try await run(program, few + ["--noise-multiplier", "0"])
                    .succeeded()
                #expect(small.errors.contains("3 agents"))
                #expect(try summary(small).clientRounds == 3)
                let both = try await run(
                    program, words + ["--target-epsilon", "6", "--noise-multiplier", "1"])
                #expect(both.status != 0 && both.errors.contains("both say how much noise"))
                let unreachable = try await run(
                    program, words + ["--target-epsilon", "1e-9", "--delta", "1e-9"])
                #expect(unreachable.status != 0 && unreachable.output.contains("no noise brings"))
                secret.localNoiseMultiplier = 0.5
                try Data(secret.toml.utf8).write(to: URL(filePath: plan))
                let betrayed = try await run(program, words)
                #expect(betrayed.status != 0 && betrayed.output.contains("how many a coin selects"))
            }
        }

        @Test("begins with random weights, on the agents' own data, without rounding, if asked to")
        func naturalAndCold() async throws {
            try await withData { plan, data in
                try FileManager.default.removeItem(at: data.appending(path: "public"))
                try FileManager.default.removeItem(at: data.appending(path: "train"))
                let finished = try await run(
                    .coordinator, "simulate", plan, "--data", data.path, "--partition", "natural",
                    "--rounds", "15", "--cold", "--fp32"
                ).succeeded()
                #expect(finished.output.hasPrefix("3 agents, first model accuracy "))
                #expect(finished.output.contains("45 client rounds"))
            }
        }

        @Test("trains on one client's data alone, a client a run of a sweep")
        func alone() async throws {
            try await withData { plan, data in
                let words = [
                    "simulate", plan, "--data", data.path, "--partition", "natural", "--rounds",
                    "2", "--json",
                ]
                let program = try Program.coordinator.located()
                let all = try await run(program, words).succeeded()
                #expect(try summary(all).clientRounds == 6)
                let one = try await run(program, words + ["--client", "02"]).succeeded()
                #expect(try summary(one).clientRounds == 2)
                let each = try await run(program, words + ["--sweep", "client=01,02"]).succeeded()
                #expect(each.output.contains("\"client\":\"01\""), "\(each)")
                let nobody = try await run(program, words + ["--client", "04"])
                #expect(nobody.status == 1 && nobody.errors.contains("choose one of 01, 02, 03"))
            }
        }

        @Test("adds updates as floats if asked to, and comes to nearly the same model")
        func floatSum() async throws {
            try await withData { plan, data in
                let words = [
                    "simulate", plan, "--data", data.path, "--agents", "20", "--rounds", "4",
                    "--json",
                ]
                let program = try Program.coordinator.located()
                let lattice = try await run(program, words).succeeded()
                let float = try await run(program, words + ["--float-sum"]).succeeded()
                #expect(lattice.output != float.output)
                let exact = try #require(try summary(lattice).accuracyLast)
                #expect(abs(exact - (try #require(try summary(float).accuracyLast))) < 0.05)
            }
        }

        @Test(
            "refuses what it cannot do with a message and what to do instead",
            arguments: [
                (["--partition", "shards"], "use iid, dirichlet:ALPHA", 1),
                (
                    ["--partition", "natural", "--agents", "4"], "comes from 3 agents, not from 4",
                    1
                ),
                (["--partition", "labels:2", "--agents", "2"], "leave a class out", 1),
                (["--client", "01"], "add --partition natural", 1),
                (["--float-sum", "--fp32"], "leave --float-sum out", 64),
                (["--agents", "1"], "the plan needs 3", 1),
                (["--rounds", "0"], "--rounds must be at least 1", 64),
                (["--threads", "0"], "--threads must be 1", 64),
                (["--agents", "many"], "--agents", 64),
            ])
        func refusals(arguments: [String], words: String, status: Int32) async throws {
            try await withData { plan, data in
                let finished = try await run(
                    Program.coordinator.located(),
                    ["simulate", plan, "--data", data.path] + arguments)
                #expect(finished.status == status, "\(finished)")
                #expect(finished.errors.contains(words), "\(finished)")
            }
        }

        @Test(
            "begins with random weights without public data, saying so, and names what is missing")
        func missingData() async throws {
            try await withData { plan, data in
                let train = data.appending(path: "train")
                try FileManager.default.removeItem(at: data.appending(path: "public"))
                let words = ["simulate", plan, "--data", data.path, "--agents", "9", "--json"]
                let program = try Program.coordinator.located()
                let without = try await run(program, words).succeeded()
                #expect(without.errors.contains("as with --cold"), "\(without)")
                let cold = try await run(program, words + ["--cold"]).succeeded()
                #expect(!cold.errors.contains("warning"))
                #expect(try summary(cold) == (try summary(without)))
                try FileManager.default.removeItem(at: train)
                let nothing = try await run(.coordinator, "simulate", plan, "--data", data.path)
                #expect(nothing.status == 1)
                #expect(nothing.errors.contains(train.path), "\(nothing)")
            }
        }
    }
}

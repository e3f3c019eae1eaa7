import Foundation
import Testing

extension InteropTests {
    /// Programs read what `--json` prints, so that it is described, and stays as described.
    @Suite("What --json prints is what json.md says")
    struct JSONDocumentTests {
        /// Commands that this suite does not run, each with its reason.
        private static let elsewhere: Set = [
            "serve",  // prints one line when it listens, which every fleet of these tests waits for
            "runs show",  // prints a record, which RunRecordsTests are about
        ]

        @Test("by every command of the coordinator and the verifier")
        func coordinator() async throws {
            let seen = Seen(try DocumentedMembers(page: "coordinator-config/json.md"))
            let plan = ExamplePlan.moving.name
            try await ExampleFleet.withFleet([.moving]) { fleet in
                for name in ["one", "two"] {
                    try await fleet.enrol(name)
                    try await fleet.startAgent(name)
                }
                try await fleet.awaitReadiness(of: 2, plan: .moving)
                let scratch = fleet.directory.appending(path: "scratch").path
                try FileManager.default.createDirectory(
                    atPath: scratch, withIntermediateDirectories: true)
                let agents: AgentsAnswer = try await fleet.administer(["agent", "list"])
                let agent = try #require(agents.agents.first?.agent)
                for words in commands(of: plan, agent, fleet.directory.path, scratch) {
                    try await seen.check(words, try await fleet.attempt(words).succeeded())
                }
                // A round for which nobody is there stays open for a while.
                for name in ["one", "two"] { try await fleet.process(name).stop() }
                _ = try await fleet.administer(["round", "start", plan]) as JobAnswer
                let cancel = ["round", "cancel", "3"]
                try await wait(for: "round 3 is there") {
                    try await fleet.attempt(["round", "show", "3"]).status == 0
                }
                try await seen.check(cancel, try await fleet.attempt(cancel).succeeded())
                let again: JobAnswer = try await fleet.administer(["round", "start", plan])
                async let watched = fleet.attempt(["round", "watch", plan])
                _ = try await fleet.attempt(["job", "cancel", "\(again.job)"])
                // A job that is cancelled was not done.
                seen.check(failed: try await watched)
                seen.check(failed: try await fleet.attempt(["round", "watch", plan]))
                try await verifiers(scratch + "/\(plan)-2", scratch, seen)

                try await fleet.process().stop()
                try await stopped(fleet, seen)
                try await offline(fleet, scratch, seen)
            }
            #expect(seen.unseen == Self.elsewhere.union(["round watch"]))
        }

        /// What a coordinator answers while it runs; `plan` has two agents, of which `agent` is one.
        private func commands(
            of plan: String, _ agent: String, _ directory: String, _ scratch: String
        ) -> [[String]] {
            [
                ["plan", "apply", directory + "/\(plan).toml"], ["plan", "list"],
                ["plan", "show", plan], ["agent", "list"], ["agent", "show", agent],
                ["agent", "token"], ["round", "start", plan, "--rounds", "2", "--watch"],
                ["round", "list"], ["round", "show", "1"], ["job", "list"],
                ["job", "show", "1"], ["job", "watch", "1"], ["model", "list", plan],
                ["model", "show", plan], ["model", "export", plan, "--output", scratch],
                ["model", "republish", plan, "--version", "1"], ["status"], ["doctor"],
                ["audit", "log"], ["audit", "prove", plan, "--version", "1"],
                ["audit", "checkpoint"],
                [
                    "audit", "witness", "--key", scratch + "/key", "--new-key", "--name",
                    "example.org/w",
                ], ["audit", "verify"], ["trust", "show"],
                ["trust", "export", "--output", scratch + "/trust"],
                ["privacy", "show", plan], ["privacy", "export", plan],
                ["privacy", "export", plan, "--output", scratch + "/ledger"],
                ["plan", "pause", plan], ["round", "start", plan], ["job", "cancel", "2"],
                ["plan", "resume", plan], ["key", "list"],
                ["admin", "issue", "--name", "eve", "--output", scratch + "/eve"],
                ["admin", "list"], ["admin", "revoke", "eve", "--reason", "left"],
                ["backup", scratch + "/backup", "--with-keys"],
                ["agent", "revoke", agent],
            ]
        }

        /// Those that want the coordinator stopped.
        private func stopped(_ fleet: ExampleFleet, _ seen: Seen) async throws {
            for words in [
                ["certificate", "renew-server"], ["key", "rotate"], ["authority", "rotate"],
                ["authority", "retire", "--force"],
            ] { try await seen.check(words, try await fleet.attempt(words)) }
            let keys = try await fleet.attempt(["key", "list"]).output
            let retired = try #require(
                try JSONSerialization.jsonObject(with: Data(keys.utf8)) as? [[String: Any]]
            ).first { $0["state"] as? String == "retired" }
            let key = try #require(retired?["key"] as? String)
            let revocation = ["key", "revoke", key, "--since", "2020-01-01", "--reason", "r"]
            try await seen.check(revocation, try await fleet.attempt(revocation))
        }

        private func verifiers(_ model: String, _ export: String, _ seen: Seen) async throws {
            for (name, words) in [
                ("tributary-verify model", ["model", model]),
                ("tributary-verify log", ["log", export + "/log"]),
            ] {
                let finished = try await run(
                    Program.verifier.located(),
                    words + ["--trust", export + "/trust-set.json", "--json"]
                ).succeeded()
                try seen.check(name, finished.output)
            }
        }

        /// Those that need no coordinator.
        private func offline(_ fleet: ExampleFleet, _ scratch: String, _ seen: Seen) async throws {
            let data = URL(filePath: scratch + "/data")
            for (seed, part) in ["train", "public", "test"].enumerated() {
                try ExamplePlan.moving.writeRows(
                    90, seed: UInt64(seed), to: data.appending(path: part))
            }
            let plan = fleet.directory.path + "/\(ExamplePlan.moving.name).toml"
            let accounting = ["--sampling-rate", "0.1", "--delta", "1e-5"]
            let simulation = [
                "simulate", plan, "--data", data.path, "--rounds", "1", "--agents", "2",
            ]
            let runs = ["--runs", scratch + "/runs"]
            for words in [
                ["init", "--dir", scratch + "/new", "--address", "127.0.0.1"],
                ["restore", scratch + "/backup", "--into", scratch + "/restored"],
                ["privacy", "epsilon", "--noise-multiplier", "1", "--rounds", "9"] + accounting,
                ["privacy", "calibrate", "--target-epsilon", "4", "--rounds", "9"] + accounting,
                ["distill", plan, "--data", data.path], simulation + runs,
                simulation + ["--seed", "2"] + runs, ["runs", "list"] + runs,
                [
                    "runs", "compare", "\(ExamplePlan.moving.name)-1",
                    "\(ExamplePlan.moving.name)-2",
                ] + runs,
            ] {
                let finished = try await run(Program.coordinator.located(), words + ["--json"])
                try await seen.check(words, finished.succeeded())
            }
        }

        @Test("by every command of the device")
        func agent() async throws {
            let seen = Seen(try DocumentedMembers(page: "agent-config/json.md"))
            try await ExampleFleet.withFleet([.stripes]) { fleet in
                for name in ["one", "two"] {
                    try await fleet.enrol(name)
                    try await fleet.startAgent(name)
                }
                try await fleet.awaitReadiness(of: 2, plan: .stripes)
                _ = try await fleet.attempt(["round", "start", "stripes", "--watch"]).succeeded()
                let agent = fleet.agent("one")
                let config = ["--config", agent.configuration, "--json"]
                let token = try await fleet.newToken()
                for words in [
                    ["pause", "--for", "1h"], ["status"], ["resume"], ["status"], ["doctor"],
                    ["leave", "--yes"], ["enroll", "--token", token],
                ] {
                    try await seen.check(
                        words, try await run(Program.agent.located(), words + config))
                }
                let two = fleet.agent("two")
                let prediction = try await run(
                    .agent, "predict", "--json", "--model", two.state + "/models/stripes",
                    "--input", two.data(of: .stripes).path + "/" + ExamplePlan.stripes.featuresFile)
                try await seen.check(["predict"], prediction.succeeded())
                seen.check(
                    failed: try await run(
                        Program.agent.located(), ["status", "--config", "/none", "--json"]))
            }
            #expect(seen.unseen.isEmpty)
        }

        @Test("Ctrl-C ends the watching alone, and says how to watch again")
        func interrupted() async throws {
            try await ExampleFleet.withFleet([.beads]) { fleet in
                let plan = ExamplePlan.beads.name
                let errors = fleet.directory.appending(path: "errors")
                let watching = try RunningProgram(
                    Program.coordinator.located(),
                    [
                        "round", "start", plan, "--watch", "--dir",
                        fleet.coordinatorDirectory.path,
                    ], output: fleet.directory.appending(path: "output"), errors: errors)
                try await wait(for: "the job runs") {
                    try await fleet.attempt(["job", "list", "--open"]).output.contains("running")
                        && text(of: fleet.directory.appending(path: "output")).contains("round")
                }
                watching.signal(SIGINT)
                #expect(try await watching.end(within: 10) == 130)
                let words = try text(of: errors)
                #expect(
                    words.contains("job 1 goes on; watch it again with")
                        && words.contains("job watch 1 --dir"), "\(words)")
                let job: JobAnswer = try await fleet.administer(["job", "show", "1"])
                #expect(job.state == "running")
            }
        }

        @Test("a plan or device that there is not is answered with the one probably meant")
        func meant() async throws {
            try await ExampleFleet.withFleet([.beads]) { fleet in
                for (words, meant) in [
                    (["plan", "show", "baeds"], "did you mean 'beads'?"),
                    (["round", "start", "bead"], "did you mean 'beads'?"),
                ] {
                    let finished = try await fleet.attempt(words)
                    #expect(finished.status == 1 && finished.errors.contains(meant), "\(finished)")
                }
            }
        }

        /// What was compared with the page so far.
        private final class Seen {
            private let page: DocumentedMembers
            private var commands: Set<String> = []

            init(_ page: DocumentedMembers) { self.page = page }

            /// Commands of the page that were not compared.
            var unseen: Set<String> { page.commands.subtracting(commands) }

            /// Compares the documents that a command of these words printed, one a line.
            func check(_ words: [String], _ finished: Finished) async throws {
                let two = words.prefix(2).joined(separator: " ")
                let name = page.commands.contains(two) ? two : words[0]
                for line in finished.output.split(separator: "\n") {
                    try check(name, String(line), finished.description)
                }
                #expect(!finished.output.isEmpty, "\(finished)")
            }

            func check(_ name: String, _ text: String, _ context: String = "") throws {
                let document = try JSONSerialization.jsonObject(
                    with: Data(text.utf8), options: .fragmentsAllowed)
                let differences = page.differences(of: document, from: name)
                #expect(
                    differences.isEmpty, "\(differences.joined(separator: "\n"))\n\(context)")
                commands.insert(name)
            }

            /// A command that fails prints an error.
            func check(failed finished: Finished) {
                let line = finished.output.split(separator: "\n").last.map(String.init) ?? ""
                let document = try? JSONSerialization.jsonObject(with: Data(line.utf8))
                #expect(
                    page.differences(ofError: document ?? [:]).isEmpty, "\(finished)")
                #expect(finished.status == 1)
            }
        }
    }
}

import Foundation
import Testing

extension InteropTests.WithFleet {
    @Suite("What a device may lack")
    struct DeviceInputTests {
        @Test("rows that do not parse are left out, and doctor, status and log name the first")
        func unreadableRows() async throws {
            let fleet = try ExampleFleet.current
            let agent = try await fleet.enrol("rows", for: [.beads])
            let file = agent.data(of: .beads).appending(path: ExamplePlan.beads.featuresFile)
            try Data("a,b,c,d,label\n1,2,3,4,0\n1,2,x,4,1\n1,2,3,4,7\n1,2,3\n".utf8).write(to: file)
            let first = "line 3, column 3: 'x' is not a number"

            let plan = try await planStatus(of: agent, in: fleet) { $0.unreadable > 0 }
            #expect(plan.examples == 1)
            #expect(plan.unreadable == 3)
            #expect(plan.problem?.contains(first) == true, "\(plan.problem ?? "")")
            #expect(try text(of: agent.log).contains(first))
            try await expectDoctor(
                of: agent,
                toSay: [
                    first, "correct or remove these rows",
                    "OK   memory of beads: training allocates 1 MiB at most",
                ])
            // With the bad rows gone it counts what is left, class by class.
            try Data("a,b,c,d,label\n1,2,3,4,0\n1,2,5,4,1\n1,2,3,4,1\n".utf8).write(to: file)
            let mended = try await run(.agent, "doctor", "--config", agent.configuration)
            #expect(mended.output.contains("; of each class 1 2 0"), "\(mended)")
            #expect(try await fleet.process("rows").stop() == 0)
        }

        @Test("a file that is no table of the plan, or no directory at all, is named")
        func missingData() async throws {
            let fleet = try ExampleFleet.current
            let agent = try await fleet.enrol("data", for: [.beads])
            let directory = agent.data(of: .beads)
            try Data("a,b,c,d,lobel\n1,2,3,4,0\n".utf8)
                .write(to: directory.appending(path: ExamplePlan.beads.featuresFile))
            let noLabel = try await planStatus(of: agent, in: fleet) { $0.problem != nil }
            #expect(noLabel.examples == 0)
            #expect(noLabel.problem?.contains("has no column named 'label'") == true)
            try await expectDoctor(
                of: agent, toSay: ["no column named 'label'", "name the plan's columns"])

            try FileManager.default.removeItem(at: directory)
            try await expectDoctor(
                of: agent, toSay: ["\(directory.path) does not exist", "create it"])
            // The daemon waits for its data instead of ending.
            let process = try await fleet.process("data")
            #expect(process.isRunning)
            #expect(try await process.stop() == 0)
            try await fleet.startAgent("data")
            let gone = try await planStatus(of: agent, in: fleet) {
                $0.problem?.contains("does not exist") == true
            }
            #expect(gone.examples == 0)
            #expect(try await fleet.process("data").stop() == 0)
        }

        @Test("a plan that the coordinator does not have is told, with the one that was meant")
        func mistypedPlan() async throws {
            let fleet = try ExampleFleet.current
            let mistyped = ExamplePlan(name: "baeds", format: .csv, agents: 3)
            let agent = try await fleet.enrol("typist", for: [mistyped])
            let config = ["--config", agent.configuration]
            // Nobody knows before the coordinator was asked.
            let before = try await run(Program.agent.located(), ["doctor"] + config)
            #expect(before.output.contains("OK   data of baeds:"), "\(before)")
            let words = "the coordinator has no plan 'baeds'; did you mean [data.beads]?"
            let plan = try await planStatus(of: agent, in: fleet) { $0.problem != nil }
            #expect(plan.problem?.hasPrefix(words) == true, "\(plan.problem ?? "")")
            try await expectDoctor(of: agent, toSay: ["FAIL data of baeds: \(words)"])
            let warnings = try text(of: agent.log).split(separator: "\n").filter {
                $0.contains("warning no such plan ")
            }
            #expect(warnings.count == 1, "\(warnings)")
            #expect(try await fleet.process("typist").stop() == 0)
        }

        @Test("input that does not parse ends predict, naming row and column")
        func predictInput() async throws {
            let fleet = try ExampleFleet.current
            let model = try await fleet.export(.beads).modelDir
            let file = fleet.directory.appending(path: "input.csv")
            let cases = [
                ("a,b,c,d\n1,2,3,4\n1,2,x,4\n", "line 3, column 3: 'x' is not a number"),
                ("a,b,c\n1,2,3\n", "has 3 feature columns, the model 4"),
                ("", "is empty"),
            ]
            for (content, reason) in cases {
                try Data(content.utf8).write(to: file)
                let result = try await run(
                    .agent, "predict", "--model", model, "--input", file.path)
                #expect(result.status == 1)
                #expect(result.output.isEmpty)
                #expect(result.errors.contains(reason), "\(result)")
            }
            let noModel = try await run(
                .agent, "predict", "--model", fleet.directory.path, "--input", file.path)
            #expect(noModel.status == 1)
            #expect(noModel.errors.contains("give --model the directory"), "\(noModel)")
        }

        @Test("without configuration, enrolment or a writable directory it ends with what to do")
        func nowhereToWork() async throws {
            let fleet = try ExampleFleet.current
            let nowhere = fleet.agent("nowhere")
            for program in [Program.daemon, .agent] {
                let words = program == .agent ? ["doctor"] : []
                let result = try await run(
                    program.located(), words + ["--config", nowhere.configuration])
                #expect(result.status == 1, "\(result)")
                #expect(result.words.contains("\(nowhere.configuration): No such file"))
                #expect(result.words.contains("check the path, or create the file"))
            }

            try nowhere.writeConfiguration(plans: [])
            for words in [[], ["doctor"], ["status"]] {
                let program = words.isEmpty ? Program.daemon : .agent
                let result = try await run(
                    program.located(), words + ["--config", nowhere.configuration])
                #expect(result.status == 1, "\(result)")
                #expect(result.words.contains("this device is not enrolled"), "\(result)")
                #expect(result.words.contains("run tributary-agent enroll"), "\(result)")
            }

            // Below a regular file nobody can create anything, root neither.
            try Data("x".utf8).write(to: nowhere.directory.appending(path: "file"))
            try nowhere.writeConfiguration(plans: [], state: "file/state")
            let unwritable = [
                try await run(.daemon, "--config", nowhere.configuration),
                try await run(
                    .agent, "enroll", "--config", nowhere.configuration, "--token",
                    fleet.newToken()),
            ]
            for result in unwritable {
                #expect(result.status == 1, "\(result)")
                #expect(result.words.contains("file/state: Not a directory"), "\(result)")
                #expect(result.words.contains("create the directory above it"), "\(result)")
            }
            try await expectDoctor(of: nowhere, toSay: ["FAIL state directory:", "file/state"])
        }

        /// Starts the agent's daemon and waits for what it says of its data.
        private func planStatus(
            of agent: ExampleAgent, in fleet: ExampleFleet,
            until condition: (StatusAnswer.Status.Plan) -> Bool
        ) async throws -> StatusAnswer.Status.Plan {
            try await fleet.startAgent(agent.directory.lastPathComponent)
            var found: StatusAnswer.Status.Plan?
            try await wait(for: "the status of the data, see \(agent.log.path)") {
                found = try await status(of: agent)?.status.plans.first(where: condition)
                return found != nil
            }
            return try #require(found)
        }

        private func expectDoctor(of agent: ExampleAgent, toSay words: [String]) async throws {
            let doctor = try await run(.agent, "doctor", "--config", agent.configuration)
            #expect(doctor.status == 1, "\(doctor)")
            for word in words { #expect(doctor.output.contains(word), "\(doctor)") }
        }
    }
}

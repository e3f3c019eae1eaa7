import Foundation
import Testing

extension InteropTests.WithFleet {
    @Suite("A client in Python, from the .proto files alone")
    struct PythonClientTests {
        @Test("enrols, takes part in a round beside two agents, and is counted")
        func takesPart() async throws {
            let fleet = try ExampleFleet.current
            let state = fleet.directory.appending(path: "python").path
            let output = fleet.directory.appending(path: "python.log")
            let errors = fleet.directory.appending(path: "python.errors")
            let client = try RunningProgram(
                Checkout.venv("python"),
                [
                    Checkout.script("client.py"), "--proto", Checkout.protoDirectory, "--token",
                    try await fleet.newToken(), "--plan", ExamplePlan.guests.name, "--state", state,
                ], output: output, errors: errors)
            defer { client.signal(SIGKILL) }
            try await wait(for: "the client is ready") {
                guard client.isRunning else { throw Unexpected(try text(of: errors)) }
                return try text(of: output).contains("\"ready\"")
            }

            let job: JobAnswer = try await fleet.administer([
                "round", "start", ExamplePlan.guests.name, "--watch",
            ])

            let status = try await client.end(within: 30)
            guard status == 0 else { throw Unexpected(try text(of: errors)) }
            #expect(job.state == "finished")
            let list: RoundsAnswer = try await fleet.administer([
                "round", "list", ExamplePlan.guests.name,
            ])
            let round: RoundAnswer = try await fleet.administer([
                "round", "show", "\(try #require(list.rounds.last).round)",
            ])
            #expect(round.published)
            #expect(round.selected == 3)
            #expect(round.reported == 3)
            let agents: AgentsAnswer = try await fleet.administer(["agent", "list"])
            #expect(agents.agents.contains { $0.version == "0.1-python" })
            // What it downloaded is what was signed, and the trust set it was given says by whom.
            let export: ExportAnswer = try await fleet.administer([
                "model", "export", ExamplePlan.guests.name, "--version",
                "\(round.modelVersion - 1)", "--output", "\(state)/export",
            ])
            #expect(
                FileManager.default.contentsEqual(
                    atPath: "\(state)/model/model.onnx", andPath: export.modelDir + "/model.onnx"))
            #expect(
                FileManager.default.contentsEqual(
                    atPath: "\(state)/model.sig", andPath: export.signature))
            let verified = try await run(
                .verifier, "model", export.modelDir, "--trust", "\(state)/trust-set.json")
            #expect(verified.status == 0, "\(verified)")
        }
    }
}

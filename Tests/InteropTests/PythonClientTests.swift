import Foundation
import Testing

extension InteropTests.WithFleet {
    @Suite("A client in Python, from the .proto files alone")
    struct PythonClientTests {
        @Test("enrols, takes part in a round beside two agents, and is counted")
        func takesPart() async throws {
            let fleet = try ExampleFleet.current
            let state = fleet.directory.appending(path: "python").path
            let client = try RunningProgram(
                Checkout.venv("python"),
                [
                    Checkout.script("client.py"), "--proto", Checkout.protoDirectory, "--token",
                    try await fleet.newToken(), "--plan", ExamplePlan.beads.name, "--state", state,
                ], output: fleet.directory.appending(path: "python.log"),
                errors: fleet.directory.appending(path: "python.errors"))
            try await wait(for: "the client is ready, or at its end") {
                let log = try text(of: fleet.directory.appending(path: "python.log"))
                return log.contains("\"ready\"") || !client.isRunning
            }

            let job: JobAnswer = try await fleet.administer([
                "round", "start", ExamplePlan.beads.name, "--watch",
            ])

            let status = try await client.end(within: 30)
            let errors = try text(of: fleet.directory.appending(path: "python.errors"))
            try #require(status == 0, "\(errors)")
            #expect(job.state == "finished")
            let list: RoundsAnswer = try await fleet.administer([
                "round", "list", ExamplePlan.beads.name,
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
            let verified = try await run(
                .verifier, "model", "\(state)/model", "--trust", "\(state)/trust-set.json")
            #expect(verified.status == 0, "\(verified)")
        }
    }
}

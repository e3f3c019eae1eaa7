import Foundation
import Testing

extension InteropTests {
    @Suite("A plan that has devices hold examples out")
    struct HeldOutTests {
        private static let rows = 300

        @Test("its version is measured with them, and only the device's owner hears of it")
        func measured() async throws {
            let plan = ExamplePlan(name: "kept", format: .csv, agents: 1, heldOut: 0.2)
            try await ExampleFleet.withFleet([plan]) { fleet in
                let agent = try await fleet.enrol("one", rows: Self.rows)
                try await fleet.startAgent("one")
                try await fleet.awaitReadiness(of: 1, plan: plan)
                let job: JobAnswer = try await fleet.administer([
                    "round", "start", plan.name, "--watch",
                ])
                #expect(job.state == "finished")

                var told: StatusAnswer.Status.Plan?
                try await wait(for: "the measure of version 1, see \(agent.log.path)") {
                    told = try await status(of: agent)?.status.plans.first
                    return told?.heldOut?.modelVersion == 1
                }
                let line = try #require(told)
                let heldOut = try #require(line.heldOut)
                #expect(heldOut.examples > 0)
                #expect(line.examples + heldOut.examples == Self.rows)
                #expect((0.4...1).contains(heldOut.accuracy))

                // The coordinator knows of the rows that are trained on and of no others.
                let agents: AgentsAnswer = try await fleet.administer(["agent", "list"])
                #expect(agents.agents.first?.plans.first?.examples == line.examples)
                #expect(try !text(of: fleet.coordinatorLog).contains("held out"))
            }
        }
    }
}

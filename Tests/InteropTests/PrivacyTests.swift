import Foundation
import Testing

extension InteropTests {
    /// The third agent's owner wants more noise than the first plan gives.
    @Suite("Privacy between processes", .fleet(.masked, .moving))
    struct PrivacyTests {
        @Test("agents add noise of their own, and one whose floor is higher stays out and says so")
        func localNoise() async throws {
            let fleet = try ExampleFleet.current
            let wary = try await fleet.enrol(
                "wary", for: [.masked], rows: 60, localNoiseFloor: 0.75)
            try await fleet.startAgent("wary")
            try await wait(for: "the wary agent has read the plan") {
                try text(of: wary.log).contains("plan refused")
            }
            let doctor = try await run(.agent, "doctor", "--config", wary.configuration, "--json")
            #expect(doctor.status != 0)
            #expect(doctor.output.contains("noise of masked"))
            let status = try await run(.agent, "status", "--config", wary.configuration)
            #expect(status.output.contains("this device's floor is 0.75"), "\(status)")

            let job: JobAnswer = try await fleet.administer(["round", "start", "masked", "--watch"])
            #expect(job.state == "finished")
            // The curator sees who came: of three, the two that are willing.
            #expect(job.rounds.last?.reported == 2)
            let plan: PlanAnswer = try await fleet.administer(["plan", "show", "masked"])
            #expect(plan.modelVersion == 1)
            #expect((plan.localEpsilon ?? 0) > 1)
            try await expectSecrecy(of: "masked", in: fleet)
        }

        @Test("a clipping norm moves from round to round, on both sides of the wire")
        func adaptive() async throws {
            let fleet = try ExampleFleet.current
            let job: JobAnswer = try await fleet.administer([
                "round", "start", "moving", "--rounds", "3", "--watch",
            ])
            #expect(job.state == "finished")
            let norms = job.rounds.compactMap(\.clippingNorm)
            #expect(norms.first == 1)
            #expect(Set(norms).count == 3, "\(norms)")
            let plan: PlanAnswer = try await fleet.administer(["plan", "show", "moving"])
            #expect(plan.clippingNorm != norms.last)
            try await expectSecrecy(of: "moving", in: fleet)
        }

        /// Neither the lists nor the coordinator's log tell how many took part, who, and with how much.
        private func expectSecrecy(of plan: String, in fleet: ExampleFleet) async throws {
            let list: RoundsAnswer = try await fleet.administer(["round", "list", plan])
            #expect(!list.rounds.isEmpty)
            #expect(list.rounds.allSatisfy { $0.selected == nil && $0.reported == nil })
            let agents: AgentsAnswer = try await fleet.administer(["agent", "list"])
            let held = agents.agents.flatMap(\.plans).filter { $0.plan == plan }
            #expect(!held.isEmpty && held.allSatisfy { $0.examples <= 1 })
            let rounds = try text(of: fleet.coordinatorLog).split(separator: "\n").filter {
                $0.contains("round=") || $0.contains("update")
            }
            #expect(!rounds.isEmpty)
            for agent in agents.agents {
                #expect(!rounds.contains { $0.contains(agent.agent) })
            }
        }
    }
}

import CoordinatorService
import Federation
import Foundation
import Glibc
import Registry
import Testing
import Wire

@Suite("Rounds whose clipping norm adapts", .timeLimit(.minutes(10)))
struct AdaptiveRoundTests {
    private static let plan = TinyPlan(
        privacy: TinyPlan.privacy(noise: 0.05), clipping: "adaptive = true\ncount_noise = 0.5")

    @Test("each release carries the next norm, which a restart neither loses nor applies again")
    func restart() async throws {
        try await FleetUnderTest.inTurn { directory in
            try await FleetUnderTest.initialise(directory)
            let (agents, job, first) = try await FleetUnderTest.serve(directory) { fleet in
                let (admin, agents) = try await fleet.prepare(Self.plan, agents: 3)
                #expect(try await admin.plan("tiny").clippingNorm == 1)
                let job = try await admin.start("tiny")
                #expect(try await agents[0].assignment().lattice?.clippingNorm == 1)
                try await submitFromAll(agents)
                #expect(try await admin.watchToEnd(job).rounds.first?.clippingNorm == 1)

                // This round loses its coordinator after its lattice was given out.
                let next = try await admin.start("tiny")
                _ = try await agents[0].assignment()
                return (agents, next, try await admin.plan("tiny").clippingNorm)
            }
            // All three said that they were not clipped; the count's noise has deviation 1 / 6.
            let share = 0.5 - log(first) / 0.2
            #expect(first != 1 && abs(share - 1) < 1.5, "C = \(first)")
            try await FleetUnderTest.serve(directory) { fleet in
                let admin = try await fleet.admin()
                #expect(try await admin.plan("tiny").clippingNorm == first)
                var back: [ScriptedAgent] = []
                for agent in agents { back.append(try await agent.reconnected(to: fleet)) }
                let lattice = try await back[0].assignment().lattice
                #expect((lattice?.clippingNorm).map { Double($0) } == first)
                try await submitFromAll(back)
                #expect(try await admin.watchToEnd(job).rounds.first?.clippingNorm == first)
            }
            try await expectChain(directory, first: first)
        }
    }

    /// The norms in the registry and in the log are one chain over both rounds.
    private func expectChain(_ directory: TemporaryDirectory, first: Double) async throws {
        let state = try StateDirectory(path: directory.file("state"))
        let registry = try state.registry()
        let rounds = try await registry.rounds(plan: nil)
        #expect(rounds.map(\.phase) == [.published, .published])
        #expect(rounds[0].nextClippingNorm.map { Double($0) } == first)
        #expect(rounds[1].clippingNorm == rounds[0].nextClippingNorm)
        let models = try await registry.models(rounds[0].plan)
        #expect(
            models.map(\.clippingNorm) == [
                nil, rounds[0].nextClippingNorm, rounds[1].nextClippingNorm,
            ])
        let sealed = try await registry.events(from: 0, limit: 100).compactMap { event in
            let leaf =
                try JSONSerialization.jsonObject(with: Data(event.leaf)) as? [String: Any]
            return leaf?["nextClippingNorm"] as? String
        }
        #expect(
            sealed
                == rounds.map { "\(Double($0.nextClippingNorm ?? 0))" })
    }

    @Test("a norm that the plan fixes is nowhere in the registry")
    func fixed() async throws {
        try await FleetUnderTest.run { fleet in
            let (admin, agents) = try await fleet.prepare(TinyPlan(), agents: 3)
            let job = try await admin.start("tiny")
            try await submitFromAll(agents)
            #expect(try await admin.watchToEnd(job).rounds.first?.clippingNorm == 0)
            #expect(try await admin.plan("tiny").clippingNorm == 1)
            let registry = try fleet.registry()
            let round = try await registry.round(RoundID(1))
            #expect(round.clippingNorm == nil && round.nextClippingNorm == nil)
        }
    }
}

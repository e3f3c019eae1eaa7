import CoordinatorService
import Federation
import Foundation
import Testing
import Wire

@Suite("The order in which updates arrive", .timeLimit(.minutes(10)))
struct ArrivalOrderTests {
    private static let agents = 12

    /// Equal in every run, so that whatever differs between two models comes from the updates.
    private var replayed: RoundRandomness {
        RoundRandomness(rotationSeed: { 7 }, noise: { SeededRandom(seed: 8) })
    }

    @Test("leaves no trace: the same 12 updates in three orders give byte-identical models")
    func threeOrders() async throws {
        try await FleetUnderTest.inTurn { directory in
            let plan = TinyPlan(
                privacy: TinyPlan.privacy(noise: 0.5, agents: Self.agents), agents: Self.agents)
            try await FleetUnderTest.initialise(directory)
            let agents = try await FleetUnderTest.serve(directory) {
                try await $0.prepare(plan, agents: Self.agents).agents
            }
            let forwards = Array(0..<Self.agents)
            var random = SeededRandom(seed: 9)
            let orders = [forwards, forwards.reversed(), forwards.shuffled(using: &random)]
            var models: [[UInt8]] = []
            for order in orders {
                models.append(try await published(from: directory, agents, in: order))
            }
            #expect(models[0].count > 1000)
            #expect(models[1] == models[0])
            #expect(models[2] == models[0])

            // One update less is another model, or equality would mean nothing.
            let fewer = try await published(from: directory, agents, in: Array(forwards.dropLast()))
            #expect(fewer != models[0])
        }
    }

    /// Runs one round on a copy of the fleet in `directory` and returns the model it publishes.
    ///
    /// - Parameter order: who submits, one after another; the others decline.
    private func published(
        from directory: TemporaryDirectory, _ agents: [ScriptedAgent], in order: [Int]
    ) async throws -> [UInt8] {
        let copy = try TemporaryDirectory()
        try FileManager.default.copyItem(
            atPath: directory.file("state"), toPath: copy.file("state"))
        return try await FleetUnderTest.serve(copy, randomness: replayed) { fleet in
            let admin = try await fleet.admin()
            let job = try await admin.start("tiny")
            var members: [(agent: ScriptedAgent, assignment: Assignment)] = []
            for agent in agents {
                let member = try await agent.reconnected(to: fleet)
                members.append((member, try await member.assignment()))
            }
            for index in order {
                let (agent, assignment) = members[index]
                let update = try exampleUpdate(assignment, seed: UInt64(index))
                #expect(try await agent.submit(assignment, update).verdict == .accepted)
            }
            for (agent, assignment) in members where try await agent.heartbeat(assignment).wanted {
                try await agent.decline(assignment)
            }
            let ended = try await admin.watchToEnd(job)
            #expect(ended.rounds.first?.reported == UInt32(order.count))
            let model = try #require(try await admin.latestModel(of: "tiny").model)
            #expect(model.version == 1)
            return try await members[0].agent.download(model.modelDigest)
        }
    }
}

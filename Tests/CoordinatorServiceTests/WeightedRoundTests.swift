import CoordinatorService
import Federation
import Foundation
import Registry
import Testing
import UpdateCodec
import Wire

@Suite("A round without privacy", .timeLimit(.minutes(10)))
struct WeightedRoundTests {
    @Test("moves the weights by the average of the updates, each weighed by its examples")
    func weights() async throws {
        try await FleetUnderTest.run { fleet in
            let plan = TinyPlan(privacy: nil, agents: 2)
            let (admin, agents) = try await fleet.prepare(plan, agents: 2)
            let job = try await admin.start("tiny")
            let examples: [UInt64] = [30, 10]
            var expected = [Double](repeating: 0, count: TinyPlan.parameters)
            for index in 0..<2 {
                let assignment = try await agents[index].assignment()
                let update = try exampleUpdate(assignment, seed: UInt64(index))
                let status = try await agents[index].submit(
                    assignment, update, examples: examples[index])
                #expect(status.verdict == .accepted)
                let lattice = try Lattice(try #require(assignment.lattice))
                let delta = try UpdateCodec.decode(
                    sum: unpacked(update).map(Int64.init), lattice: lattice, denominator: 1)
                for (parameter, change) in delta.enumerated() {
                    expected[parameter] += Double(change) * Double(examples[index]) / 40
                }
            }
            let ended = try await admin.watchToEnd(job)
            #expect(ended.state == "finished")
            #expect(ended.epsilon < 0 && ended.agentsForEpsilon4 == 0)
            let round = try #require(ended.rounds.first)
            #expect(round.epsilon < 0 && round.selected == 2 && round.reported == 2)

            let registry = try fleet.registry()
            let tiny = try #require(PlanID("tiny"))
            let before = try await master(registry, tiny, version: 0)
            let after = try await master(registry, tiny, version: 1)
            for parameter in 0..<TinyPlan.parameters {
                let moved = Double(after[parameter] - before[parameter])
                #expect(abs(moved - expected[parameter]) < 1e-5)
            }
            #expect(try await registry.ledger(population: "tiny").isEmpty)
        }
    }

    private func master(
        _ registry: Registry, _ plan: PlanID, version: UInt64
    ) async throws -> [Float] {
        let bytes = try await registry.blob(
            try await registry.model(plan, version: version).masterDigest)
        return bytes.withUnsafeBytes { bytes in
            stride(from: 0, to: bytes.count, by: 4).map {
                Float(bitPattern: bytes.loadUnaligned(fromByteOffset: $0, as: UInt32.self))
            }
        }
    }

    @Test("is abandoned when too few updates arrive by the deadline, and its job fails saying so")
    func tooFewReports() async throws {
        try await FleetUnderTest.run { fleet in
            let plan = TinyPlan(privacy: nil, agents: 2, reportSeconds: 1)
            let (admin, agents) = try await fleet.prepare(plan, agents: 2)
            let job = try await admin.start("tiny")
            let first = try await agents[0].assignment()
            let second = try await agents[1].assignment()
            let update = try exampleUpdate(first)
            #expect(try await agents[0].submit(first, update).verdict == .accepted)
            let ended = try await admin.watchToEnd(job)
            let reason = "only 1 update arrived before the deadline and the plan needs 2"
            #expect(ended.state == "failed" && ended.detail == reason)
            let round = try #require(ended.rounds.first)
            #expect(round.phase == "abandoned" && round.reason == reason && !round.published)
            // Who comes too late is told so, and the next round starts from the same version.
            #expect(try await agents[1].submit(second, update).verdict == .gone)
            #expect(try await admin.plan("tiny").modelVersion == 0)
        }
    }

    @Test("is abandoned when too few agents are there to select")
    func tooFewAgents() async throws {
        try await FleetUnderTest.run { fleet in
            let plan = TinyPlan(privacy: nil, agents: 2, selectionSeconds: 1)
            let (admin, agents) = try await fleet.prepare(plan, agents: 2)
            let job = try await admin.start("tiny")
            _ = try await agents[0].assignment()
            let ended = try await admin.watchToEnd(job)
            #expect(ended.state == "failed")
            #expect(ended.detail == "only 1 agent was ready and the plan needs 2")
        }
    }

    @Test("goes on without an agent that declines or falls silent, when enough report")
    func dropOuts() async throws {
        try await FleetUnderTest.run { fleet in
            let plan = TinyPlan(
                privacy: nil, agents: 4, minimum: 2, reportSeconds: 2, leaseSeconds: 1)
            let (admin, agents) = try await fleet.prepare(plan, agents: 4)
            let job = try await admin.start("tiny")
            try await agents[0].decline(try await agents[0].assignment())
            _ = try await agents[1].assignment()
            try await submitFromAll(Array(agents[2...]))
            let ended = try await admin.watchToEnd(job)
            #expect(ended.state == "finished", "\(ended.detail)")
            #expect(ended.rounds.first?.reported == 2)
        }
    }

    @Test("counts as selected only the agents that got a place")
    func places() async throws {
        try await FleetUnderTest.run { fleet in
            let plan = TinyPlan(privacy: nil, agents: 2)
            let (admin, agents) = try await fleet.prepare(plan, agents: 3)
            let job = try await admin.start("tiny")
            var assignments: [Assignment] = []
            for agent in agents[..<2] { assignments.append(try await agent.assignment()) }
            let readiness = try await agents[2].readiness("tiny")
            #expect(try await agents[2].checkIn([readiness]).next != nil)
            for (agent, assignment) in zip(agents, assignments) {
                let update = try exampleUpdate(assignment)
                #expect(try await agent.submit(assignment, update).verdict == .accepted)
            }
            let ended = try await admin.watchToEnd(job)
            #expect(ended.rounds.first?.selected == 2)
            #expect(ended.rounds.first?.reported == 2)
        }
    }
}

import Federation
import Foundation
import Privacy
import Registry
import Testing
import UpdateCodec
import Wire

@Suite("Rounds whose agents add noise themselves", .timeLimit(.minutes(10)))
struct LocalNoiseRoundTests {
    private static let plan = TinyPlan(privacy: TinyPlan.privacy(localNoise: 1))

    @Test("go from wide updates to a version, and say what each end could learn")
    func publishes() async throws {
        try await FleetUnderTest.run { fleet in
            let (admin, agents) = try await fleet.prepare(Self.plan, agents: 3)
            let job = try await admin.start("tiny")
            let assignment = try await agents[0].assignment()
            let lattice = try Lattice(try #require(assignment.lattice))
            #expect(lattice.elementBits == 16)
            // Far beyond the norm of any int8 update: all that can be checked is the range.
            var values = [Int64](repeating: 20_000, count: lattice.dimension)
            values[3] = -32_767
            let noised = UpdateElements.wide(values).packed(on: lattice)
            #expect(try await agents[0].submit(assignment, noised).verdict == .accepted)
            try await submitFromAll(Array(agents[1...]))
            let ended = try await admin.watchToEnd(job)
            #expect(ended.state == "finished", "\(ended.detail)")
            #expect(ended.rounds.first?.bytesIn == 3 * 2 * UInt64(TinyPlan.latticeDimension))
            let plan = try await admin.plan("tiny")
            #expect(plan.localNoiseMultiplier == 1)
            let parsed = PrivacyPlan(
                noiseMultiplier: 0.05, delta: 1e-3, sampling: .everyone, agents: 3,
                maxEpsilon: nil, localNoiseMultiplier: 1)
            #expect(plan.localEpsilon == parsed.localEpsilon(rounds: 1))
            #expect(plan.localEpsilon > 0 && plan.epsilon > plan.localEpsilon)
        }
    }

    @Test("count against the coordinator although they were cancelled before their charge")
    func cancelled() async throws {
        try await FleetUnderTest.run { fleet in
            let (admin, agents) = try await fleet.prepare(Self.plan, agents: 3)
            let job = try await admin.start("tiny")
            try await submitFromAll([agents[0]])
            _ = try await admin.ask(.roundCancel(RoundCancel(round: 1)))
            #expect(try await admin.watchToEnd(job).state == "cancelled")
            let otherNoise = TinyPlan(privacy: TinyPlan.privacy(localNoise: 2))
            #expect(await refusal { try await admin.apply(otherNoise.text) }?.code == .conflict)
            let next = try await admin.start("tiny")
            try await submitFromAll(agents)
            #expect(try await admin.watchToEnd(next).state == "finished")

            let privacy = PrivacyPlan(
                noiseMultiplier: 0.05, delta: 1e-3, sampling: .everyone, agents: 3,
                maxEpsilon: nil, localNoiseMultiplier: 1)
            let both = try #require(privacy.localEpsilon(rounds: 2))
            #expect(try await admin.plan("tiny").localEpsilon == both)
            // What is signed says so, too; charged was the one of them.
            let model = try await fleet.registry().model(
                try #require(PlanID("tiny")), version: 1)
            let statement = try #require(model.files.first { $0.name == "provenance.json" })
            let text = String(
                decoding: try await fleet.registry().blob(statement.digest), as: UTF8.self)
            #expect(text.contains("\"localEpsilon\":\"\(both)\""), "\(text)")
            #expect(text.contains("\"rounds\":\"1\""), "\(text)")
        }
    }

    @Test("reject an update outside the range or of another width, and go on without it")
    func rejects() async throws {
        try await FleetUnderTest.run { fleet in
            let (admin, agents) = try await fleet.prepare(Self.plan, agents: 3)
            let job = try await admin.start("tiny")
            let first = try await agents[0].assignment()
            let lattice = try Lattice(try #require(first.lattice))
            // -32768 is no element: an update has as many values above zero as below.
            let outside = [UInt8](repeating: 0, count: lattice.updateBytes - 2) + [0x00, 0x80]
            let status = try await agents[0].submit(first, outside)
            #expect(status.verdict == .rejected && status.reason == "normBound")
            let second = try await agents[1].assignment()
            let narrow = [UInt8](repeating: 1, count: lattice.dimension)
            let other = try await agents[1].submit(second, narrow)
            #expect(other.verdict == .rejected && other.reason == "wrongDimension")
            try await submitFromAll([agents[2]])
            let ended = try await admin.watchToEnd(job)
            #expect(ended.state == "finished")
            #expect(ended.rounds.first?.reported == 1)
        }
    }
}

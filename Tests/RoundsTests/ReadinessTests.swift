import Federation
import Rounds
import Testing

@Suite("Readiness")
struct ReadinessTests {
    @Test("is for the current text of the plan and at least one example")
    func ready() throws {
        let plan = try #require(PlanID("example"))
        let current = try #require(Digest(bytes: [UInt8](repeating: 1, count: 32)))
        let old = try #require(Digest(bytes: [UInt8](repeating: 2, count: 32)))
        func isReady(_ digest: Digest?, _ examples: UInt64) -> Bool {
            Readiness(
                plan: plan, planDigest: digest, examples: examples, unreadable: 3,
                modelVersion: nil
            ).isReady(forPlan: current)
        }
        #expect(isReady(current, 1))
        #expect(!isReady(current, 0))
        #expect(!isReady(old, 1))
        #expect(!isReady(nil, 1))
    }
}

@Suite("Pace steering")
struct PaceSteeringTests {
    @Test("spreads agents over half to one and a half times the pace")
    func spread() {
        var random = SeededRandom(seed: 1)
        let pace = PaceSteering(comeBackSeconds: 60)
        let delays = (0..<2000).map { _ in pace.delay(random: &random) }
        #expect(delays.allSatisfy { (30...90).contains($0) })
        // Uniform: every tenth of the range gets a tenth of the agents, within five deviations.
        for tenth in 0..<10 {
            let range = (30 + 6 * UInt32(tenth))..<(36 + 6 * UInt32(tenth))
            let share = delays.count { range.contains($0) }
            #expect(abs(share - 200) < 70)
        }
    }

    @Test("never sends an agent back at once", arguments: [0, 0.1, 1])
    func atLeastASecond(pace: Double) {
        var random = SeededRandom(seed: 2)
        for _ in 0..<100 {
            #expect((1...2).contains(PaceSteering(comeBackSeconds: pace).delay(random: &random)))
        }
    }

    @Test("holds a check-in as long as both sides allow")
    func hold() {
        #expect(PaceSteering.hold(offered: 20, limit: 30) == 20)
        #expect(PaceSteering.hold(offered: 40, limit: 30) == 30)
        #expect(PaceSteering.hold(offered: 0, limit: 30) == 0)
        #expect(PaceSteering.hold(offered: .max, limit: 300) == 300)
    }
}

import Federation
import Rounds
import Testing

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

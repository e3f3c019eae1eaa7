import Federation
import Rounds
import Testing

@Suite("The worked example of Rounds")
struct WorkedExampleTests {
    @Test("does what its catalogue says")
    func example() throws {
        let rules = try #require(openRules(agents: 1, minimum: 1, overSelection: 1))
        let agent = try #require(AgentID("agent-1"))
        let now = MonotonicInstant(nanoseconds: 0)
        var random = SeededRandom(seed: 1)

        var round = RoundMachine(rules: rules, population: [agent], now: now)
        let offer = round.offer(to: agent, coin: rules.drawCoin(random: &random), now: now)
        let begin = round.advance(now: now.advanced(bySeconds: 1))
        let isCounted = round.reported(by: agent)
        let step = round.advance(now: now.advanced(bySeconds: 20))

        guard case .assign = offer, case .beginTraining = begin, case .aggregate = step else {
            Issue.record("\(offer), \(begin), \(step)")
            return
        }
        #expect(isCounted)
    }
}

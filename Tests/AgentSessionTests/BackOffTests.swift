import AgentSession
import Federation
import Testing

@Suite("Back-off")
struct BackOffTests {
    @Test("each delay lies under a bound that doubles to the cap")
    func bounds() {
        var random = SeededRandom(seed: 3)
        for _ in 0..<200 {
            var backOff = BackOff(first: 0.5, cap: 60)
            for bound in [0.5, 1, 2, 4, 8, 16, 32, 60, 60, 60] {
                let delay = backOff.next(random: &random)
                #expect(delay >= 0 && delay < bound)
            }
        }
    }

    @Test("the jitter is full: delays fill the whole interval")
    func fullJitter() {
        var random = SeededRandom(seed: 4)
        let delays = (0..<2_000).map { _ in
            var backOff = BackOff(first: 1, cap: 60)
            return backOff.next(random: &random)
        }
        for tenth in 0..<10 {
            let low = Double(tenth) / 10
            let inside = delays.filter { $0 >= low && $0 < low + 0.1 }.count
            #expect((120...280).contains(inside))
        }
    }

    @Test(
        "agents that are cut off at once do not come back at once, and no client dies (Flower 766)")
    func neverTogether() throws {
        // When each of 1,000 agents tries for the tenth time, in seconds after the cut.
        var tries: [Double] = []
        for seed in 0..<1_000 {
            var machine = newMachine(seed: UInt64(seed))
            var now = 0.0
            for _ in 0..<10 {
                let action = machine.connectionFailed(Example.broken, now: Example.time(now))
                let wait = try #require(pause(action, from: now))
                #expect(wait.seconds < 60)
                now += wait.seconds
                #expect(machine.waited(now: Example.time(now)) == .connect)
            }
            tries.append(now)
        }
        let busiest = Dictionary(grouping: tries) { Int($0) }.values.map(\.count).max() ?? 0
        #expect(busiest < 30, "\(busiest) agents in one second")
    }

    @Test("a reset begins again at the first bound")
    func reset() {
        var random = SeededRandom(seed: 5)
        var backOff = BackOff(first: 0.5, cap: 60)
        for _ in 0..<20 { _ = backOff.next(random: &random) }
        backOff.reset()
        for _ in 0..<100 {
            var fresh = backOff
            #expect(fresh.next(random: &random) < 0.5)
        }
    }

    @Test("a first bound above the cap is the cap")
    func capBelowFirst() {
        var random = SeededRandom(seed: 6)
        for _ in 0..<100 {
            var backOff = BackOff(first: 10, cap: 2)
            #expect(backOff.next(random: &random) < 2)
        }
    }

    @Test("an agent that is refused waits at least half the cap, whatever came before")
    func slow() {
        var random = SeededRandom(seed: 7)
        let backOff = BackOff(first: 0.5, cap: 60)
        for _ in 0..<200 {
            let delay = backOff.slow(random: &random)
            #expect(delay >= 30 && delay < 60)
        }
    }
}

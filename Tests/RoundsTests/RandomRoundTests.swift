import Federation
import Rounds
import Testing

/// Rounds driven as the coordinator drives them, by events drawn from a seed: whatever comes, the driver cannot spin, a
/// round ends in time, and nobody who may not take part does.
@Suite("Rounds under random events")
struct RandomRoundTests {
    @Test("keep their promises whatever happens, without privacy", arguments: 0..<300)
    func open(seed: Int) throws {
        var random = SeededRandom(seed: UInt64(seed))
        let rules = try #require(
            openRules(
                agents: .random(in: 1...6, using: &random), minimum: 1,
                overSelection: .random(in: 1...2, using: &random),
                leaseSeconds: .random(in: 0...90, using: &random)))
        try RandomRound(rules, random: random).run()
    }

    @Test("keep their promises whatever happens, with privacy", arguments: 0..<300)
    func `private`(seed: Int) throws {
        let rules = try #require(privateRules(sampling: .poisson(rate: 0.5)))
        try RandomRound(rules, random: SeededRandom(seed: UInt64(seed))).run()
    }
}

/// One seeded round and what must hold of it, kept beside the machine in plain sets.
private final class RandomRound {
    private let trial: Trial
    private let rules: SelectionRules
    private var random: SeededRandom
    private var now = 0.0
    private var wakes = Double.infinity
    private var end: RoundMachine.Step?
    private var hasBegun = false
    private var coins: [Int: Bool] = [:]
    private var members: Set<Int> = []
    private var reported: Set<Int> = []
    private var gone: Set<Int> = []

    init(_ rules: SelectionRules, random: SeededRandom) {
        self.rules = rules
        self.random = random
        let known = Int.random(in: 0...9, using: &self.random)
        trial = Trial(rules, agents: 9, known: known)
    }

    func run() throws {
        try drive()
        while end == nil {
            // Either something happens before the machine wants to be woken, or its timer fires.
            let next = now + .random(in: 0...15, using: &random)
            if next < wakes {
                now = next
                event(agent: .random(in: 0..<9, using: &random))
            } else {
                now = wakes
            }
            try drive()
        }
        try checkEnd()
    }

    /// Advances until the machine waits, as the coordinator does after every event.
    private func drive() throws {
        for _ in 0..<3 {
            switch trial.advance(at: now) {
            case .wait(let until):
                // What is not in the future would be asked again at once, for ever.
                try #require(until > Trial.instant(now))
                wakes = now + until.seconds(since: Trial.instant(now))
                // Seconds are rounded to nanoseconds on the way; a timer is never early.
                while Trial.instant(wakes) < until { wakes = wakes.nextUp }
                return
            case .beginTraining:
                try #require(!hasBegun)
                hasBegun = true
            case let step:
                end = step
                return
            }
        }
        Issue.record("the machine neither waits nor ends at \(now) s")
        end = .finished
    }

    private func event(agent: Int) {
        switch Int.random(in: 0..<20, using: &random) {
        case 0..<8: offer(agent)
        case 8..<11:
            #expect(trial.heartbeat(agent, at: now) == isWanted(agent))
        case 11..<15:
            #expect(trial.upload(agent, at: now) == isWanted(agent))
        case 15..<18:
            let wanted = isWanted(agent)
            #expect(trial.report(agent) == wanted)
            if wanted { reported.insert(agent) }
        case 18:
            trial.decline(agent)
            if isWanted(agent) { gone.insert(agent) }
        default:
            trial.withdraw(agent)
            if !reported.contains(agent) { gone.insert(agent) }
        }
        #expect(trial.counts == (selected: members.count, reported: reported.count))
    }

    private func isWanted(_ agent: Int) -> Bool {
        members.contains(agent) && !reported.contains(agent) && !gone.contains(agent)
    }

    private func offer(_ agent: Int) {
        let coin = rules.drawCoin(random: &random)
        switch trial.offer(agent, at: now, coin: coin) {
        case .assign(let seconds):
            #expect(!reported.contains(agent) && !gone.contains(agent))
            #expect(seconds > 0 && seconds <= rules.selectionSeconds + rules.reportSeconds)
            guard members.insert(agent).inserted else { return }
            #expect(coins[agent] ?? coin, "a second coin may not overrule the first")
            if rules.isPrivate { #expect(!hasBegun, "a private place was given after selection") }
        case .passedOver:
            #expect(!members.contains(agent))
        case .resolved:
            #expect(reported.contains(agent) || gone.contains(agent))
        case .closed:
            #expect(hasBegun)
            return
        }
        if coins[agent] == nil { coins[agent] = coin }
    }

    private func checkEnd() throws {
        #expect(!trial.isOpen)
        #expect(trial.advance(at: now) == .finished)
        #expect(now <= rules.selectionSeconds + 2 * rules.reportSeconds)
        #expect((0..<9).allSatisfy { !trial.report($0) && !trial.heartbeat($0, at: now) })
        #expect(trial.counts.reported == reported.count)
        switch end {
        case .aggregate:
            #expect(hasBegun)
            #expect(reported.count >= rules.minimum)
        case .abandon(.tooFewSelected(_, let minimum)):
            #expect(!hasBegun && minimum == rules.minimum && !rules.isPrivate)
        case .abandon(.tooFewReports(let got, _)):
            #expect(got == reported.count && got < rules.minimum && !rules.isPrivate)
        default:
            Issue.record("a round that nobody cancelled ended with \(String(describing: end))")
        }
    }
}

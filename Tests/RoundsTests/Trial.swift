import Federation
import Rounds

/// A round on a virtual clock. Agents are numbered; times are seconds since the selection window opened.
final class Trial {
    let agents: [AgentID]
    private var machine: RoundMachine
    /// The monotonic clock starts anywhere.
    private static let opened = MonotonicInstant(nanoseconds: 7_000_000_000_000)

    /// - Parameters:
    ///   - known: how many of the first agents are known to follow the plan when the round opens.
    init(_ rules: SelectionRules, agents count: Int = 8, known: Int? = nil) {
        agents = (0..<count).compactMap { AgentID("agent-\($0)") }
        machine = RoundMachine(
            rules: rules, population: Set(agents.prefix(known ?? count)), now: Self.opened)
    }

    /// Goes on with a round at a time: `members` and `passedOver` are numbers of agents.
    init(
        _ rules: SelectionRules, agents count: Int = 8, resuming phase: PastRound.Phase,
        members: Range<Int>, passedOver: Range<Int>, at seconds: Double
    ) {
        agents = (0..<count).compactMap { AgentID("agent-\($0)") }
        machine = RoundMachine(
            resuming: PastRound(
                phase: phase, population: Set(agents), members: Set(agents[members]),
                passedOver: Set(agents[passedOver])),
            rules: rules, now: Self.instant(seconds))
    }

    static func instant(_ seconds: Double) -> MonotonicInstant {
        opened.advanced(bySeconds: seconds)
    }

    var counts: (selected: Int, reported: Int) { machine.counts }
    var deadline: MonotonicInstant? { machine.deadline }
    var isOpen: Bool { machine.isOpen }
    var takesNewMembers: Bool { machine.takesNewMembers }
    func standing(_ agent: Int) -> Cohort.Standing? { machine.standing(of: agents[agent]) }

    func offer(_ agent: Int, at seconds: Double, coin: Bool = true) -> RoundMachine.Offer {
        machine.offer(to: agents[agent], coin: coin, now: Self.instant(seconds))
    }

    /// Offers places to `range`, which must all be assigned.
    func select(_ range: Range<Int>, at seconds: Double = 0) -> Bool {
        range.allSatisfy {
            if case .assign = offer($0, at: seconds) { true } else { false }
        }
    }

    func heartbeat(_ agent: Int, at seconds: Double) -> Bool {
        machine.heartbeat(from: agents[agent], now: Self.instant(seconds))
    }

    func upload(_ agent: Int, at seconds: Double) -> Bool {
        machine.uploadMoved(from: agents[agent], now: Self.instant(seconds))
    }

    func report(_ agent: Int) -> Bool { machine.reported(by: agents[agent]) }

    func report(_ range: Range<Int>) -> Bool { range.allSatisfy { report($0) } }

    func decline(_ agent: Int) { machine.declined(by: agents[agent]) }

    func withdraw(_ agent: Int) { machine.withdraw(agents[agent]) }

    func cancel() -> Bool { machine.cancel() }

    func advance(at seconds: Double) -> RoundMachine.Step {
        machine.advance(now: Self.instant(seconds))
    }
}

extension RoundMachine.Step {
    /// `wait`, in seconds since the round opened.
    static func wait(untilSecond seconds: Double) -> Self {
        .wait(until: Trial.instant(seconds))
    }
}

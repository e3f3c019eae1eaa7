import Console
import Federation
package import Wire

/// Shows a job of rounds to who watches it: a line for each round that has ended and, on a terminal, a few lines below them
/// that are drawn over: the round at hand, its cohort as it fills, who is still out, accuracy so far and the privacy spent.
package struct WatchDisplay {
    /// What the plan aims at, for the bars.
    package struct Goal: Sendable {
        /// Agents that a round selects; nil where a coin decides or it is not known.
        package var agents: Int?
        /// The most epsilon that may be spent; nil: no limit.
        package var maxEpsilon: Double?

        package init(agents: Int? = nil, maxEpsilon: Double? = nil) {
            self.agents = agents
            self.maxEpsilon = maxEpsilon
        }
    }

    private let screen: Screen
    private let goal: Goal
    private var lines: ProgressDisplay
    /// Lines below the first live one.
    private var extraLines = 0

    private static let cells = 24
    private static let labelWidth = 10

    package init(on screen: Screen, goal: Goal) {
        self.screen = screen
        self.goal = goal
        lines = ProgressDisplay(width: screen.width)
    }

    /// What to write for the newest state of `job`.
    package mutating func update(_ job: JobRecord) -> String {
        guard let width = screen.width else { return lines.update(job) }
        // Up to the first live line; it and all below it go.
        var text = extraLines > 0 ? "\u{1B}[\(extraLines)A\r\u{1B}[J" : ""
        text += lines.update(job)
        let extras = job.isOpen ? details(of: job) : []
        for line in extras { text += "\n" + paintedBar(cut(line, to: width - 1)) }
        extraLines = extras.count
        return text
    }

    private func details(of job: JobRecord) -> [String] {
        [cohort(of: job), accuracy(of: job), privacy(of: job)].compactMap { $0 }
    }

    /// How far the cohort of the round at hand is: who has joined, then who has reported, and who is still out.
    private func cohort(of job: JobRecord) -> String? {
        guard let round = job.rounds.last, !round.withheld,
            round.phase != "published", round.phase != "abandoned"
        else { return nil }
        let (selected, reported) = (Int(round.selected), Int(round.reported))
        if reported == 0, let agents = goal.agents, selected < agents {
            return bar("cohort", Double(selected) / Double(agents))
                + "\(selected) of \(counted(agents, "agent")) joined"
        }
        guard selected > 0 else { return nil }
        let out = selected - reported
        let who = 2 * reported >= selected ? counted(out, "straggler") : "\(out) still at work"
        return bar("reports", Double(reported) / Double(selected))
            + "\(reported) of \(selected)" + (out > 0 ? ", \(who)" : "")
    }

    /// The accuracy of each version so far.
    private func accuracy(of job: JobRecord) -> String? {
        let measured = job.rounds.filter { $0.published && $0.accuracy >= 0 }.map(\.accuracy)
        guard let last = measured.last, measured.count > 1 else { return nil }
        return label("accuracy") + sparkline(measured.suffix(Self.cells)) + "  \(fraction(last)),"
            + " best \(fraction(measured.max() ?? last))"
    }

    /// What of the privacy budget is spent.
    private func privacy(of job: JobRecord) -> String? {
        guard job.epsilon >= 0 else { return nil }
        guard let limit = goal.maxEpsilon, limit > 0, job.epsilon.isFinite else {
            return label("epsilon") + "\(privacyLoss(job.epsilon)) spent, no limit"
        }
        return bar("epsilon", job.epsilon / limit)
            + "\(privacyLoss(job.epsilon)) of \(privacyLoss(limit)) spent"
    }

    private func label(_ name: String) -> String {
        name + String(repeating: " ", count: max(1, Self.labelWidth - name.count))
    }

    private func bar(_ name: String, _ share: Double) -> String {
        let filled = Int(min(max(share, 0), 1) * Double(Self.cells))
        return label(name) + "[" + String(repeating: "#", count: filled)
            + String(repeating: ".", count: Self.cells - filled) + "]  "
    }

    /// The filled part of a bar in colour; nothing counts its characters any more.
    private func paintedBar(_ line: String) -> String {
        guard screen.isColoured, let start = line.firstIndex(of: "#") else { return line }
        let end = line[start...].firstIndex { $0 != "#" } ?? line.endIndex
        return line[..<start] + screen.paint(String(line[start..<end]), .green) + line[end...]
    }
}

/// Values as a line of bars of eight heights, the least the lowest.
package func sparkline(_ values: some Collection<Double>) -> String {
    let bars = Array("▁▂▃▄▅▆▇█")
    guard let least = values.min(), let most = values.max() else { return "" }
    let span = most - least
    return String(
        values.map { value in
            span > 0 ? bars[min(7, Int((value - least) / span * 8))] : bars[3]
        })
}

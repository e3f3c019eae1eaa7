import AdminConsole
import Testing
import Wire

@Suite("The display of watched rounds")
struct WatchDisplayTests {
    private func round(
        _ number: UInt64, _ phase: String, selected: UInt32 = 4, reported: UInt32 = 0,
        accuracy: Double = -1, withheld: Bool = false
    ) -> RoundRecord {
        RoundRecord(
            round: number, phase: phase, seconds: 1, selected: selected, reported: reported,
            published: phase == "published", accuracy: accuracy, epsilon: -1, withheld: withheld)
    }

    private func job(_ rounds: [RoundRecord], epsilon: Double = -1) -> JobRecord {
        JobRecord(
            job: 1, plan: "fashion", roundsWanted: 9, state: "running", rounds: rounds,
            epsilon: epsilon)
    }

    /// The lines below the heading and the rounds that have ended.
    private func live(
        _ job: JobRecord, goal: WatchDisplay.Goal = WatchDisplay.Goal(), width: Int? = 80
    ) -> [String] {
        var display = WatchDisplay(on: Screen(width: width), goal: goal)
        return display.update(job).split(separator: "\n").map(String.init)
    }

    @Test("the cohort is shown as it fills, then the reports, then who is still out")
    func cohort() {
        let goal = WatchDisplay.Goal(agents: 8)
        #expect(
            live(job([round(1, "selecting", selected: 2)]), goal: goal).last
                == "cohort    [######..................]  2 of 8 agents joined")
        #expect(
            live(job([round(1, "training", selected: 8, reported: 2)]), goal: goal).last
                == "reports   [######..................]  2 of 8, 6 still at work")
        #expect(
            live(job([round(1, "training", selected: 8, reported: 6)]), goal: goal).last
                == "reports   [##################......]  6 of 8, 2 stragglers")
        #expect(
            live(job([round(1, "training", selected: 8, reported: 7)]), goal: goal).last?
                .hasSuffix("7 of 8, 1 straggler") == true)
    }

    @Test("counts of a private round that are withheld are not made up")
    func withheld() {
        let lines = live(job([round(1, "training", withheld: true)], epsilon: 1))
        #expect(!lines.contains { $0.hasPrefix("cohort") || $0.hasPrefix("reports") })
    }

    @Test("accuracy is a line of bars with the last and the best")
    func accuracy() {
        let rounds = [0.5, 1, 0.75].enumerated().map {
            round(UInt64($0.offset + 1), "published", accuracy: $0.element)
        }
        #expect(live(job(rounds)).last == "accuracy  ▁█▅  0.7500, best 1.0000")
        #expect(sparkline([1, 1]) == "▄▄" && sparkline([Double]()) == "")
    }

    @Test("epsilon is a gauge where there is a limit")
    func epsilon() {
        let goal = WatchDisplay.Goal(maxEpsilon: 8)
        #expect(
            live(job([], epsilon: 2), goal: goal).last
                == "epsilon   [######..................]  2.00 of 8.00 spent")
        #expect(
            live(job([], epsilon: 20), goal: goal).last?.contains("[####################") == true)
        #expect(live(job([], epsilon: 2)).last == "epsilon   2.00 spent, no limit")
    }

    @Test("the live lines are drawn over by the next and gone at the end, and none wraps")
    func redrawn() {
        var display = WatchDisplay(on: Screen(width: 30), goal: WatchDisplay.Goal(agents: 4))
        let first = display.update(job([round(1, "training", reported: 1)], epsilon: 1))
        let lines: [Substring] = first.split(whereSeparator: \.isNewline)
        #expect(lines.dropFirst().allSatisfy { $0.count <= 29 })
        let second = display.update(job([round(1, "training", reported: 2)], epsilon: 1))
        #expect(second.hasPrefix("\u{1B}[2A\r\u{1B}[J"))
        var ended = job([round(1, "published", reported: 4)], epsilon: 1)
        ended.state = "finished"
        #expect(display.update(ended).hasPrefix("\u{1B}[2A\r\u{1B}[J"))
        #expect(!display.update(ended).contains("\u{1B}[2A"))
    }

    @Test("in a file there are only lines of rounds that have ended")
    func file() {
        let lines = live(
            job([round(1, "published", accuracy: 0.5), round(2, "training")], epsilon: 1),
            width: nil)
        #expect(lines.count == 2)
    }

    @Test("a bar is painted where colours are wanted, and tables' words of state are")
    func colours() {
        var display = WatchDisplay(
            on: Screen(width: 80, isColoured: true), goal: WatchDisplay.Goal(maxEpsilon: 8))
        #expect(display.update(job([], epsilon: 2)).contains("[\u{1B}[32m######\u{1B}[0m...."))
        var table = Table([("PLAN", .left), ("STATE", .state)])
        table.add(["tiny", "ready"])
        table.add(["other", "x"])
        #expect(
            table.text(on: Screen(width: 80, isColoured: true)) == """
                \u{1B}[1mPLAN   STATE\u{1B}[0m
                tiny   \u{1B}[32mready\u{1B}[0m
                other  x

                """)
        #expect(!table.text(width: 80).contains("\u{1B}"))
    }
}

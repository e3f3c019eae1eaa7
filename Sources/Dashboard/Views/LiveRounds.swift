import CoordinatorService
import Federation
import Wire

/// What the template live-rounds says of one round.
struct LiveRoundView {
    struct Step {
        let name: String
        /// The name of a style, and the same in a word.
        let tone: String
        let word: String
        let isNow: Bool
    }

    struct CohortView {
        let most: UInt32
        let reported: UInt32
        let words: String
        let dots: String
    }

    let number: UInt64
    let plan: String
    let attempt: String
    let steps: [Step]
    let cohort: CohortView?
    let withheld: String?
    let facts: [FactLine]

    private static let phases: [RoundPhase] = [
        .selecting, .training, .aggregating, .sealing, .published,
    ]

    init(_ live: LiveRound) {
        let record = live.record
        number = record.round
        plan = record.plan
        attempt = record.attempt > 1 ? "attempt \(record.attempt)" : ""
        let present = Self.phases.firstIndex { $0.rawValue == record.phase }
        steps = Self.phases.enumerated().map { index, phase in
            let isNow = index == present
            let isDone = present.map { index < $0 } ?? false
            return Step(
                name: phase.rawValue, tone: isNow ? "now" : isDone ? "done" : "next",
                word: isNow ? "now" : isDone ? "done" : "to come", isNow: isNow)
        }
        withheld =
            record.withheld
            ? "How many agents take part stays secret: the plan is private, and this dashboard"
                + " listens to other machines." : nil
        cohort = record.withheld ? nil : Self.cohort(live)
        facts = Self.facts(live)
    }

    private static func cohort(_ live: LiveRound) -> CohortView {
        let record = live.record
        let most = max(live.target, record.selected, 1)
        var words =
            "\(grouped(record.reported)) of \(counted(record.selected, "agent")) that were"
            + " selected have reported"
        if live.target > 0 { words += "; it closes with \(grouped(live.target))" }
        if live.uploading > 0 {
            words += "; \(grouped(live.uploading)) \(live.uploading == 1 ? "is" : "are") sending"
        }
        return CohortView(
            most: most, reported: record.reported, words: words + ".",
            dots: cohortDots(
                selected: Int(record.selected), reported: Int(record.reported),
                sending: Int(live.uploading)))
    }

    private static func facts(_ live: LiveRound) -> [FactLine] {
        let record = live.record
        var lines = [FactLine(name: "Running for", value: durationText(record.seconds))]
        if let left = live.secondsLeft {
            lines.append(FactLine(name: "This phase ends within", value: durationText(left)))
        }
        if live.refused > 0 {
            lines.append(FactLine(name: "Updates refused", value: grouped(live.refused)))
        }
        if !record.withheld {
            lines.append(
                FactLine(
                    name: "Received, sent",
                    value: "\(bytesText(record.bytesIn)), \(bytesText(record.bytesOut))"))
        }
        return lines
    }

    /// What is said to those who do not see it change: nothing that changes with each update.
    var announcement: String {
        let phase = steps.first(where: \.isNow)?.name ?? "ended"
        return "Round \(number) of \(plan): \(phase)."
    }
}

/// The part of a page that live-rounds fills.
struct LiveRoundsView {
    let live: [LiveRoundView]
    /// Why none runs, in words.
    let waits: String?
    /// Makes some start.
    let startCommand: String?

    /// - Parameter plans: nil: why none runs is not said here.
    init(_ live: [LiveRound], plans: [PlanRecord]?) {
        self.live = live.map(LiveRoundView.init)
        guard live.isEmpty, let plans else {
            waits = nil
            startCommand = nil
            return
        }
        let held = plans.filter { !$0.waitsFor.isEmpty }.map { "\($0.plan): \($0.waitsFor)." }
        waits =
            plans.isEmpty
            ? "It takes a plan that is ready, and agents." : held.joined(separator: " ").nonEmpty
        let ready = plans.first { $0.state == "ready" && $0.jobsOpen == 0 }
        startCommand = ready.map {
            "tributary-coordinator round start \($0.plan) --rounds 10 --watch --dir DIR"
        }
    }

    var announcement: String {
        live.isEmpty
            ? "No round is in flight." : live.map(\.announcement).joined(separator: " ")
    }
}

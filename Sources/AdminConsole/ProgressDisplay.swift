import Federation
package import Wire

/// Makes a terminal forget its present line.
let clearLine = "\r\u{1B}[K"

/// Turns the states of a job or a plan into text to append to a terminal or a file.
///
/// On a terminal, finished lines stay and one live line below them is drawn over; elsewhere only
/// finished lines are written.
package struct ProgressDisplay {
    /// Columns of the terminal; nil when the text goes elsewhere.
    private let width: Int?
    private var shownRounds: Set<UInt64> = []
    private var hasHeading = false
    private var lastStage = ""

    /// - Parameter width: columns of the terminal; nil when the text goes to a file or a pipe.
    package init(width: Int?) { self.width = width }

    /// What to write for the newest state of `job`: a line for each round that has ended since the
    /// last call.
    package mutating func update(_ job: JobRecord) -> String {
        var text = width == nil ? "" : clearLine
        if !hasHeading {
            text += Self.line("round", "reports", "accuracy", "epsilon", "received", "sent", "time")
            hasHeading = true
        }
        for round in job.rounds where Self.hasEnded(round) {
            if shownRounds.insert(round.round).inserted { text += Self.line(round) }
        }
        guard let width, job.isOpen else { return text }
        return text + cut(Self.liveLine(job), to: width - 1)
    }

    /// What to write for the newest state of `plan`: a line for each new stage of its preparation.
    package mutating func update(_ plan: PlanRecord) -> String {
        let detail = plan.detail.isEmpty ? "" : ": \(printable(plan.detail))"
        let stage = plan.state + detail
        if let width {
            let percent = decimal(plan.progress * 100, places: 0)
            let live = plan.state == "preparing" ? cut("\(stage) \(percent) %", to: width - 1) : ""
            return clearLine + live
        }
        guard stage != lastStage else { return "" }
        lastStage = stage
        return stage + "\n"
    }

    private static func hasEnded(_ round: RoundRecord) -> Bool {
        round.phase == "published" || round.phase == "abandoned"
    }

    private static func line(_ round: RoundRecord) -> String {
        guard round.published else {
            return "\(right("\(round.round)", 5))  \(printable(round.reason))\n"
        }
        let distilled = round.distillation.map { "       distilled: \(Optional($0).text)\n" } ?? ""
        return line(
            String(round.round), round.reports, fraction(round.accuracy),
            privacyLoss(round.epsilon), round.withheld ? "-" : byteCount(round.bytesIn),
            round.withheld ? "-" : byteCount(round.bytesOut), duration(round.seconds)) + distilled
    }

    private static func line(
        _ round: String, _ reports: String, _ accuracy: String, _ epsilon: String,
        _ received: String, _ sent: String, _ time: String
    ) -> String {
        [
            right(round, 5), right(reports, 9), right(accuracy, 8), right(epsilon, 9),
            right(received, 9), right(sent, 9), right(time, 9),
        ].joined(separator: "  ") + "\n"
    }

    private static func liveLine(_ job: JobRecord) -> String {
        guard job.state != "queued" else { return "queued: \(printable(job.detail))" }
        guard let round = job.rounds.last, !hasEnded(round) else {
            return "waiting for round \(job.roundsDone + 1) of \(job.roundsWanted),"
                + " \(counted(job.agentsWaiting, "agent")) here"
        }
        let place = right("\(round.round)", 5) + "  " + right(round.reports, 9)
        guard !round.withheld else { return place + "  \(round.phase), \(duration(round.seconds))" }
        return place + "  \(round.phase), \(byteCount(round.bytesIn)) received,"
            + " \(byteCount(round.bytesOut)) sent, \(duration(round.seconds))"
    }

    private static func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }
}

extension JobRecord {
    /// What a person should know at the end: how far it got, the model's accuracy, and what it cost
    /// in privacy.
    package var summary: String {
        var lines = facts
        if let last = rounds.last(where: \.published) {
            lines += "model version \(last.modelVersion), accuracy \(fraction(last.accuracy))\n"
        }
        guard epsilon >= 0 else {
            return lines + "no noise: this plan gives no privacy guarantee\n"
        }
        lines +=
            "epsilon \(privacyLoss(epsilon)) at delta \(delta), noise multiplier"
            + " \(noiseMultiplier); about \(counted(agentsForEpsilon4, "agent")) would bring it to 4 at the"
            + " same noise per parameter\n"
        return lines
    }
}

import CoordinatorService
import Federation
import Wire

extension Site {
    /// Rounds in flight, and a page of those before, newest first.
    func rounds(_ query: PageQuery) async throws(Fault) -> Page {
        let plan = query.text("plan") ?? ""
        let before = try query.number("before")
        let plans = try await fleet.plans()
        let live = LiveRoundsView(
            try await fleet.roundsInFlight().filter { plan.isEmpty || $0.record.plan == plan },
            plans: plans)
        let records = try await fleet.rounds(plan: plan, before: before, limit: Self.pageRows)
        let filter = plan.isEmpty ? "" : "plan=\(plan.asQuery)"
        let older = records.more ? records.items.last.map { "before=\($0.round)" } : nil
        let pager = PagerLinks(
            newer: before == nil ? nil : address("/rounds", filter),
            older: older.map { address("/rounds", filter, $0) })
        let table = RoundTable(
            records.items,
            empty: before == nil ? "No round has run yet." : "There are no older rounds.")
        let view = RoundsView(
            live: live.live, waits: live.waits, startCommand: live.startCommand,
            durations: durations(records.items),
            heading: plan.isEmpty ? "All rounds, newest first" : "Rounds of \(plan)",
            hasFilter: plans.count > 1,
            choices: plans.map {
                FormChoice(value: $0.plan, label: $0.plan, isChosen: $0.plan == plan)
            }, hasRounds: table.hasRounds, rounds: table.rounds,
            tellsNoCounts: table.tellsNoCounts, emptyRounds: table.emptyRounds,
            hasPager: pager.hasPager, newer: pager.newer, older: pager.older)
        // An older page does not change.
        let path = "/live" + address("/rounds", filter)
        return Page(
            title: "Rounds", area: .rounds, template: .rounds, content: view,
            liveAddress: before == nil ? path : nil, announcement: live.announcement)
    }

    /// How long the rounds of a page took, as a chart; nil for less than two.
    private func durations(_ records: [RoundRecord]) -> String? {
        let points = records.reversed().filter { !RoundRow.isOpen($0) }
            .map { (x: Double($0.round), y: $0.seconds) }
        guard points.count > 1 else { return nil }
        let seconds = points.map(\.y).sorted()
        return LineChart(
            id: "durations", title: "How long rounds took",
            description: "Half of \(grouped(seconds.count)) rounds took at most"
                + " \(durationText(seconds[seconds.count / 2])), the longest"
                + " \(durationText(seconds.last ?? 0)).", xLabel: "round", yLabel: "seconds",
            curves: [LineChart.Curve(name: "seconds", points: points)], yText: axisText
        ).svg.nonEmpty
    }

    /// One round: what it came to and how long each phase took.
    func round(_ number: UInt64) async throws(Fault) -> Page {
        let live = try await fleet.roundsInFlight().first { $0.record.round == number }
        let record: RoundRecord
        if let live { record = live.record } else { record = try await fleet.round(number) }
        let views = LiveRoundsView(live.map { [$0] } ?? [], plans: nil)
        let phases = PhaseLine.lines(record)
        let page = RoundView(
            isLive: live != nil, live: views.live, waits: nil, startCommand: nil,
            reason: record.reason.nonEmpty, facts: facts(of: record),
            phaseBar: BarChart.parts(
                id: "phase-bar", title: "How long each phase took",
                phases.filter { $0.seconds > 0 }.map { ($0.name, $0.seconds) }), phases: phases)
        return Page(
            title: "Round \(number) of \(record.plan)", area: .rounds, template: .round,
            content: page, crumbs: [PageLink(label: "Rounds", href: "/rounds")],
            liveAddress: RoundRow.isOpen(record) ? "/live/rounds/\(number)" : nil,
            announcement: live == nil
                ? "Round \(number): \(RoundRow.outcome(of: record).words)." : views.announcement)
    }

    private func facts(of record: RoundRecord) -> [FactLine] {
        let row = RoundRow(record)
        var facts = [
            FactLine(name: "Plan", value: record.plan, href: "/models/\(record.plan)"),
            FactLine(
                name: "Outcome", value: row.outcome,
                href: record.published ? "/models/\(record.plan)/\(record.modelVersion)" : nil),
        ]
        if !record.published {
            facts.append(
                FactLine(
                    name: "Trained from", value: "version \(record.modelVersion)",
                    href: "/models/\(record.plan)/\(record.modelVersion)"))
        }
        facts += [
            FactLine(name: "Attempt", value: "\(record.attempt)"),
            FactLine(name: "Accuracy", value: row.accuracy),
            FactLine(
                name: "Agents selected",
                value: record.withheld ? "not told: the plan is private" : grouped(record.selected)),
            FactLine(name: "Updates counted", value: row.updates),
            FactLine(name: "Dropped out", value: row.dropped),
            FactLine(
                name: "Received, sent",
                value: record.withheld
                    ? "not told"
                    : "\(bytesText(record.bytesIn)), \(bytesText(record.bytesOut))"),
            FactLine(name: "Privacy spent up to it", value: row.spent),
            FactLine(name: "Took", value: row.took),
        ]
        if record.clippingNorm > 0 {
            facts.append(
                FactLine(name: "Clipping norm", value: fixed(record.clippingNorm, 4)))
        }
        if let trial = record.distillation {
            facts.append(
                FactLine(
                    name: "Distillation",
                    value: "\(accuracyText(trial.accuracyBefore)) before,"
                        + " \(accuracyText(trial.accuracyAfter)) after,"
                        + (trial.accepted ? " kept" : " left out")))
        }
        return facts
    }
}

/// An address with those of the `parts` of its query that are not empty.
func address(_ path: String, _ parts: String...) -> String {
    let query = parts.filter { !$0.isEmpty }.joined(separator: "&")
    return query.isEmpty ? path : "\(path)?\(query)"
}

private struct RoundsView {
    let live: [LiveRoundView]
    let waits: String?
    let startCommand: String?
    let durations: String?
    let heading: String
    let hasFilter: Bool
    let choices: [FormChoice]
    let hasRounds: Bool
    let rounds: [RoundRow]
    let tellsNoCounts: Bool
    let emptyRounds: String
    let hasPager: Bool
    let newer: String?
    let older: String?
    let newerLabel = "Newest rounds"
    let olderLabel = "Older rounds"
}

private struct RoundView {
    let isLive: Bool
    let live: [LiveRoundView]
    let waits: String?
    let startCommand: String?
    let reason: String?
    let facts: [FactLine]
    let phaseBar: String
    let phases: [PhaseLine]
}

/// A phase that a round entered.
private struct PhaseLine {
    let name: String
    let entered: Moment
    let took: String
    let key: String
    let seconds: Double

    /// The phases of a round in the order in which it entered them.
    static func lines(_ record: RoundRecord) -> [PhaseLine] {
        let history = record.history
        var shown = 0
        return history.enumerated().map { index, step in
            let isLast = index == history.count - 1
            let next = isLast ? nil : history[index + 1].unixMilliseconds
            let seconds = next.map { Double($0 - min($0, step.unixMilliseconds)) / 1000 } ?? 0
            let key = seconds > 0 ? BarChart.key(shown) : ""
            if seconds > 0 { shown += 1 }
            return PhaseLine(
                name: step.phase, entered: Moment(unixMilliseconds: step.unixMilliseconds),
                took: next == nil ? nothing : durationText(seconds), key: key, seconds: seconds)
        }
    }
}

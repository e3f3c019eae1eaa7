import CoordinatorService
import Federation
import Wire

extension Site {
    /// The first page: how the fleet is, and the way to every other page.
    func overview() async throws(Fault) -> Page {
        let status = try await fleet.status()
        let plans = try await fleet.plans()
        let isServing = status.state == "serving"
        // Why nothing starts then is said once, at the top.
        let live = LiveRoundsView(
            try await fleet.roundsInFlight(), plans: isServing ? plans : nil)
        let latest = try await fleet.rounds(plan: "", before: nil, limit: 8).items
        var rows: [OverviewPlan] = []
        var curves: [LineChart.Curve] = []
        for plan in plans {
            let points = try await curve(of: plan)
            rows.append(
                OverviewPlan(plan, accuracies: points.map(\.y), tellsWhy: isServing))
            if points.count > 1 {
                curves.append(LineChart.Curve(name: plan.plan, points: points))
            }
        }
        let table = RoundTable(
            latest, empty: "No round has run yet. One needs a plan that is ready and agents.")
        let page = OverviewView(
            trouble: isServing ? nil : OverviewTrouble(status),
            tiles: tiles(status, plans, latest), live: live.live, waits: live.waits,
            startCommand: live.startCommand, chart: chart(curves), hasPlans: !plans.isEmpty,
            plans: rows,
            hasRounds: table.hasRounds, rounds: table.rounds,
            tellsNoCounts: table.tellsNoCounts, emptyRounds: table.emptyRounds)
        return Page(
            title: "Overview", area: .overview, template: .overview, content: page,
            liveAddress: "/live", announcement: live.announcement)
    }

    /// The accuracies of a plan's latest versions in per cent, oldest first.
    private func curve(
        of plan: PlanRecord
    ) async throws(Fault) -> [(x: Double, y: Double)] {
        guard plan.hasModel else { return [] }
        return try await fleet.models(plan.plan, upTo: plan.modelVersion, count: 100)
            .filter { $0.accuracy >= 0 }
            .map { (Double($0.model?.version ?? 0), 100 * $0.accuracy) }
    }

    /// The curves of the first plans in one chart; nil without any.
    private func chart(_ curves: [LineChart.Curve]) -> String? {
        let shown = Array(curves.prefix(LineChart.styles))
        let description = shown.map { curve in
            "\(curve.name): from \(fixed(curve.points.first?.y ?? 0, 2)) % to"
                + " \(fixed(curve.points.last?.y ?? 0, 2)) %"
        }
        return LineChart(
            id: "overview-curve", title: "Accuracy by version",
            description: description.joined(separator: "; "), xLabel: "version",
            yLabel: "accuracy, %", curves: shown, yText: axisText
        ).svg.nonEmpty
    }

    private func tiles(
        _ status: StatusRecord, _ plans: [PlanRecord], _ latest: [RoundRecord]
    ) -> [Tile] {
        let unavailable =
            status.agentsUnavailable > 0
            ? ", \(grouped(status.agentsUnavailable)) take no work" : ""
        var tiles = [
            Tile(
                label: "Agents here", value: grouped(status.agentsHere),
                note: "of \(grouped(status.agents)) enrolled\(unavailable)", href: "/agents"),
            Tile(
                label: "Rounds in flight", value: grouped(status.rounds.count),
                note: status.jobsQueued > 0
                    ? "\(counted(status.jobsQueued, "job")) queued" : "nothing queued",
                href: "/rounds"),
        ]
        if let published = latest.first(where: \.published) {
            tiles.append(
                Tile(
                    label: "Newest model", value: accuracyText(published.accuracy),
                    note: "\(published.plan), version \(published.modelVersion)",
                    href: "/models/\(published.plan)/\(published.modelVersion)"))
        } else if let plan = plans.first(where: \.hasModel) {
            tiles.append(
                Tile(
                    label: "Newest model", value: accuracyText(plan.accuracyLast),
                    note: "\(plan.plan), version \(plan.modelVersion)",
                    href: "/models/\(plan.plan)/\(plan.modelVersion)"))
        }
        if let most = plans.filter({ $0.epsilon >= 0 }).max(by: { $0.epsilon < $1.epsilon }) {
            tiles.append(
                Tile(
                    label: "Privacy spent", value: "ε \(epsilonText(most.epsilon))",
                    note: "at δ\u{a0}\(deltaText(most.delta)), \(most.population)",
                    href: "/privacy#\(most.population)"))
        }
        tiles.append(
            Tile(
                label: "Connections", value: grouped(status.connections),
                note: "up for \(durationText(status.upSeconds))", href: "/agents"))
        return tiles
    }
}

private struct OverviewView {
    let trouble: OverviewTrouble?
    let tiles: [Tile]
    let live: [LiveRoundView]
    let waits: String?
    let startCommand: String?
    let chart: String?
    let hasPlans: Bool
    let plans: [OverviewPlan]
    let hasRounds: Bool
    let rounds: [RoundRow]
    let tellsNoCounts: Bool
    let emptyRounds: String
}

/// Why nothing new begins.
private struct OverviewTrouble {
    let state: String
    let detail: String
    let remedy: String

    init(_ status: StatusRecord) {
        state = status.state
        detail = status.detail
        remedy = status.remedy
    }
}

/// A line of the table of plans.
private struct OverviewPlan {
    let name: String
    let state: String
    let tone: String
    let version: String
    let accuracy: String
    let spark: String
    let isPrivate: Bool
    let privacy: String
    let population: String
    let next: String

    /// - Parameter tellsWhy: whether what no round starts for is said here.
    init(_ plan: PlanRecord, accuracies: [Double], tellsWhy: Bool) {
        name = plan.plan
        let standing = PlanStanding(plan)
        state = standing.state
        tone = standing.tone.rawValue
        version = plan.hasModel ? "\(plan.modelVersion)" : "none yet"
        accuracy = accuracyText(plan.accuracyLast)
        spark = sparkline(
            accuracies,
            saying: accuracies.isEmpty
                ? ""
                : "From \(fixed(accuracies[0], 2)) % to \(fixed(accuracies.last ?? 0, 2)) %")
        isPrivate = plan.epsilon >= 0
        privacy = plan.epsilon >= 0 ? "ε \(epsilonText(plan.epsilon)) spent" : ""
        population = plan.population
        next = tellsWhy || plan.waitsFor.isEmpty ? standing.next : "waits"
    }
}

/// Where a plan stands, in words.
struct PlanStanding {
    let state: String
    let tone: Tone
    /// Why, or how far.
    let detail: String
    /// When a round starts.
    let next: String

    init(_ plan: PlanRecord) {
        if plan.pausedUnix > 0 {
            state = "paused"
            tone = .warn
            detail = plan.pausedReason
        } else {
            state = plan.state
            tone = plan.state == "ready" ? .good : plan.state == "failed" ? .bad : .calm
            detail = plan.detail
        }
        if !plan.waitsFor.isEmpty {
            next = "waits: \(plan.waitsFor)"
        } else if plan.jobsOpen > 0 {
            next = "running"
        } else if plan.nextRoundSeconds >= 0 {
            next = "in \(durationText(plan.nextRoundSeconds))"
        } else {
            next = "when asked for"
        }
    }
}

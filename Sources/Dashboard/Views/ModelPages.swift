import Federation
import Wire

extension Site {
    /// Versions that a curve shows at most.
    private static let mostInCurve: UInt64 = 500
    /// A model card is read into memory; ours are a few KiB.
    private static let mostCardBytes: UInt64 = 256 << 10

    /// Every plan with the accuracies of its versions.
    func models() async throws(Fault) -> Page {
        var plans: [PlanCard] = []
        for plan in try await fleet.plans() {
            let chart = try await accuracyChart(of: plan, id: "chart-\(plan.plan)")
            let standing = PlanStanding(plan)
            plans.append(
                PlanCard(
                    name: plan.plan, planTitle: plan.title, tone: standing.tone.rawValue,
                    state: standing.state, detail: standing.detail.nonEmpty,
                    progress: plan.state == "preparing" ? Int(100 * plan.progress) : nil,
                    chart: chart, facts: Self.summary(plan)))
        }
        let view = ModelsView(hasPlans: !plans.isEmpty, plans: plans)
        return Page(title: "Models", area: .models, template: .models, content: view)
    }

    private func accuracyChart(of plan: PlanRecord, id: String) async throws(Fault) -> String {
        guard plan.hasModel else { return "" }
        let versions = try await fleet.models(
            plan.plan, upTo: plan.modelVersion, count: Self.mostInCurve)
        let points = versions.filter { $0.accuracy >= 0 }
            .map { (x: Double($0.model?.version ?? 0), y: 100 * $0.accuracy) }
        guard let first = points.first, let last = points.last else { return "" }
        var chart = LineChart(
            id: id, title: "Accuracy of \(plan.plan) by version",
            description: "From \(fixed(first.y, 2)) % in version \(plain(first.x)) to"
                + " \(fixed(last.y, 2)) % in version \(plain(last.x)), measured on the"
                + " coordinator's test data.", xLabel: "version", yLabel: "accuracy, %",
            curves: [LineChart.Curve(name: plan.plan, points: points)]
        ) { axisText($0) }
        if plan.accuracyTeacher > 0 {
            chart.limit = (
                100 * plan.accuracyTeacher,
                "teacher, before any round: \(accuracyText(plan.accuracyTeacher))"
            )
            chart.limitIsGood = true
        }
        return chart.svg
    }

    private static func summary(_ plan: PlanRecord) -> [FactLine] {
        [
            FactLine(
                name: "Newest version",
                value: plan.hasModel
                    ? "\(plan.modelVersion), \(accuracyText(plan.accuracyLast))" : "none yet"),
            FactLine(
                name: "First version, teacher",
                value: "\(accuracyText(plan.accuracyFirst)), \(accuracyText(plan.accuracyTeacher))"),
            FactLine(name: "Parameters", value: grouped(plan.parameters)),
        ]
    }

    /// The versions of one plan, a page at a time.
    func plan(_ name: String, _ query: PageQuery) async throws(Fault) -> Page {
        let plan = try await fleet.plan(name)
        let standing = PlanStanding(plan)
        let newest = plan.modelVersion
        let until = min(try query.number("until") ?? newest, newest)
        // One more than is shown, to compare the oldest with.
        let found =
            plan.hasModel
            ? try await fleet.models(name, upTo: until, count: UInt64(Self.pageRows) + 1) : []
        let shown = found.suffix(Self.pageRows)
        let rows = shown.indices.reversed().map { index in
            VersionRow(found[index], before: index > 0 ? found[index - 1] : nil)
        }
        let oldest = shown.first?.model?.version ?? 0
        let pager = PagerLinks(
            newer: until < newest ? "/models/\(name)" : nil,
            older: oldest > 0 ? "/models/\(name)?until=\(oldest - 1)" : nil)
        let view = PlanView(
            name: name, planTitle: plan.title, tone: standing.tone.rawValue,
            state: standing.state, detail: standing.detail.nonEmpty,
            chart: try await accuracyChart(of: plan, id: "chart"), hasVersions: !rows.isEmpty,
            versions: rows, facts: Self.facts(of: plan), isPrivate: plan.epsilon >= 0,
            population: plan.population, text: String(decoding: plan.text, as: UTF8.self),
            hasPager: pager.hasPager, newer: pager.newer, older: pager.older)
        return Page(
            title: "Models of \(name)", area: .models, template: .plan, content: view,
            crumbs: [PageLink(label: "Models", href: "/models")])
    }

    private static func facts(of plan: PlanRecord) -> [FactLine] {
        var facts = [
            FactLine(name: "Applied", value: Moment(unix: plan.appliedUnix).text),
            FactLine(name: "Digest", value: Digest(bytes: plan.digest)?.hex ?? nothing),
            FactLine(name: "Parameters", value: grouped(plan.parameters)),
            FactLine(name: "Population", value: plan.population),
            FactLine(name: "Clipping norm of the next round", value: fixed(plan.clippingNorm, 4)),
            FactLine(name: "Next round", value: PlanStanding(plan).next),
            FactLine(name: "Agents ready for it", value: grouped(plan.agentsReady)),
        ]
        if plan.epsilon >= 0 {
            facts.append(
                FactLine(
                    name: "Privacy",
                    value: "noise multiplier \(plan.noiseMultiplier), ε"
                        + " \(epsilonText(plan.epsilon)) spent at δ \(deltaText(plan.delta))"))
        }
        if plan.localNoiseMultiplier > 0 {
            facts.append(
                FactLine(
                    name: "Against the coordinator",
                    value: "agents add noise of their own: multiplier"
                        + " \(plan.localNoiseMultiplier), ε \(epsilonText(plan.localEpsilon))"))
        }
        return facts
    }

    /// One version: its files and its card.
    func model(_ name: String, version: UInt64) async throws(Fault) -> Page {
        let record = try await fleet.model(name, version: version)
        let card: String
        if let file = record.files.first(where: { $0.name == "MODEL_CARD.md" }),
            let digest = Digest(bytes: file.digest)
        {
            let text = try await fleet.blob(digest, mostBytes: Self.mostCardBytes)
            card = CardText(String(decoding: text, as: UTF8.self)).html
        } else {
            card = "<p>This version has no card.</p>"
        }
        let view = ModelView(
            plan: name, version: version, facts: Self.facts(of: record, plan: name),
            files: record.files.map {
                ModelFileRow(
                    name: $0.name, size: bytesText($0.size),
                    digest: Digest(bytes: $0.digest)?.hex ?? nothing)
            }, card: card)
        return Page(
            title: "\(name), version \(version)", area: .models, template: .model, content: view,
            crumbs: [
                PageLink(label: "Models", href: "/models"),
                PageLink(label: name, href: "/models/\(name)"),
            ])
    }

    private static func facts(of record: ModelRecord, plan: String) -> [FactLine] {
        var facts = [
            FactLine(name: "Accuracy", value: accuracyText(record.accuracy)),
            FactLine(name: "Published", value: Moment(unix: record.createdUnix).text),
            FactLine(
                name: "Comes from", value: record.origin(first: "the coordinator's own data"),
                href: record.round == 0 ? nil : "/rounds/\(record.round)"),
        ]
        if record.hasParent {
            facts.append(
                FactLine(
                    name: "Made from", value: "version \(record.parentVersion)",
                    href: "/models/\(plan)/\(record.parentVersion)"))
        }
        if let trial = record.distillation {
            facts.append(
                FactLine(
                    name: "Distillation after the round",
                    value: trial.accepted ? "kept" : "tried, and left out"))
        }
        facts.append(
            FactLine(
                name: "Size",
                value: record.model.map { bytesText($0.modelSize) } ?? nothing))
        if record.collectedUnix > 0 {
            facts.append(
                FactLine(
                    name: "Weights",
                    value: "given up by retention, \(Moment(unix: record.collectedUnix).text)"))
        }
        return facts
    }
}

extension ModelRecord {
    /// What it came from; `first` is what the first version did.
    fileprivate func origin(first: String) -> String {
        round > 0 ? "round \(round)" : isRepublished ? "an older version, republished" : first
    }
}

/// A number on an axis, without needless decimals.
func axisText(_ value: Double) -> String {
    let text = fixed(value, abs(value) < 0.1 && value != 0 ? 3 : abs(value) < 10 ? 2 : 1)
    guard text.contains(".") else { return text }
    let short = text.reversed().drop { $0 == "0" }.drop { $0 == "." }
    return short.isEmpty ? "0" : String(short.reversed())
}

private struct ModelsView {
    let hasPlans: Bool
    let plans: [PlanCard]
}

private struct PlanCard {
    let name: String
    let planTitle: String
    let tone: String
    let state: String
    let detail: String?
    let progress: Int?
    let chart: String
    let facts: [FactLine]
}

private struct PlanView {
    let name: String
    let planTitle: String
    let tone: String
    let state: String
    let detail: String?
    let chart: String
    let hasVersions: Bool
    let versions: [VersionRow]
    let facts: [FactLine]
    let isPrivate: Bool
    let population: String
    let text: String
    let hasPager: Bool
    let newer: String?
    let older: String?
    let newerLabel = "Newest versions"
    let olderLabel = "Older versions"
}

/// A line of the table of versions.
private struct VersionRow {
    let version: UInt64
    let accuracy: String
    let change: String
    let origin: String
    let roundHref: String?
    let parent: String
    let created: Moment

    init(_ record: ModelRecord, before: ModelRecord?) {
        version = record.model?.version ?? 0
        accuracy = accuracyText(record.accuracy)
        if let before, before.accuracy >= 0, record.accuracy >= 0 {
            let points = 100 * (record.accuracy - before.accuracy)
            change = (points < 0 ? "−" : "+") + fixed(abs(points), 2)
        } else {
            change = nothing
        }
        origin = record.origin(first: "the coordinator's data")
        roundHref = record.round == 0 ? nil : "/rounds/\(record.round)"
        parent = record.hasParent ? "\(record.parentVersion)" : nothing
        created = Moment(unix: record.createdUnix)
    }
}

private struct ModelView {
    let plan: String
    let version: UInt64
    let facts: [FactLine]
    let files: [ModelFileRow]
    let card: String
}

private struct ModelFileRow {
    let name: String
    let size: String
    let digest: String
}

import Federation
import Privacy
import Wire

extension Site {
    /// What each population has spent, what is left and what further rounds would cost.
    func privacy() async throws(Fault) -> Page {
        let plans = try await fleet.plans()
        let privatePlans = plans.filter { $0.epsilon >= 0 }
        var populations: [PopulationView] = []
        for plan in privatePlans {
            let ledger = try await wholeLedger(of: plan.plan)
            let isShared = privatePlans.count { $0.population == plan.population } > 1
            populations.append(
                PopulationView(
                    ledger, try await forecasts.forecast(of: ledger), isShared: isShared))
        }
        let open = plans.filter { $0.epsilon < 0 }.map(\.plan)
        let view = PrivacyView(
            hasPopulations: !populations.isEmpty, populations: populations,
            hasOpenPlans: !open.isEmpty, openPlans: open.joined(separator: ", "))
        return Page(title: "Privacy", area: .privacy, template: .privacy, content: view)
    }

    /// The ledger of a plan's population with every charge.
    private func wholeLedger(of plan: String) async throws(Fault) -> LedgerRecord {
        var ledger = try await fleet.ledger(plan, after: 0)
        while UInt64(ledger.charges.count) < ledger.total {
            let next = try await fleet.ledger(plan, after: UInt64(ledger.charges.count))
            guard !next.charges.isEmpty else { break }
            ledger.charges += next.charges
        }
        return ledger
    }

    /// The charges against a plan's population, newest first.
    func ledger(_ plan: String, _ query: PageQuery) async throws(Fault) -> Page {
        let ledger = try await wholeLedger(of: plan)
        let rows = UInt64(Self.pageRows)
        let until = min(try query.number("until") ?? ledger.total, ledger.total)
        let from = until - min(until, rows)
        let shown = ledger.charges.prefix(Int(clamping: until)).suffix(Int(until - from))
        let pager = PagerLinks(
            newer: until < ledger.total ? "/privacy/\(plan)" : nil,
            older: from > 0 ? "/privacy/\(plan)?until=\(from)" : nil)
        let view = LedgerView(
            plan: plan, population: ledger.population,
            summary: "\(counted(ledger.total, "charge")) against the population"
                + " \(ledger.population). A charge is written before noise is drawn, so a round"
                + " that was interrupted may have two.", hasCharges: !shown.isEmpty,
            charges: zip(shown.indices, shown).reversed().map {
                ChargeRow(number: $0.0 + 1, $0.1)
            }, hasPager: pager.hasPager, newer: pager.newer, older: pager.older)
        return Page(
            title: "Charges of \(ledger.population)", area: .privacy, template: .ledger,
            content: view, crumbs: [PageLink(label: "Privacy", href: "/privacy")])
    }
}

private struct PrivacyView {
    let hasPopulations: Bool
    let populations: [PopulationView]
    let hasOpenPlans: Bool
    let openPlans: String
}

private struct PopulationView {
    struct Point {
        let rounds: String
        let epsilon: String
    }

    let population: String
    let plan: String
    let spent: String
    let delta: String
    let charges: String
    let left: String
    let leftNote: String
    let noise: String
    let sampling: String
    let share: Int?
    let chart: String
    let forecast: [Point]
    let accountant: String
    let ledgerHref: String

    init(_ ledger: LedgerRecord, _ outlook: PrivacyForecasts.Forecast, isShared: Bool) {
        // Two plans of one population are two cards, each with its own limit and its own rounds ahead.
        population = isShared ? "\(ledger.population)-\(ledger.plan)" : ledger.population
        plan = ledger.plan
        spent = epsilonText(outlook.epsilon)
        delta = deltaText(ledger.delta)
        charges = counted(ledger.total, "charge")
        noise = plain(ledger.noiseMultiplier)
        sampling =
            ledger.samplingRate < 1
            ? "each agent with probability \(ledger.samplingRate)" : "every agent takes part"
        if let rounds = outlook.roundsLeft {
            left = counted(rounds, "round")
            leftNote = "up to ε \(epsilonText(ledger.maxEpsilon)), the plan's limit"
            let part = ledger.maxEpsilon > 0 ? outlook.epsilon / ledger.maxEpsilon : 1
            share = Int((100 * min(1, max(0, part))).rounded(.up))
        } else {
            left = "no limit"
            leftNote = "the plan has no max_epsilon"
            share = nil
        }
        chart = PopulationView.chart(ledger, outlook, id: "epsilon-\(ledger.plan)")
        forecast = outlook.curve.map {
            Point(rounds: grouped($0.rounds), epsilon: epsilonText($0.epsilon))
        }
        accountant =
            outlook.accountant == .pld
            ? "Computed as a privacy loss distribution (PLD), a tight upper bound."
            : "Computed as Rényi differential privacy (RDP), an upper bound."
        ledgerHref = "/privacy/\(ledger.plan)"
    }

    private static func chart(
        _ ledger: LedgerRecord, _ outlook: PrivacyForecasts.Forecast, id: String
    ) -> String {
        let total = Double(ledger.charges.count)
        var past = [(x: 0.0, y: 0.0)]
        for (index, charge) in ledger.charges.enumerated() {
            past.append((Double(index + 1), charge.epsilonAfter))
        }
        let ahead = outlook.curve.map { (x: total + Double($0.rounds), y: $0.epsilon) }
        var chart = LineChart(
            id: id, title: "Epsilon of \(ledger.population) by charge",
            description: "Spent: \(epsilonText(outlook.epsilon)) after \(grouped(Int(total)))"
                + " charges. With \(grouped(outlook.curve.last?.rounds ?? 0)) further rounds of"
                + " \(ledger.plan): \(epsilonText(outlook.curve.last?.epsilon ?? 0)).",
            xLabel: "charges", yLabel: "epsilon",
            curves: [
                LineChart.Curve(name: "charged", points: past),
                LineChart.Curve(
                    name: "with further rounds of \(ledger.plan)", points: ahead,
                    isForecast: true),
            ]
        ) { $0 >= 100 ? grouped(Int($0)) : axisText($0) }
        if ledger.maxEpsilon >= 0 {
            chart.limit = (ledger.maxEpsilon, "limit \(epsilonText(ledger.maxEpsilon))")
        }
        return chart.svg
    }
}

private struct LedgerView {
    let plan: String
    let population: String
    let summary: String
    let hasCharges: Bool
    let charges: [ChargeRow]
    let hasPager: Bool
    let newer: String?
    let older: String?
    let newerLabel = "Newest charges"
    let olderLabel = "Older charges"
}

/// A line of the table of charges.
private struct ChargeRow {
    let number: Int
    let plan: String
    let round: UInt64
    let attempt: UInt32
    let noise: String
    let rate: String
    let epsilon: String
    let charged: Moment

    init(number: Int, _ charge: ChargeRecord) {
        self.number = number
        plan = charge.plan
        round = charge.round
        attempt = charge.attempt
        noise = plain(charge.noiseMultiplier)
        rate = plain(charge.samplingRate)
        epsilon = epsilonText(charge.epsilonAfter)
        charged = Moment(unix: charge.chargedUnix)
    }
}

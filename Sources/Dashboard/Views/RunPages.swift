import Federation
import Foundation
import Registry
import RunRecords

extension Site {
    /// Runs that one page compares at most.
    private static let mostCompared = 8

    /// The recorded simulations, newest first.
    func runs(_ query: PageQuery) async throws(Fault) -> Page {
        let from = Int(clamping: try query.number("from") ?? 0)
        let (rows, count) = try await work.run { () throws(Fault) in
            try readRuns(from: from)
        }
        let pager = PagerLinks(
            newer: from > 0 ? "/runs" : nil,
            older: from + rows.count < count ? "/runs?from=\(from + rows.count)" : nil)
        let view = RunsView(
            hasRuns: !rows.isEmpty, runs: rows,
            directory: runs?.path ?? "a home directory, which this user lacks",
            hasPager: pager.hasPager, newer: pager.newer, older: pager.older)
        return Page(title: "Runs", area: .runs, template: .runs, content: view)
    }

    private func readRuns(from: Int) throws(Fault) -> (rows: [RunRow], count: Int) {
        let files = (runs?.runs() ?? []).map { ($0, $0.modified) }
            .sorted { $0.1 > $1.1 }.map(\.0)
        let shown = files.dropFirst(from).prefix(Self.pageRows)
        return (shown.map { RunRow($0, try? $0.read()) }, files.count)
    }

    /// One run, or how several differ.
    func compareRuns(_ names: [String]) async throws(Fault) -> Page {
        let chosen = names.reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
        guard (1...Self.mostCompared).contains(chosen.count) else {
            throw Fault(
                .invalid,
                chosen.isEmpty
                    ? "no run was chosen" : "\(chosen.count) runs are too many to compare",
                remedy: "go back to Runs and choose 2 to \(Self.mostCompared)")
        }
        let records = try await work.run { () throws(Fault) in
            try chosen.map { name throws(Fault) in try readRun(name) }
        }
        let comparison = RunComparison(records)
        let isComparison = records.count > 1
        let view = ComparisonView(
            names: chosen, chart: chart(chosen, records), results: rows(comparison.results),
            isComparison: isComparison, hasDifferences: !comparison.differences.isEmpty,
            differences: rows(comparison.differences),
            parameters: isComparison
                ? []
                : records[0].parameters.sorted { $0.key < $1.key }.map {
                    FactLine(name: $0.key, value: $0.value.words)
                })
        return Page(
            title: isComparison ? chosen.joined(separator: " and ") : "Run \(chosen[0])",
            area: .runs, template: .comparison, content: view,
            crumbs: [PageLink(label: "Runs", href: "/runs")])
    }

    /// A run by its name; a path is no name, or a reader could read any file of that form.
    private func readRun(_ name: String) throws(Fault) -> RunRecord {
        guard let file = runs?.runs().first(where: { $0.name == name }) else {
            throw Fault(
                .notFound, "there is no run '\(name.prefix(80))'",
                remedy: "go back to Runs, which lists those there are")
        }
        return try file.read()
    }

    private func chart(_ names: [String], _ records: [RunRecord]) -> String {
        let curves = zip(names, records).map { name, record in
            var points: [(x: Double, y: Double)] = []
            if let first = record.firstModel.accuracy { points.append((0, 100 * first)) }
            for round in record.rounds {
                guard let accuracy = round.accuracy else { continue }
                points.append((Double(round.round), 100 * accuracy))
            }
            return LineChart.Curve(name: name, points: points)
        }
        return LineChart(
            id: "runs-chart", title: "Accuracy by round",
            description: zip(names, records).map {
                "\($0): from \(accuracyText($1.firstModel.accuracy)) to"
                    + " \(accuracyText($1.summary.accuracyLast))"
            }.joined(separator: "; "), xLabel: "round", yLabel: "accuracy, %", curves: curves,
            yText: axisText
        ).svg
    }

    private func rows(_ rows: [RunComparison.Row]) -> [ComparisonRow] {
        rows.map { row in
            ComparisonRow(
                name: Self.title(of: row.name),
                values: row.values.map { Self.words($0, of: row.name) })
        }
    }

    /// What a result is called on a page, where its value has a unit.
    private static func title(of name: String) -> String {
        switch name {
        case "wall_seconds": "time"
        case "peak_memory_mib": "most memory"
        default: name.replacing("_", with: " ")
        }
    }

    private static func words(_ value: Setting?, of name: String) -> String {
        guard let value else { return nothing }
        guard case .number(let number) = value else { return value.words }
        switch name {
        case let name where name.hasPrefix("accuracy_"): return accuracyText(number)
        case "epsilon": return epsilonText(number)
        case "wall_seconds": return durationText(number)
        case "peak_memory_mib": return "\(fixed(number, 1)) MiB"
        case "seed": return value.words
        default: return plain(number)
        }
    }
}

extension RunFile {
    /// When it was last written; long ago when that cannot be told.
    fileprivate var modified: Date {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        return attributes?[.modificationDate] as? Date ?? .distantPast
    }
}

private struct RunsView {
    let hasRuns: Bool
    let runs: [RunRow]
    let directory: String
    let hasPager: Bool
    let newer: String?
    let older: String?
    let newerLabel = "Newest runs"
    let olderLabel = "Older runs"
}

/// A line of the table of runs.
private struct RunRow: Sendable {
    let name: String
    let isChosen = false
    let state: String
    let tone: String
    let rounds: String
    let agents: String
    let seed: String
    let first: String
    let last: String
    let spark: String
    let epsilon: String
    let took: String
    let started: Moment

    init(_ file: RunFile, _ record: RunRecord?) {
        name = file.name
        guard let record else {
            (state, tone) = ("unreadable", Tone.bad.rawValue)
            (rounds, agents, seed, first, last) = (nothing, nothing, nothing, nothing, nothing)
            (spark, epsilon, took, started) = ("", nothing, nothing, Moment(unix: 0))
            return
        }
        // One that says it is running and that no process works on was interrupted.
        let isInterrupted = record.state == .running && !RunLock.isHeld(file)
        state = isInterrupted ? "interrupted" : record.state.rawValue
        switch record.state {
        case .finished: tone = Tone.good.rawValue
        case .failed: tone = Tone.bad.rawValue
        case .running: tone = isInterrupted ? Tone.warn.rawValue : Tone.calm.rawValue
        }
        rounds = grouped(record.rounds.count)
        agents = grouped(record.population.agents)
        seed = "\(record.options.seed)"
        first = accuracyText(record.firstModel.accuracy)
        last = accuracyText(record.summary.accuracyLast)
        let curve =
            [record.firstModel.accuracy].compactMap(\.self)
            + record.rounds.compactMap(\.accuracy)
        spark = sparkline(
            curve, saying: "From \(accuracyText(curve.first)) to \(accuracyText(curve.last))")
        epsilon = record.summary.epsilon.map(epsilonText) ?? "not private"
        took = durationText(record.spent.wallSeconds)
        started = Moment(unix: record.spent.startedUnix)
    }
}

private struct ComparisonRow {
    let name: String
    let values: [String]
}

private struct ComparisonView {
    let names: [String]
    let chart: String
    let results: [ComparisonRow]
    let isComparison: Bool
    let hasDifferences: Bool
    let differences: [ComparisonRow]
    let parameters: [FactLine]
}

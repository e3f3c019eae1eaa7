import AdminConsole
import Federation
import RunRecords

/// What the runs of a sweep came to.
struct SweepReport {
    private var rows: [(options: RunOptions, result: Result<SimulationReport, Fault>)] = []

    mutating func add(_ report: SimulationReport, _ options: RunOptions) {
        rows.append((options, .success(report)))
    }

    mutating func add(_ fault: Fault, _ options: RunOptions) {
        rows.append((options, .failure(fault)))
    }

    /// Whether any run did not come to its end.
    var hasFailures: Bool { rows.contains { (try? $0.result.get()) == nil } }

    private var names: [String] { Set(rows.flatMap(\.options.sweep.keys)).sorted() }

    func text(on screen: Screen) -> String {
        let results = ["accuracy", "best", "epsilon", "seconds"]
        var table = Table(
            [("run", .left)] + names.map { ($0, .right) } + results.map { ($0, .right) }
                + [("", .left)])
        for row in rows {
            let chosen = names.map { row.options.sweep[$0] ?? "" }
            switch row.result {
            case .success(let report):
                let (summary, spent) = (report.record.summary, report.record.spent)
                let values = [summary.accuracyLast, summary.accuracyBest, summary.epsilon]
                table.add(
                    [report.name ?? "-"] + chosen + values.map { $0.map(written) ?? "-" }
                        + [written(spent.wallSeconds), ""])
            case .failure(let fault):
                table.add(
                    ["-"] + chosen + results.map { _ in "-" } + ["failed: \(fault.message)"])
            }
        }
        return table.text(on: screen)
    }

    var json: JSONValue {
        .object([
            (
                "sweep",
                .array(
                    rows.map { row in
                        let chosen = names.map {
                            ($0, JSONValue.string(row.options.sweep[$0] ?? ""))
                        }
                        switch row.result {
                        case .success(let report):
                            return .object([("values", .object(chosen)), ("result", report.json)])
                        case .failure(let fault):
                            return .object([
                                ("values", .object(chosen)), ("fault", .string(fault.message)),
                            ])
                        }
                    })
            )
        ])
    }
}

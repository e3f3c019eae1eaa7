import AdminConsole
import ArgumentParser
import Console
import Federation
import Foundation
import RunRecords

/// `runs`: what `simulate` recorded.
struct RunsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "runs", abstract: "List, show and compare recorded simulations.",
        discussion: """
            A run is named by its plan and a number, or by the path of its record. A record is one \
            JSON file, of the schema \(RunRecord.schema).

            \(examples(
                "runs list",
                "runs compare fashion-1 fashion-2"))
            """,
        subcommands: [RunsListCommand.self, RunsShowCommand.self, RunsCompareCommand.self])
}

/// Where runs are.
struct RunsOptions: ParsableArguments {
    @Option(
        name: .customLong("runs"),
        help: "The directory with the records (default: TRIBUTARY_RUNS, or the user's own).")
    var path: String?

    @Flag(name: .customLong("json"), help: "Print one JSON document.")
    var wantsJSON = false

    var directory: RunDirectory {
        path.map { RunDirectory(path: $0) }
            ?? RunDirectory.standard(ProcessInfo.processInfo.environment)
            ?? RunDirectory(path: ".")
    }
}

struct RunsListCommand: AnsweringCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the runs there are.",
        discussion: examples("runs list"))

    @OptionGroup var options: RunsOptions

    var wantsJSON: Bool { options.wantsJSON }

    func execute() async throws {
        let runs = options.directory.runs().map { ($0, try? $0.read()) }
        var table = Table([
            ("run", .left), ("state", .left), ("rounds", .right), ("agents", .right),
            ("seed", .right), ("first", .right), ("last", .right), ("epsilon", .right),
            ("seconds", .right), ("started", .left),
        ])
        for (run, record) in runs {
            guard let record else {
                table.add([run.name, "unreadable"] + Array(repeating: "-", count: 8))
                continue
            }
            let (summary, spent) = (record.summary, record.spent)
            let values = [record.firstModel.accuracy, summary.accuracyLast, summary.epsilon]
            table.add(
                [
                    run.name, state(of: run, record), "\(record.rounds.count)",
                    "\(record.population.agents)", "\(record.options.seed)",
                ] + values.map { $0.map(written) ?? "-" }
                    + [written(spent.wallSeconds), date(spent.startedUnix)])
        }
        let documents = runs.compactMap { run, record in
            record.map { record -> JSONValue in
                .object([
                    ("run", .string(run.name)), ("record", .string(run.path)),
                    ("plan", .string(record.plan.name)),
                    ("state", .string(state(of: run, record))),
                    ("rounds", .number(UInt64(record.rounds.count))),
                    ("agents", .number(UInt64(record.population.agents))),
                    ("seed", .number(record.options.seed)),
                    ("accuracy_last", decimal(record.summary.accuracyLast)),
                    ("epsilon", decimal(record.summary.epsilon)),
                    ("wall_seconds", .decimal(record.spent.wallSeconds)),
                    ("started_unix", .number(record.spent.startedUnix)),
                ])
            }
        }
        show(
            .object([("runs", .array(documents))]),
            runs.isEmpty
                ? "no runs in \(options.directory.path)\n"
                : table.text(on: OutputStream.standard.screen))
    }
}

struct RunsShowCommand: AnsweringCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show one run; with --json its whole record.",
        discussion: examples("runs show fashion-1"))

    @OptionGroup var options: RunsOptions

    @Argument(help: "The run.")
    var run: String

    var wantsJSON: Bool { options.wantsJSON }

    func execute() async throws {
        let file = options.directory.run(run)
        let record = try file.read()
        guard !wantsJSON else {
            OutputStream.standard.write(
                String(decoding: try RunFile.text(record), as: UTF8.self))
            return
        }
        OutputStream.standard.write(text(file, record))
    }

    private func text(_ file: RunFile, _ record: RunRecord) -> String {
        let comparison = RunComparison([record])
        var text = keyValues(
            [
                ("run", file.name), ("record", file.path),
                ("plan", "\(record.plan.name), \(record.plan.title)"),
                ("started", date(record.spent.startedUnix)),
                ("code", "\(record.code.version) \(record.code.build ?? "")"),
                ("processor", record.machine.processor),
            ] + comparison.results.map { ($0.name, words($0.values[0])) }
                + (record.fault.map { [("fault", $0)] } ?? []))
        text +=
            "\n"
            + keyValues(
                record.parameters.sorted { $0.key < $1.key }.map { ($0.key, $0.value.words) })
            + "\n"
        var table = Table([
            ("round", .right), ("updates", .right), ("clipped", .right), ("accuracy", .right),
            ("epsilon", .right),
        ])
        for round in record.rounds where round.accuracy != nil || round.epsilon != nil {
            table.add([
                "\(round.round)", "\(round.reported) of \(round.selected)",
                "\(round.reported - round.withinClip)", round.accuracy.map(written) ?? "-",
                round.epsilon.map(written) ?? "-",
            ])
        }
        return text + table.text(on: OutputStream.standard.screen)
    }
}

struct RunsCompareCommand: AnsweringCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Show how runs differ: what was chosen, and what came of it.",
        discussion: examples("runs compare fashion-1 fashion-2"))

    @OptionGroup var options: RunsOptions

    @Argument(help: "Two runs or more.")
    var runs: [String]

    var wantsJSON: Bool { options.wantsJSON }

    func validate() throws {
        guard runs.count > 1 else { throw ValidationError("Name at least two runs.") }
    }

    func execute() async throws {
        let files = runs.map { options.directory.run($0) }
        let comparison = RunComparison(try files.map { try $0.read() })
        let names = files.map(\.name)
        var text = table(comparison.differences, "differs", names)
        if comparison.differences.isEmpty { text = "nothing that was chosen differs\n" }
        text += "\n" + table(comparison.results, "result", names)
        show(
            .object([
                ("runs", .array(names.map { .string($0) })),
                ("differences", document(comparison.differences)),
                ("results", document(comparison.results)),
            ]), text)
    }

    private func table(_ rows: [RunComparison.Row], _ heading: String, _ names: [String]) -> String
    {
        var table = Table([(heading, .left)] + names.map { ($0, .right) })
        for row in rows { table.add([row.name] + row.values.map(words)) }
        return table.text(on: OutputStream.standard.screen)
    }

    private func document(_ rows: [RunComparison.Row]) -> JSONValue {
        .object(
            rows.map { row in
                (
                    row.name,
                    .array(
                        row.values.map { value in
                            switch value {
                            case .truth(let truth): .bool(truth)
                            case .number(let number): .decimal(number)
                            case .text(let text): .string(text)
                            case nil: .null
                            }
                        })
                )
            })
    }
}

/// A run that says it is running and that no process works on was interrupted.
private func state(of run: RunFile, _ record: RunRecord) -> String {
    record.state == .running && !RunLock.isHeld(run) ? "interrupted" : record.state.rawValue
}

private func words(_ value: Setting?) -> String {
    guard let value else { return "-" }
    guard case .number(let number) = value, number != number.rounded() else { return value.words }
    return abs(number) < 0.001 ? value.words : written(number)
}

private func date(_ unix: UInt64) -> String {
    Date(timeIntervalSince1970: Double(unix)).formatted(.iso8601)
}

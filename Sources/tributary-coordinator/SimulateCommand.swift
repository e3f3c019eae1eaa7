import AdminConsole
import ArgumentParser
import Configuration
import Console
import CoordinatorService
import Cryptography
import Federation
import Foundation
import Kernels
import RunRecords

/// `simulate`: what a plan would do.
struct SimulateCommand: AnsweringCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Run a plan's rounds with virtual agents in this process.",
        discussion: """
            The code of training, encoding, aggregation and noise is deployment's; there is no \
            network. The same seed gives the same numbers, whatever the number of threads.

            The data directory holds the splits train, whose examples are divided among the agents; \
            test, if versions are to be measured; and public for the first model, which otherwise \
            has random weights. A split is a folder of its name with files in the plan's form, IDX \
            files or a table with a header line, or it is files whose names begin with its own: \
            train-images-idx3-ubyte, test.csv. For --partition natural clients/NAME/ has each \
            agent's own.

            Agents that are more than the examples draw theirs with replacement, a batch of the \
            plan each or --examples-per-agent, when a coin selects them: a million cost no more \
            memory than ten.

            Every run is recorded, see `runs`, and goes on after an interruption with --resume.

            \(examples(
                "simulate fashion --data .data/fashion-mnist --rounds 10",
                "simulate fashion-private --data DATA --target-epsilon 4 --rounds 200",
                "simulate fashion --data DATA --sweep learning_rate=0.01,0.1"))
            """)

    @Argument(help: "The plan: a TOML file, or the name of one in a plans directory.")
    var plan: String?

    @Option(name: .customLong("data"), help: "The directory with the examples.")
    var dataDirectory: String?

    @Option(help: "Virtual agents (default: as many as the plan counts on).")
    var agents: Int?

    @Option(help: "How many rounds (default: 10).")
    var rounds: Int?

    @Option(help: "iid, dirichlet:ALPHA, labels:K or natural (default: iid).")
    var partition: String?

    @Option(
        help: ArgumentHelp(
            "With --partition natural: only this one of clients/ takes part.",
            discussion: "What a model reaches that is trained on one device alone.",
            valueName: "name"))
    var client: String?

    @Option(help: "Examples that each agent draws, with replacement (default: all are dealt).")
    var examplesPerAgent: Int?

    @OptionGroup var privacy: SimulatedPrivacy

    @Option(help: "Everything random follows from this number (default: 1).")
    var seed: UInt64?

    @Option(help: "Threads (default: one a processor).")
    var threads = Threads.processors

    @Flag(help: "Begin with random weights instead of a student distilled from public data.")
    var cold = false

    @Flag(
        name: .customLong("fp32"),
        help: "Round nothing: neither students nor updates; the yardstick of int8.")
    var isFloat32 = false

    @Flag(
        help: "Add updates as floats, clipped and on no lattice; the yardstick of the lattice.")
    var floatSum = false

    @Option(help: "Rounds from one measurement to the next (default: about 10 in all).")
    var measureEvery: Int?

    @Option(
        name: .customLong("sweep"),
        help: ArgumentHelp(
            "Try values, one run each: learning_rate=0.01,0.1. Repeat it for a grid.",
            discussion: """
                Any key of the plan, training's or with its table (server.learning_rate), or one of \
                seed, agents, rounds, partition, client, sampling_rate, noise_multiplier, target_epsilon, \
                delta and examples_per_agent.
                """,
            valueName: "key=values"))
    var sweeps: [String] = []

    @OptionGroup var recording: RecordingOptions

    @Flag(name: .customLong("json"), help: "Print one JSON document, last.")
    var wantsJSON = false

    func validate() throws {
        if let agents, agents < 1 { throw ValidationError("--agents must be at least 1.") }
        guard rounds.map({ $0 > 0 }) ?? true else {
            throw ValidationError("--rounds must be at least 1.")
        }
        guard (1...1024).contains(threads) else {
            throw ValidationError("--threads must be 1 to 1024.")
        }
        guard examplesPerAgent.map({ $0 > 0 }) ?? true else {
            throw ValidationError("--examples-per-agent must be at least 1.")
        }
        guard measureEvery.map({ $0 > 0 }) ?? true else {
            throw ValidationError("--measure-every must be at least 1.")
        }
        guard !floatSum || !isFloat32 else {
            throw ValidationError("--fp32 adds floats already: leave --float-sum out.")
        }
        if recording.resume == nil {
            guard plan != nil, dataDirectory != nil else {
                throw ValidationError("Name a plan and its data: simulate PLAN --data DIR.")
            }
        } else if choosesAnything {
            throw ValidationError(
                "--resume goes on with a run's own plan and options: besides it are only --data,"
                    + " --threads, --json, --runs and --checkpoint-seconds.")
        }
        if !sweeps.isEmpty, recording.file != nil {
            throw ValidationError("A sweep is several runs: use --runs in place of --run-record.")
        }
    }

    /// Whether anything is given that an interrupted run has chosen already.
    private var choosesAnything: Bool {
        let options: [Any?] = [
            plan, agents, rounds, partition, client, examplesPerAgent, privacy.samplingRate,
            privacy.noiseMultiplier, privacy.targetEpsilon, privacy.delta, seed, measureEvery,
            recording.file,
        ]
        return options.contains { $0 != nil } || !sweeps.isEmpty || cold || isFloat32
            || floatSum || recording.noRecord
    }

    func execute() async throws { try perform() }

    private func perform() throws {
        // The threads are ours; and sums must not depend on how many the library would use.
        Blas.useOneThread()
        Heap.keepFreedMemory()
        let progress = LiveProgress()
        defer { progress.end() }
        let runner = SimulationRunner(
            threads: threads, stream: progressStream, progress: progress, recording: recording)
        if let name = recording.resume {
            let run = recording.directory(orHere: true).run(name)
            let outcome = try runner.resume(run, data: dataDirectory)
            show(outcome.json, outcome.text)
            return
        }
        // Every first model needs it, once the data is there.
        Thread.detachNewThread { Blas.load() }
        var inputs = SimulationInputs()
        let all = try runs()
        guard all.count > 1 else {
            let outcome = try runner.run(all[0].options, text: all[0].text, &inputs)
            show(outcome.json, outcome.text)
            return
        }
        var report = SweepReport()
        for (number, run) in all.enumerated() {
            let chosen = run.options.sweep.sorted { $0.key < $1.key }
                .map { "\($0.key) = \($0.value)" }.joined(separator: ", ")
            progress.write("run \(number + 1) of \(all.count): \(chosen)\n", to: progressStream)
            do throws(Fault) {
                report.add(try runner.run(run.options, text: run.text, &inputs), run.options)
            } catch {
                report.add(error, run.options)
            }
        }
        show(report.json, report.text(on: OutputStream.standard.screen))
        if report.hasFailures { throw ExitCode.failure }
    }

    /// What to run: one combination of the sweeps' values each.
    private func runs() throws(Fault) -> [(options: RunOptions, text: String)] {
        let path = try PlanLocation(of: plan ?? "").path
        let text = String(decoding: try CredentialFile.read(path), as: UTF8.self)
        let values = try sweeps.map { (text) throws(Fault) in try Sweep(parsing: text) }
        let given = options(plan: path)
        return try Sweep.combinations(values).map { (chosen) throws(Fault) in
            var (options, text) = (given, text)
            for (name, value) in chosen {
                options.sweep[name] = value
                if try !options.take(name, value) {
                    text = try PlanEdit(name: name, value: value).applied(
                        to: text, trainingKeys: PlanFile.trainingKeys)
                }
            }
            options.measureEvery = measureEvery ?? max(1, (options.rounds + 9) / 10)
            return (options, text)
        }
    }

    private func options(plan: String) -> RunOptions {
        RunOptions(
            plan: plan, data: URL(filePath: dataDirectory ?? "").path, agents: agents,
            rounds: rounds ?? 10, partition: partition ?? "iid", client: client,
            examplesPerAgent: examplesPerAgent,
            samplingRate: privacy.samplingRate, noiseMultiplier: privacy.noiseMultiplier,
            targetEpsilon: privacy.targetEpsilon, delta: privacy.delta, seed: seed ?? 1, cold: cold,
            float32: isFloat32, floatSum: floatSum ? true : nil, measureEvery: 1)
    }
}

/// Where `simulate` keeps what it did.
struct RecordingOptions: ParsableArguments {
    @Option(name: .customLong("run-record"), help: "The file that the run is recorded in.")
    var file: String?

    @Option(
        help:
            "The directory that runs are recorded in (default: TRIBUTARY_RUNS, or the user's own).")
    var runs: String?

    @Flag(help: "Record nothing.")
    var noRecord = false

    @Option(help: "Go on with the run of this name, or the record in this file.")
    var resume: String?

    @Option(help: "What an interruption may cost; 0 keeps every round.")
    var checkpointSeconds = 10.0

    func validate() throws {
        guard [file != nil, runs != nil, noRecord].count(where: { $0 }) < 2 else {
            throw ValidationError("Use one of --run-record, --runs and --no-record.")
        }
        guard checkpointSeconds >= 0 else {
            throw ValidationError("--checkpoint-seconds must be at least 0.")
        }
    }

    /// Nil when nobody says where, and the user has no home.
    var directory: RunDirectory? {
        runs.map { RunDirectory(path: $0) }
            ?? RunDirectory.standard(ProcessInfo.processInfo.environment)
    }

    /// The directory, or for a user without a home the working directory.
    func directory(orHere: Bool) -> RunDirectory { directory ?? RunDirectory(path: ".") }
}

extension RunOptions {
    /// Takes the value of a sweep over one of the options; false when its name is none of theirs.
    ///
    /// - Throws: `Fault.invalid` when the value is impossible.
    fileprivate mutating func take(_ name: String, _ value: String) throws(Fault) -> Bool {
        let impossible = Fault(
            .invalid, "'\(value)' is no \(name)", remedy: "use what the option of that name takes")
        func number(in range: ClosedRange<Double>) throws(Fault) -> Double {
            guard let number = Double(value), range.contains(number) else { throw impossible }
            return number
        }
        func count() throws(Fault) -> Int {
            guard let count = Int(value), count > 0 else { throw impossible }
            return count
        }
        switch name {
        case "seed":
            guard let seed = UInt64(value) else { throw impossible }
            self.seed = seed
        case "agents": agents = try count()
        case "rounds": rounds = try count()
        case "examples_per_agent": examplesPerAgent = try count()
        case "partition": partition = value
        case "client": client = value
        case "sampling_rate": samplingRate = try number(in: .leastNonzeroMagnitude...1)
        case "noise_multiplier":
            noiseMultiplier = try number(in: 0...PrivacyPlan.largestNoiseMultiplier)
        case "target_epsilon":
            targetEpsilon = try number(in: .leastNonzeroMagnitude...Double.greatestFiniteMagnitude)
        case "delta": delta = try number(in: .leastNonzeroMagnitude...(1 - 0x1p-53))
        default: return false
        }
        return true
    }
}

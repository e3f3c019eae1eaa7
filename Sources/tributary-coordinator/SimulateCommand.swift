import AdminConsole
import ArgumentParser
import Configuration
import CoordinatorService
import Cryptography
import Federation
import Kernels
import Learning
import Simulation

/// `simulate`: what a plan would do.
struct SimulateCommand: AnsweringCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate",
        abstract: "Run a plan's rounds with virtual agents in this process.",
        discussion: """
            The code of training, encoding, aggregation and noise is deployment's; there is no \
            network. The same seed gives the same numbers, whatever the number of threads.

            The data directory holds, in the plan's form: train/, whose examples are divided among \
            the agents, or clients/NAME/ with each agent's own for --partition natural; public/ \
            for the first model; and test/, if versions are to be measured.
            """)

    @Argument(help: "The plan, a TOML file.")
    var file: String

    @Option(name: .customLong("data"), help: "The directory with the examples.")
    var dataDirectory: String

    @Option(help: "Virtual agents (default: as many as the plan counts on).")
    var agents: Int?

    @Option(help: "How many rounds.")
    var rounds = 10

    @Option(help: "iid, dirichlet:ALPHA, labels:K or natural.")
    var partition = "iid"

    @OptionGroup var privacy: SimulatedPrivacy

    @Option(help: "Everything random follows from this number.")
    var seed: UInt64 = 1

    @Option(help: "Threads (default: one a processor).")
    var threads = Threads.processors

    @Flag(help: "Begin with random weights instead of a student distilled from public data.")
    var cold = false

    @Flag(
        name: .customLong("fp32"),
        help: "Round nothing: neither students nor updates; the yardstick of int8.")
    var isFloat32 = false

    @Flag(name: .customLong("json"), help: "Print one JSON document, last.")
    var wantsJSON = false

    func validate() throws {
        if let agents, agents < 1 { throw ValidationError("--agents must be at least 1.") }
        guard rounds > 0 else { throw ValidationError("--rounds must be at least 1.") }
        guard (1...1024).contains(threads) else {
            throw ValidationError("--threads must be 1 to 1024.")
        }
    }

    func execute() async throws {
        let clock = ContinuousClock()
        let began = clock.now
        // The threads are ours; and sums must not depend on how many the library would use.
        Blas.useOneThread()
        let rule = try PartitionRule(parsing: partition)
        let written = try PlanFile.parse(try CredentialFile.read(file), file: file)
        let plan = try privacy.applied(to: written, agents: agents, rounds: rounds)
        let data = try SimulationData.read(dataDirectory, plan: plan, isNatural: rule == .natural)
        for warning in data.warnings { OutputStream.error.write("warning: \(warning)\n") }
        var random = SeededRandom(seed: seed)
        let parts = try rule.divided(
            data.train, classes: plan.data.classes,
            agents: agents ?? (rule == .natural ? nil : written.expectedAgents), random: &random)
        let progress = LiveProgress()
        defer { progress.end() }
        let first = try firstModel(plan, data, seed: random.next(), progress)
        var simulation = try Simulation(
            plan: plan, parameters: first.parameters,
            data: SimulatedData(train: data.train, partition: parts, test: data.test),
            teaching: try first.teacher.flatMap { (teacher) throws(Fault) in
                try data.teaching(teacher, plan: plan)
            }, seed: random.next(), arithmetic: arithmetic)
        var report = SimulationReport(
            measure: plan.measureName, testExamples: data.test?.count, plan: plan,
            teacherAccuracy: first.teacherAccuracy,
            firstAccuracy: try simulation.accuracy(on: Threads.parallelFor(threads)))
        progress.write(
            report.beginning(agents: parts.agents, idle: parts.withoutRows), to: progressStream)
        let roundsBegan = clock.now
        for number in 0..<rounds {
            progress.show("running \(rounds) rounds", Double(number) / Double(rounds))
            let round = try simulation.runRound(on: Threads.parallelFor(threads))
            report.add(round)
            progress.write(report.line(of: round), to: progressStream)
        }
        progress.end()
        report.roundsSeconds = (clock.now - roundsBegan) / .seconds(1)
        report.wallSeconds = (clock.now - began) / .seconds(1)
        show(report.json, report.text)
    }

    private var arithmetic: StudentTrainer.Arithmetic { isFloat32 ? .float32 : .int8 }

    private func firstModel(
        _ plan: Plan, _ data: SimulationData, seed: UInt64, _ progress: LiveProgress
    ) throws(Fault) -> FirstModel {
        if cold {
            var examples = data.train.subset(Array(0..<data.train.count)[...])
            return try FirstModel.untrained(plan: plan, on: &examples, seed: seed)
        }
        guard let publicDirectory = data.publicDirectory else {
            throw Fault(
                .notFound, "\(dataDirectory) has no public/ to distil the first model from",
                remedy: "put labelled examples there, or begin with random weights: --cold")
        }
        progressStream.write("distilling the first model from \(publicDirectory)\n")
        return try FirstModel.make(
            plan: plan, publicDirectory: publicDirectory, testDirectory: data.testDirectory,
            seed: seed, arithmetic: arithmetic
        ) { stage, done in
            progress.show(stage.rawValue, done)
            return true
        }
    }
}

extension Plan {
    /// The agents a plan counts on: its privacy's population, or those one round wants.
    fileprivate var expectedAgents: Int { privacy?.agents ?? round.agents }
}

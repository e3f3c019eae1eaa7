import AdminConsole
import Configuration
import Console
import CoordinatorService
import Cryptography
import DataSets
import Federation
import Learning
import RunRecords
import Simulation

/// Runs what `simulate` was asked for, one run at a time.
struct SimulationRunner {
    let threads: Int
    /// Where a line goes for what happened.
    let stream: OutputStream
    let progress: LiveProgress
    let recording: RecordingOptions

    /// Runs all rounds of the plan `text`.
    ///
    /// - Throws: `Fault` when plan, options or data do not fit, or a round cannot be run; the record then
    ///   says so.
    func run(
        _ options: RunOptions, text: String, _ inputs: inout SimulationInputs
    ) throws(Fault) -> SimulationReport {
        try run(options, text: text, &inputs, going: nil)
    }

    /// Goes on with an interrupted run; of a finished one, what came of it.
    ///
    /// - Parameter data: where the data is now; nil for where it was.
    /// - Throws: `Fault.conflict` when the run failed, another process is at it, or program or data are
    ///   not the same; otherwise as `run`.
    func resume(_ file: RunFile, data: String?) throws(Fault) -> SimulationReport {
        var record = try file.read()
        guard record.state == .running else { return try ended(record, file) }
        let lock = try RunLock(file)
        // Another process may have come further since.
        record = try file.read()
        guard record.state == .running else { return try ended(record, file) }
        guard record.code == MachineFacts.code else {
            throw Fault(
                .conflict,
                "run \(file.name) was begun by another build of this program,"
                    + " \(record.code.version) \(record.code.build ?? "")",
                remedy: "go on with that one, or begin anew")
        }
        var options = record.options
        if let data { options.data = data }
        var inputs = SimulationInputs()
        return try run(
            options, text: record.plan.text, &inputs,
            going: Interrupted(file: file, record: record, lock: lock))
    }

    /// A run to go on with.
    private struct Interrupted {
        let file: RunFile
        let record: RunRecord
        let lock: RunLock
    }

    private func ended(_ record: RunRecord, _ file: RunFile) throws(Fault) -> SimulationReport {
        guard record.state == .finished else {
            throw Fault(
                .conflict, "run \(file.name) failed: \(record.fault ?? "")",
                remedy: "mend what it says, and begin anew")
        }
        let plan = try PlanFile.parse(Array(record.plan.text.utf8), file: record.options.plan)
        return SimulationReport(record, plan: try record.options.applied(to: plan), file: file)
    }

    private func run(
        _ options: RunOptions, text: String, _ inputs: inout SimulationInputs,
        going: Interrupted?
    ) throws(Fault) -> SimulationReport {
        let watch = RunWatch()
        let plan = try privatePlan(options, text)
        let isNatural = options.partition == "natural"
        let read = try inputs.data(
            options, plan: plan.effective, isNatural: isNatural,
            isRecorded: going != nil || !recording.noRecord)
        for warning in read.data.warnings { warn(warning) }

        let kept = try going.flatMap { (going) throws(Fault) in try state(of: going.file) }
        var begun = try begin(plan, read.data, options, from: kept, &inputs)
        var record: RunRecord
        if let going, !going.record.data.isEmpty {
            record = going.record
            try check(record.data, against: read.digests)
        } else {
            // Of a run that never came to say what its data was, nothing was kept: it begins anew.
            record = newRecord(
                going?.record.options ?? options, text, begun.simulation.plan, begun.parts,
                read.data)
            if let going { record.spent = going.record.spent }
        }
        if going != nil { record.spent.resumedUnix.append(MachineFacts.unixSeconds) }
        if kept == nil, let first = begun.first {
            record.firstModel = FirstModelFacts(
                origin: isCold(options, read.data) ? "random" : "distilled",
                accuracy: try begun.simulation.accuracy(on: Threads.parallelFor(threads)),
                teacherAccuracy: try teacherAccuracy(first, read.data))
        }
        let file: RunFile?
        if let going { file = going.file } else { file = try newFile(record) }
        let ran = begun.simulation.plan
        let recorder = try RunRecorder(
            record, file: file, lock: going?.lock, digests: read.digests,
            checkpointSeconds: recording.checkpointSeconds, watch: watch,
            epsilon: { Simulation.epsilon(of: ran, after: $0) })
        try recorder.begin(begun.simulation.state, isCostly: begun.first?.teacher != nil)
        try runRounds(&begun.simulation, options, recorder)
        return SimulationReport(
            recorder.record, plan: begun.simulation.plan, file: recorder.file)
    }

    /// The plan as it is written, and with what the options make of its privacy.
    private func privatePlan(
        _ options: RunOptions, _ text: String
    ) throws(Fault) -> (written: Plan, effective: Plan) {
        let written = try PlanFile.parse(Array(text.utf8), file: options.plan)
        if let delta = options.fittingDelta(of: written) {
            warn("the plan's delta is for fewer agents: \(delta) takes its place, or --delta")
        }
        return (written, try options.applied(to: written))
    }

    /// The simulation before its next round, and what that took.
    private struct Begun {
        var simulation: Simulation
        let parts: Partition
        /// Nil when it was not needed any more.
        let first: FirstModel?
    }

    private func begin(
        _ plan: (written: Plan, effective: Plan), _ data: SimulationData, _ options: RunOptions,
        from kept: SimulationState?, _ inputs: inout SimulationInputs
    ) throws(Fault) -> Begun {
        var random = SeededRandom(seed: options.seed)
        let parts = try partition(data, plan.written, options, &random)
        let (firstSeed, seed) = (random.next(), random.next())
        var first: FirstModel?
        if kept == nil || plan.effective.distillation.postRoundEpochs > 0 {
            first = try firstModel(plan.effective, data, options, seed: firstSeed, &inputs)
        }
        var simulation = try Simulation(
            plan: plan.effective, parameters: kept?.master ?? first?.parameters ?? [],
            data: SimulatedData(train: data.train, partition: parts, test: data.test),
            teaching: try first?.teacher.flatMap { (teacher) throws(Fault) in
                try data.teaching(teacher, plan: plan.effective)
            }, seed: seed, arithmetic: options.arithmetic,
            sum: options.floatSum == true ? .float : nil)
        if let kept { try simulation.resume(from: kept) }
        return Begun(simulation: simulation, parts: parts, first: first)
    }

    private func runRounds(
        _ simulation: inout Simulation, _ options: RunOptions, _ recorder: RunRecorder
    ) throws(Fault) {
        let report = SimulationReport(
            recorder.record, plan: simulation.plan, file: recorder.file)
        progress.write(report.beginning, to: stream)
        let already = simulation.rounds
        do throws(Fault) {
            try simulation.run(
                until: options.rounds, measureEvery: options.measureEvery,
                on: Threads.parallelFor(threads)
            ) { (round, state) throws(Fault) in
                try recorder.add(round, state)
                let done = Double(round.number) / Double(options.rounds)
                progress.show(
                    "running \(options.rounds) rounds", done,
                    detail: recorder.detail(of: options.rounds, since: already))
                let isTold = round.accuracy != nil || round.number % options.measureEvery == 0
                if isTold || round.firstFault != nil || round.number == options.rounds {
                    progress.write(report.line(of: round), to: stream)
                }
            }
        } catch {
            progress.end()
            try recorder.fail(error)
            throw error
        }
        progress.end()
        try recorder.finish()
    }

    private func warn(_ words: String) {
        progress.write("warning: \(words)\n", to: .error)
    }

    private func partition(
        _ data: SimulationData, _ plan: Plan, _ options: RunOptions,
        _ random: inout SeededRandom
    ) throws(Fault) -> Partition {
        let rule = try PartitionRule(parsing: options.partition)
        let agents = options.agents ?? (rule == .natural ? nil : plan.expectedAgents)
        let isDrawn =
            options.examplesPerAgent != nil || rule != .natural && (agents ?? 0) > data.train.count
        if isDrawn {
            return try rule.drawn(
                from: data.train, classes: plan.data.classes, agents: agents ?? 1,
                each: options.examplesPerAgent ?? plan.training.batchSize, seed: random.next())
        }
        return try rule.divided(
            data.train, classes: plan.data.classes, agents: agents, random: &random)
    }

    private func state(of file: RunFile) throws(Fault) -> SimulationState? {
        guard let bytes = file.readCheckpoint() else { return nil }
        return try SimulationState(decoding: bytes)
    }

    private func check(_ recorded: [RecordedSplit], against digests: Digests?) throws(Fault) {
        guard let digests, try digests.wait() != recorded else { return }
        throw Fault(
            .conflict, "the data is not what the run began with",
            remedy: "restore it, or begin anew")
    }

    // MARK: First model

    private func isCold(_ options: RunOptions, _ data: SimulationData) -> Bool {
        options.cold || data.publicFiles == nil
    }

    private func firstModel(
        _ plan: Plan, _ data: SimulationData, _ options: RunOptions, seed: UInt64,
        _ inputs: inout SimulationInputs
    ) throws(Fault) -> FirstModel {
        guard !options.cold, let publicFiles = data.publicFiles else {
            if !options.cold {
                warn(
                    "\(options.data) has no public examples to distil the first model from:"
                        + " it begins with random weights, as with --cold")
            }
            var examples = data.train.subset(Array(0..<data.train.count)[...])
            return try FirstModel.untrained(plan: plan, on: &examples, seed: seed)
        }
        return try inputs.firstModel(options, plan: plan, seed: seed) { () throws(Fault) in
            stream.write("distilling the first model from \(publicFiles.directory)\n")
            var plan = plan
            plan.data = publicFiles.plan
            return try FirstModel.make(
                plan: plan, publicDirectory: publicFiles.directory, testDirectory: nil,
                seed: seed, arithmetic: options.arithmetic
            ) { [progress] stage, done in
                progress.show(stage.rawValue, done)
                return true
            }
        }
    }

    private func teacherAccuracy(
        _ first: FirstModel, _ data: SimulationData
    ) throws(Fault) -> Double? {
        guard let teacher = first.teacher, let test = data.test else { return nil }
        var examples = test.subset(Array(0..<test.count)[...])
        return try teacher.accuracy(on: &examples)
    }

    // MARK: Record

    private func newRecord(
        _ options: RunOptions, _ text: String, _ plan: Plan, _ parts: Partition,
        _ data: SimulationData
    ) -> RunRecord {
        RunRecord(
            plan: PlanText(
                name: plan.id.name, title: plan.title,
                sha256: SHA256.digest(of: Array(text.utf8)).hex, text: text), options: options,
            parameters: PlanParameters.all(of: plan),
            population: PopulationFacts(
                agents: parts.agents, withoutExamples: parts.withoutRows,
                examplesDrawn: parts.drawnEach, trainExamples: data.train.count,
                testExamples: data.test?.count),
            firstModel: FirstModelFacts(origin: "random", accuracy: nil, teacherAccuracy: nil),
            code: MachineFacts.code, machine: MachineFacts.machine(threads: threads),
            spent: Spent(startedUnix: MachineFacts.unixSeconds))
    }

    /// The file of a new run; nil when nothing is to be recorded.
    private func newFile(_ record: RunRecord) throws(Fault) -> RunFile? {
        guard !recording.noRecord else { return nil }
        if let path = recording.file {
            let file = RunFile(path: path)
            try file.create(record)
            return file
        }
        guard let directory = recording.directory else {
            warn("nothing is recorded: say where with --runs or TRIBUTARY_RUNS")
            return nil
        }
        return try directory.begin(record)
    }
}

extension Plan {
    /// The agents a plan counts on: its privacy's population, or those one round wants.
    fileprivate var expectedAgents: Int { privacy?.agents ?? round.agents }
}

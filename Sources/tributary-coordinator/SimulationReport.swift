import AdminConsole
import Federation
import Privacy
import RunRecords
import Simulation

/// What `simulate` tells of a run.
struct SimulationReport {
    let record: RunRecord
    private let plan: Plan
    /// Nil when nothing was recorded.
    private let file: RunFile?

    /// - Parameter plan: as it ran.
    init(_ record: RunRecord, plan: Plan, file: RunFile?) {
        self.record = record
        self.plan = plan
        self.file = file
    }

    /// The run's; nil when nothing was recorded.
    var name: String? { file?.name }

    /// The word for what the model is measured by.
    private var measure: String { plan.measureName }

    /// What is known before the first round.
    var beginning: String {
        let population = record.population
        var text = counted(population.agents, "agent")
        if let each = population.examplesDrawn { text += ", each draws \(each) examples" }
        if population.withoutExamples > 0 {
            text += " (\(population.withoutExamples) more hold no example)"
        }
        let first = record.firstModel
        if let accuracy = first.teacherAccuracy {
            text += ", teacher \(measure) \(written(accuracy))"
        }
        if let accuracy = first.accuracy { text += ", first model \(measure) \(written(accuracy))" }
        if let last = record.rounds.last { text += "; going on after round \(last.round)" }
        return text + "\n"
    }

    func line(of round: SimulatedRound) -> String {
        var text = "round \(round.number): \(round.reported) of \(round.selected) updates"
        if let accuracy = round.accuracy { text += ", \(measure) \(written(accuracy))" }
        if let epsilon = round.epsilon { text += ", epsilon \(written(epsilon))" }
        if plan.clipping.adaptive != nil {
            text += ", clipped at \(written(Double(round.clippingNorm)))"
        }
        if let trial = round.distillation {
            let (before, after) = (written(trial.accuracyBefore), written(trial.accuracyAfter))
            text +=
                ", distilled: \(before) to \(after) held out,"
                + " \(trial.isAccepted ? "kept" : "dropped")"
        }
        if round.wouldBeRefused { text += ", a coordinator would refuse this version" }
        if let fault = round.firstFault { text += "\n  an agent failed: \(fault)" }
        return text + "\n"
    }

    var json: JSONValue {
        let (summary, spent) = (record.summary, record.spent)
        let kept = record.rounds.count { $0.distillationKept == true }
        return .object([
            ("accuracy_last", decimal(summary.accuracyLast)),
            ("accuracy_first", decimal(record.firstModel.accuracy)),
            ("accuracy_best", decimal(summary.accuracyBest)),
            ("accuracy_teacher", decimal(record.firstModel.teacherAccuracy)),
            ("epsilon", decimal(summary.epsilon)), ("delta", decimal(plan.privacy?.delta)),
            ("noise_multiplier", decimal(plan.privacy?.noiseMultiplier)),
            ("sampling_rate", decimal(plan.privacy?.sampling.rate)),
            ("clipping_norm", decimal(record.rounds.last?.clippingNorm)),
            ("local_epsilon", decimal(plan.privacy?.localEpsilon(rounds: record.rounds.count))),
            ("test_examples", record.population.testExamples.map { .number(UInt64($0)) } ?? .null),
            ("wall_seconds", .decimal(spent.wallSeconds)),
            ("rounds_seconds", .decimal(spent.roundsSeconds)),
            ("peak_memory_mib", .decimal(spent.peakMemoryMiB)),
            ("agents", .number(UInt64(record.population.agents))),
            ("rounds", .number(UInt64(record.rounds.count))),
            ("client_rounds", .number(UInt64(summary.clientRounds))),
            ("distillations_kept", .number(UInt64(kept))),
            ("threads", .number(UInt64(record.machine.threads))),
            ("run", file.map { .string($0.name) } ?? .null),
            ("record", file.map { .string($0.path) } ?? .null),
        ])
    }

    /// The last lines for people.
    var text: String {
        var text = ""
        if let privacy = plan.privacy, let epsilon = record.summary.epsilon {
            let rounds = record.rounds.count
            text +=
                "epsilon \(written(epsilon)) at delta \(privacy.delta) after \(rounds) rounds:"
                + " noise multiplier \(written(privacy.noiseMultiplier)), sampling rate"
                + " \(privacy.sampling.rate)\n"
            if let local = privacy.localEpsilon(rounds: rounds) {
                text +=
                    "epsilon \(written(local)) against the curator: local noise multiplier"
                    + " \(written(privacy.localNoiseMultiplier))\n"
            }
        }
        let spent = record.spent
        text +=
            "\(record.summary.clientRounds) client rounds in \(written(spent.roundsSeconds)) s, "
            + "\(written(spent.wallSeconds)) s in all\n"
        if let file { text += "recorded as \(file.name): \(file.path)\n" }
        return text
    }
}

extension Plan {
    /// The word for what models are measured by, see `QuantizedModel.measure`.
    var measureName: String {
        switch training.objective {
        case .classification: "accuracy"
        case .reconstruction: data.hasLabels ? "area under the ROC curve" : "explained variance"
        case .regression: "R2"
        }
    }
}

func decimal(_ value: Double?) -> JSONValue { value.map { .decimal($0) } ?? .null }

/// At most four decimals.
func written(_ value: Double) -> String {
    value.isFinite ? "\((value * 10_000).rounded() / 10_000)" : "unlimited"
}

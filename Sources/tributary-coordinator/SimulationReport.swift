import AdminConsole
import Federation
import Privacy
import Simulation

/// What `simulate` tells of its rounds.
struct SimulationReport {
    /// The word for what the model is measured by.
    private let measure: String
    let teacherAccuracy: Double?
    let firstAccuracy: Double?
    private let plan: Plan
    /// What every version was measured on; nil without test data.
    private let testExamples: Int?
    private var last: SimulatedRound?
    private var clientRounds = 0
    private var distillationsKept = 0
    /// Of the whole run, and of its rounds alone.
    var wallSeconds = 0.0
    var roundsSeconds = 0.0

    init(
        measure: String, testExamples: Int?, plan: Plan, teacherAccuracy: Double?,
        firstAccuracy: Double?
    ) {
        self.measure = measure
        self.testExamples = testExamples
        self.plan = plan
        self.teacherAccuracy = teacherAccuracy
        self.firstAccuracy = firstAccuracy
    }

    mutating func add(_ round: SimulatedRound) {
        last = round
        clientRounds += round.reported
        if round.distillation?.isAccepted == true { distillationsKept += 1 }
    }

    /// What is known before the first round.
    func beginning(agents: Int, idle: Int) -> String {
        var text = "\(agents) agents"
        if idle > 0 { text += " (\(idle) more hold no example)" }
        if let teacherAccuracy { text += ", teacher \(measure) \(written(teacherAccuracy))" }
        if let firstAccuracy { text += ", first model \(measure) \(written(firstAccuracy))" }
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
        .object([
            ("accuracy_last", decimal(last?.accuracy)), ("accuracy_first", decimal(firstAccuracy)),
            ("accuracy_teacher", decimal(teacherAccuracy)), ("epsilon", decimal(last?.epsilon)),
            ("delta", decimal(plan.privacy?.delta)),
            ("noise_multiplier", decimal(plan.privacy?.noiseMultiplier)),
            ("sampling_rate", decimal(plan.privacy?.sampling.rate)),
            ("clipping_norm", decimal((last?.clippingNorm).map { Double($0) })),
            (
                "local_epsilon",
                decimal(last.flatMap { plan.privacy?.localEpsilon(rounds: $0.number) })
            ),
            ("test_examples", testExamples.map { .number(UInt64($0)) } ?? .null),
            ("wall_seconds", .decimal(wallSeconds)), ("rounds_seconds", .decimal(roundsSeconds)),
            ("client_rounds", .number(UInt64(clientRounds))),
            ("distillations_kept", .number(UInt64(distillationsKept))),
        ])
    }

    /// The last lines for people.
    var text: String {
        var text = ""
        if let privacy = plan.privacy, let last, let epsilon = last.epsilon {
            text +=
                "epsilon \(written(epsilon)) at delta \(privacy.delta) after \(last.number) rounds:"
                + " noise multiplier \(written(privacy.noiseMultiplier)), sampling rate"
                + " \(privacy.sampling.rate)\n"
            if let local = privacy.localEpsilon(rounds: last.number) {
                text +=
                    "epsilon \(written(local)) against the curator: local noise multiplier"
                    + " \(written(privacy.localNoiseMultiplier))\n"
            }
        }
        return text + "\(clientRounds) client rounds in \(written(roundsSeconds)) s, "
            + "\(written(wallSeconds)) s in all\n"
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

import AdminConsole
import Federation
import Simulation

/// What `simulate` tells of its rounds.
struct SimulationReport {
    /// The word for what the model is measured by.
    private let measure: String
    let teacherAccuracy: Double?
    let firstAccuracy: Double?
    /// What every version was measured on; nil without test data.
    private let testExamples: Int?
    private var last: SimulatedRound?
    private var clientRounds = 0
    private var distillationsKept = 0
    /// Of the whole run, and of its rounds alone.
    var wallSeconds = 0.0
    var roundsSeconds = 0.0

    init(
        measure: String, testExamples: Int?, teacherAccuracy: Double?, firstAccuracy: Double?
    ) {
        self.measure = measure
        self.testExamples = testExamples
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
            ("test_examples", testExamples.map { .number(UInt64($0)) } ?? .null),
            ("wall_seconds", .decimal(wallSeconds)), ("rounds_seconds", .decimal(roundsSeconds)),
            ("client_rounds", .number(UInt64(clientRounds))),
            ("distillations_kept", .number(UInt64(distillationsKept))),
        ])
    }

    /// The last line for people.
    var text: String {
        "\(clientRounds) client rounds in \(written(roundsSeconds)) s, "
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

/// What one simulated run was and what came of it: a JSON file that says enough to repeat the run, and
/// to tell it from another.
///
/// All but `machine` and `spent` is the same for the same options, data and code, whatever the
/// machine, the number of threads, and how often the run was interrupted. Members are written in
/// alphabetical order. A reader refuses another `schema`; within one, members are only added.
package struct RunRecord: Codable, Sendable, Equatable {
    /// Names the members below and their meanings.
    package static let schema = "tributary.run/1"

    package enum State: String, Codable, Sendable {
        /// Or interrupted, if no process is at it.
        case running
        case finished
        /// Ended before its last round, as `fault` says.
        case failed
    }

    package var schema = RunRecord.schema
    package var state: State
    package var fault: String?
    package var plan: PlanText
    package var options: RunOptions
    /// Every value of the plan as it ran, defaults and options included: `training.learning_rate`.
    package var parameters: [String: Setting]
    package var data: [RecordedSplit]
    package var population: PopulationFacts
    package var firstModel: FirstModelFacts
    package var code: CodeVersion
    package var machine: Machine
    package var rounds: [RoundMetrics]
    package var summary: Summary
    package var spent: Spent

    package init(
        plan: PlanText, options: RunOptions, parameters: [String: Setting],
        population: PopulationFacts, firstModel: FirstModelFacts, code: CodeVersion,
        machine: Machine, spent: Spent
    ) {
        state = .running
        self.plan = plan
        self.options = options
        self.parameters = parameters
        data = []
        self.population = population
        self.firstModel = firstModel
        self.code = code
        self.machine = machine
        rounds = []
        summary = Summary()
        self.spent = spent
    }

    private enum CodingKeys: String, CodingKey {
        case schema, state, fault, plan, options, parameters, data, population, code, machine
        case rounds, summary, spent
        case firstModel = "first_model"
    }
}

/// The plan of a run.
package struct PlanText: Codable, Sendable, Equatable {
    package var name: String
    package var title: String
    /// SHA-256 of `text`, in hexadecimal: the identity that the plan would have in a fleet.
    package var sha256: String
    /// The TOML, with a sweep's values in place.
    package var text: String

    package init(name: String, title: String, sha256: String, text: String) {
        self.name = name
        self.title = title
        self.sha256 = sha256
        self.text = text
    }
}

/// A value of a plan.
package enum Setting: Codable, Sendable, Equatable {
    case truth(Bool)
    case number(Double)
    case text(String)

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let truth = try? container.decode(Bool.self) {
            self = .truth(truth)
        } else if let number = try? container.decode(Double.self) {
            self = .number(number)
        } else {
            self = .text(try container.decode(String.self))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .truth(let truth): try container.encode(truth)
        // JSON has no word for the others.
        case .number(let number) where !number.isFinite: try container.encode("\(number)")
        case .number(let number): try container.encode(number)
        case .text(let text): try container.encode(text)
        }
    }

    /// As people write it: whole numbers without a fraction.
    package var words: String {
        switch self {
        case .truth(let truth): "\(truth)"
        case .number(let number): Int(exactly: number).map { "\($0)" } ?? "\(number)"
        case .text(let text): text
        }
    }
}

/// One split of the data of a run.
package struct RecordedSplit: Codable, Sendable, Equatable {
    package struct File: Codable, Sendable, Equatable {
        /// From the data directory.
        package var path: String
        package var bytes: Int
        package var sha256: String

        package init(path: String, bytes: Int, sha256: String) {
            self.path = path
            self.bytes = bytes
            self.sha256 = sha256
        }
    }

    /// `train`, `test` or `public`.
    package var name: String
    package var files: [File]

    package init(name: String, files: [File]) {
        self.name = name
        self.files = files
    }
}

/// The virtual agents of a run.
package struct PopulationFacts: Codable, Sendable, Equatable {
    /// Agents that hold an example, and those that were dealt none.
    package var agents: Int
    package var withoutExamples: Int
    /// Examples that each agent draws with replacement; nil when each example was dealt to one agent.
    package var examplesDrawn: Int?
    package var trainExamples: Int
    package var testExamples: Int?

    package init(
        agents: Int, withoutExamples: Int, examplesDrawn: Int?, trainExamples: Int,
        testExamples: Int?
    ) {
        self.agents = agents
        self.withoutExamples = withoutExamples
        self.examplesDrawn = examplesDrawn
        self.trainExamples = trainExamples
        self.testExamples = testExamples
    }

    private enum CodingKeys: String, CodingKey {
        case agents
        case withoutExamples = "without_examples"
        case examplesDrawn = "examples_drawn"
        case trainExamples = "train_examples"
        case testExamples = "test_examples"
    }
}

/// What a run began with.
package struct FirstModelFacts: Codable, Sendable, Equatable {
    /// `distilled` from public data, or `random` weights.
    package var origin: String
    /// On the test examples; nil without any, or without a teacher.
    package var accuracy: Double?
    package var teacherAccuracy: Double?

    package init(origin: String, accuracy: Double?, teacherAccuracy: Double?) {
        self.origin = origin
        self.accuracy = accuracy
        self.teacherAccuracy = teacherAccuracy
    }

    private enum CodingKeys: String, CodingKey {
        case origin, accuracy
        case teacherAccuracy = "teacher_accuracy"
    }
}

/// The program of a run.
package struct CodeVersion: Codable, Sendable, Equatable {
    package var version: String
    /// The linker's digest of the program; nil of one that has none.
    package var build: String?

    package init(version: String, build: String?) {
        self.version = version
        self.build = build
    }
}

/// What a run ran on.
package struct Machine: Codable, Sendable, Equatable {
    package var processor: String
    /// Of the integer kernels.
    package var instructionSet: String
    package var processors: Int
    package var threads: Int
    package var system: String

    package init(
        processor: String, instructionSet: String, processors: Int, threads: Int, system: String
    ) {
        self.processor = processor
        self.instructionSet = instructionSet
        self.processors = processors
        self.threads = threads
        self.system = system
    }

    private enum CodingKeys: String, CodingKey {
        case processor, processors, threads, system
        case instructionSet = "instruction_set"
    }
}

/// What a round did.
package struct RoundMetrics: Codable, Sendable, Equatable {
    /// From 1.
    package var round: Int
    /// Agents that took part, and those of them whose update counted.
    package var selected: Int
    package var reported: Int
    /// Updates that were not clipped, and the norm to which the others were.
    package var withinClip: Int
    package var clippingNorm: Double
    /// On the test examples; nil without any, or when this round was not measured.
    package var accuracy: Double?
    /// Spent so far; nil in a plan without privacy, or when neither this round was measured nor the
    /// run ended with it.
    package var epsilon: Double?
    /// Whether distillation after the round was kept; nil when the plan does not want it.
    package var distillationKept: Bool?
    /// Whether a coordinator would not publish this version.
    package var wouldBeRefused: Bool
    /// Why the first agent's update that is missing did not count.
    package var fault: String?

    package init(
        round: Int, selected: Int, reported: Int, withinClip: Int, clippingNorm: Double,
        accuracy: Double?, epsilon: Double?, distillationKept: Bool?, wouldBeRefused: Bool,
        fault: String?
    ) {
        self.round = round
        self.selected = selected
        self.reported = reported
        self.withinClip = withinClip
        self.clippingNorm = clippingNorm
        self.accuracy = accuracy
        self.epsilon = epsilon
        self.distillationKept = distillationKept
        self.wouldBeRefused = wouldBeRefused
        self.fault = fault
    }

    private enum CodingKeys: String, CodingKey {
        case round, selected, reported, accuracy, epsilon, fault
        case withinClip = "within_clip"
        case clippingNorm = "clipping_norm"
        case distillationKept = "distillation_kept"
        case wouldBeRefused = "would_be_refused"
    }
}

/// What the rounds so far came to.
package struct Summary: Codable, Sendable, Equatable {
    /// Of the last version that was measured.
    package var accuracyLast: Double?
    package var accuracyBest: Double?
    /// Of all rounds; while the run goes on, of those up to a second ago. Nil in a plan without privacy.
    package var epsilon: Double?
    package var clientRounds = 0

    package init() {}

    private enum CodingKeys: String, CodingKey {
        case epsilon
        case accuracyLast = "accuracy_last"
        case accuracyBest = "accuracy_best"
        case clientRounds = "client_rounds"
    }
}

/// What a run took; the only part that differs from one time to the next.
package struct Spent: Codable, Sendable, Equatable {
    /// When the run began, and went on after an interruption: seconds since 1970.
    package var startedUnix: UInt64
    package var resumedUnix: [UInt64] = []
    /// Of all processes that worked on it up to the last checkpoint, and of their rounds alone.
    package var wallSeconds = 0.0
    package var roundsSeconds = 0.0
    /// The most resident memory of the process that ended it.
    package var peakMemoryMiB = 0.0

    package init(startedUnix: UInt64) { self.startedUnix = startedUnix }

    private enum CodingKeys: String, CodingKey {
        case startedUnix = "started_unix"
        case resumedUnix = "resumed_unix"
        case wallSeconds = "wall_seconds"
        case roundsSeconds = "rounds_seconds"
        case peakMemoryMiB = "peak_memory_mib"
    }
}

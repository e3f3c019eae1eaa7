/// What a fleet trains, on what, how, and under which privacy: one TOML file, parsed by `Configuration`.
///
/// A plan's identity on the wire is the SHA-256 of its TOML text, so device and coordinator read the same bytes.
package struct Plan: Sendable, Equatable {
    /// Most parameters a student may have: 64 MiB of packed update, and 512 MiB of sums on the coordinator.
    package static let maximumParameters = 1 << 26

    package var id: PlanID
    /// One line for people.
    package var title: String
    /// Names the data population; plans over the same population share a privacy budget.
    package var population: String
    package var data: DataPlan
    /// The student's layers from input to output. The last has no ReLU and one unit a class.
    package var layers: [DenseLayerPlan]
    package var training: TrainingPlan
    package var teacher: TeacherPlan
    package var distillation: DistillationPlan
    package var round: RoundPlan
    package var clipping: ClippingPlan
    /// Nil when rounds carry no noise and weigh agents by their examples.
    package var privacy: PrivacyPlan?
    package var server: ServerPlan
    package var sealing: SealingPlan

    package init(
        id: PlanID, title: String, population: String, data: DataPlan, layers: [DenseLayerPlan],
        training: TrainingPlan, teacher: TeacherPlan, distillation: DistillationPlan,
        round: RoundPlan, clipping: ClippingPlan, privacy: PrivacyPlan?, server: ServerPlan,
        sealing: SealingPlan
    ) {
        self.id = id
        self.title = title
        self.population = population
        self.data = data
        self.layers = layers
        self.training = training
        self.teacher = teacher
        self.distillation = distillation
        self.round = round
        self.clipping = clipping
        self.privacy = privacy
        self.server = server
        self.sealing = sealing
    }

    /// Input width, hidden widths, output width: `[784, 128, 10]`.
    package var widths: [Int] { [data.features] + layers.map(\.units) }

    /// Trainable parameters: weights and biases of each layer, and one ln-scale for the input and each layer's output.
    package var parameterCount: Int {
        zip(widths, widths.dropFirst()).reduce(widths.count) { $0 + $1.0 * $1.1 + $1.1 }
    }
}

/// `[data]`: the form of the data every device holds and how raw features are normalised.
package struct DataPlan: Sendable, Equatable {
    /// How the files in an agent's data directory are written.
    package enum Format: Sendable, Equatable {
        /// IDX files of these names: unsigned bytes `[N, ...]` and labels `[N]`.
        case idx(features: String, labels: String)
        /// A CSV file of this name with a header line; the column named `label` holds an integer class.
        case csv(file: String, label: String)
    }

    package var format: Format
    /// Features a row: 784 for 28 x 28 pixels.
    package var features: Int
    /// Classes, numbered from 0.
    package var classes: Int
    /// Normalised = (raw - offset) / scale, in float32; one value for all features or one a feature.
    package var offset: [Float]
    package var scale: [Float]

    package init(format: Format, features: Int, classes: Int, offset: [Float], scale: [Float]) {
        self.format = format
        self.features = features
        self.classes = classes
        self.offset = offset
        self.scale = scale
    }
}

/// One `[[model.layers]]` entry: a fully connected layer.
package struct DenseLayerPlan: Sendable, Equatable {
    package var units: Int
    package var relu: Bool

    package init(units: Int, relu: Bool) {
        self.units = units
        self.relu = relu
    }
}

/// `[training]`: what an agent does in one round. SGD with momentum on minibatches.
package struct TrainingPlan: Sendable, Equatable {
    package var epochs: Int
    package var batchSize: Int
    package var learningRate: Float
    package var momentum: Float

    package init(epochs: Int, batchSize: Int, learningRate: Float, momentum: Float) {
        self.epochs = epochs
        self.batchSize = batchSize
        self.learningRate = learningRate
        self.momentum = momentum
    }
}

/// `[teacher]`: the fp32 network the coordinator trains on its public data.
package struct TeacherPlan: Sendable, Equatable {
    /// Hidden widths; input and output are the data's.
    package var hidden: [Int]
    package var training: TrainingPlan

    package init(hidden: [Int], training: TrainingPlan) {
        self.hidden = hidden
        self.training = training
    }
}

/// `[distillation]`: how the first student learns from the teacher.
///
/// Loss = alpha CE + (1 - alpha) T^2 KL(softmax(teacher / T) || softmax(student / T)).
package struct DistillationPlan: Sendable, Equatable {
    package var temperature: Float
    package var alpha: Float
    package var training: TrainingPlan

    package init(temperature: Float, alpha: Float, training: TrainingPlan) {
        self.temperature = temperature
        self.alpha = alpha
        self.training = training
    }
}

/// `[round]`: who takes part and how long a round waits.
package struct RoundPlan: Sendable, Equatable {
    /// Updates wanted.
    package var agents: Int
    /// Fewest updates with which a round without privacy may close at its deadline.
    package var minimum: Int
    /// Assignments a wanted update, at least 1; a private plan has exactly 1.
    package var overSelection: Double
    /// Seconds the selection window stays open.
    package var selectionSeconds: Double
    /// Seconds from the end of selection to the report deadline.
    package var reportSeconds: Double
    /// Seconds without a heartbeat after which an assignment lapses.
    package var leaseSeconds: Double
    /// Most examples one agent may count for; more is rejected.
    package var maxExamples: Int

    package init(
        agents: Int, minimum: Int, overSelection: Double, selectionSeconds: Double,
        reportSeconds: Double, leaseSeconds: Double, maxExamples: Int
    ) {
        self.agents = agents
        self.minimum = minimum
        self.overSelection = overSelection
        self.selectionSeconds = selectionSeconds
        self.reportSeconds = reportSeconds
        self.leaseSeconds = leaseSeconds
        self.maxExamples = maxExamples
    }
}

/// `[clipping]`: the bound on an update's L2 norm and the fineness of its lattice.
package struct ClippingPlan: Sendable, Equatable {
    /// The clipping norm C, in parameter units.
    package var norm: Float
    /// Step = kappa C / (127 sqrt(D)); about 6.
    package var kappa: Float

    package init(norm: Float, kappa: Float) {
        self.norm = norm
        self.kappa = kappa
    }
}

/// `[privacy]`: the noise of a private plan. The unit of privacy is one agent.
package struct PrivacyPlan: Sendable, Equatable {
    /// How a round's cohort is drawn.
    package enum Sampling: Sendable, Equatable {
        /// Every agent: q = 1 under zero-out adjacency, no amplification.
        case everyone
        /// An independent coin an agent with this probability.
        case poisson(rate: Double)

        /// The probability that one agent takes part in one round.
        package var rate: Double {
            switch self {
            case .everyone: 1
            case .poisson(let rate): rate
            }
        }
    }

    /// z: noise standard deviation over the sensitivity.
    package var noiseMultiplier: Double
    package var delta: Double
    package var sampling: Sampling
    /// Agents the plan expects; the fixed denominator is `sampling.rate * agents`.
    package var agents: Int
    /// The most epsilon this plan's population may spend; nil for no limit.
    package var maxEpsilon: Double?

    package init(
        noiseMultiplier: Double, delta: Double, sampling: Sampling, agents: Int, maxEpsilon: Double?
    ) {
        self.noiseMultiplier = noiseMultiplier
        self.delta = delta
        self.sampling = sampling
        self.agents = agents
        self.maxEpsilon = maxEpsilon
    }

    /// The plan constant that divides every sum, whoever reports.
    package var denominator: Double { sampling.rate * Double(agents) }
}

/// `[server]`: how the aggregate moves the fp32 master weights.
package struct ServerPlan: Sendable, Equatable {
    package var learningRate: Float
    /// 0 is FedAvg; above 0, FedAvgM.
    package var momentum: Float

    package init(learningRate: Float, momentum: Float) {
        self.learningRate = learningRate
        self.momentum = momentum
    }
}

/// `[sealing]`: when a new version is refused.
package struct SealingPlan: Sendable, Equatable {
    /// The largest drop of public-test accuracy from the parent version, in [0, 1].
    package var maxAccuracyDrop: Double

    package init(maxAccuracyDrop: Double) { self.maxAccuracyDrop = maxAccuracyDrop }
}

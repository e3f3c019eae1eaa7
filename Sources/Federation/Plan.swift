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
    /// The student's layers from input to output. The last has no ReLU; it has one unit a class, one a feature when the
    /// student reconstructs its input, or one a target.
    package var layers: [LayerPlan]
    package var training: TrainingPlan
    package var teacher: TeacherPlan
    package var distillation: DistillationPlan
    package var round: RoundPlan
    package var clipping: ClippingPlan
    /// Nil when rounds carry no noise and weigh agents by their examples.
    package var privacy: PrivacyPlan?
    package var server: ServerPlan
    package var sealing: SealingPlan
    package var card: ModelCardPlan
    /// Nil when rounds start only as they are asked for.
    package var schedule: SchedulePlan?
    package var retention: RetentionPlan

    package init(
        id: PlanID, title: String, population: String, data: DataPlan, layers: [LayerPlan],
        training: TrainingPlan, teacher: TeacherPlan, distillation: DistillationPlan,
        round: RoundPlan, clipping: ClippingPlan, privacy: PrivacyPlan?, server: ServerPlan,
        sealing: SealingPlan, card: ModelCardPlan = ModelCardPlan(),
        schedule: SchedulePlan? = nil, retention: RetentionPlan = RetentionPlan()
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
        self.card = card
        self.schedule = schedule
        self.retention = retention
    }

    /// The shapes of the student's values.
    ///
    /// - Throws: `Fault.invalid` naming the layer and both shapes when the layers do not fit the data or each other.
    package func shapes() throws(Fault) -> LayerShapes {
        let shape = data.shape
        guard shape.count == 3, shape.allSatisfy({ (1...LayerShapes.largestCount).contains($0) }),
            data.features <= LayerShapes.largestCount,
            shape[1] * shape[2] <= data.features,
            shape[0] * shape[1] * shape[2] == data.features
        else {
            throw Fault(
                .invalid, "the data's shape \(shape) is not that of \(data.features) features",
                remedy: "write [channels, height, width], whose product is the number of features")
        }
        let shapes = try LayerShapes(
            input: TensorShape(shape[0], shape[1], shape[2]), layers: layers)
        let last = layers[layers.count - 1]
        guard !last.kind.hasReLU else {
            throw Fault(
                .invalid, "layer '\(last.name)' is the last and ends in a ReLU",
                remedy: "leave it out: an output may be negative")
        }
        let expected = TensorShape(outputs)
        guard shapes.output == expected else {
            throw Fault(
                .invalid,
                "layer '\(last.name)' gives \(shapes.output), and the student's"
                    + " output is \(expected)")
        }
        return shapes
    }

    /// What a device tells of how many examples it has: in a private plan no more than whether there are any.
    package func disclosed(examples: Int) -> Int { privacy == nil ? examples : min(examples, 1) }

    /// The student's outputs: one a class, a feature or a target.
    package var outputs: Int { training.objective.outputs(data) }

    /// Values an example at the input and after each layer, `[784, 128, 10]`; empty when the layers do not fit, which
    /// parsing a plan refuses.
    package var widths: [Int] {
        guard let shapes = try? shapes() else { return [] }
        return [data.features] + shapes.outputs.map(\.count)
    }

    /// Trainable parameters: weights and biases of each layer, and one ln-scale for the input and each layer output
    /// that has a scale of its own. 0 when the layers do not fit, which parsing a plan refuses.
    package var parameterCount: Int {
        guard let shapes = try? shapes() else { return 0 }
        return layers.indices.reduce(1) { count, index in
            let layer = layers[index]
            let weights =
                layer.kind.hasWeights
                ? (layer.fanIn(shapes.input(of: index)) + 1) * shapes.outputs[index].channels : 0
            return count + weights + (layer.kind.hasEncoding ? 1 : 0)
        }
    }
}

/// `[training]`: what an agent does in one round, on minibatches.
package struct TrainingPlan: Sendable, Equatable {
    /// What the student is asked for, under the name that plans and model files have for it.
    package enum Objective: String, Sendable, CaseIterable {
        /// Softmax cross-entropy with the labels.
        case classification
        /// Mean squared error with the normalised input, whose size rates how unusual an example is.
        case reconstruction
        /// Mean squared error with the normalised targets, numbers that stand beside the features.
        case regression

        /// Outputs of a student that has this objective on `data`: one a class, a feature or a target.
        package func outputs(_ data: DataPlan) -> Int {
            switch self {
            case .classification: data.classes
            case .reconstruction: data.features
            case .regression: data.targets?.columns.count ?? 0
            }
        }
    }

    /// How gradients move parameters.
    package enum Optimizer: Sendable, Equatable {
        /// velocity = momentum velocity + gradient; parameter -= rate (velocity, or with Nesterov gradient + momentum
        /// velocity).
        case sgd(momentum: Float, nesterov: Bool)
        /// Loshchilov and Hutter 2019: Adam with weight decay beside the gradient.
        case adamW(beta1: Float, beta2: Float, epsilon: Float)
    }

    /// How the learning rate moves over one run.
    package enum Schedule: Sendable, Equatable {
        case constant
        /// From `learningRate` to zero along half a cosine.
        case cosine
    }

    package var epochs: Int
    package var batchSize: Int
    package var learningRate: Float
    package var optimizer: Optimizer
    package var schedule: Schedule = .constant
    /// Times the weight it is added to a weight's gradient, or with AdamW taken off the weight times the learning rate;
    /// biases and scales have none.
    package var weightDecay: Float = 0
    /// The largest L2 norm of a step's gradient, beyond which it is scaled down; 0 for no limit.
    package var clipNorm: Float = 0
    /// FedProx: adds mu / 2 times the squared distance from the round's start to the loss.
    package var proximalMu: Float = 0
    /// Epochs without a lower training loss after which a run ends early; 0 never.
    package var patience = 0
    /// Whether cross-entropy is corrected for the shares of the classes in a device's data.
    package var balancesClasses = true
    package var objective: Objective = .classification
    /// Whether the weights exist only as int8 while an agent trains, rounded at random in each step; SGD without
    /// momentum.
    package var lowMemory = false

    package init(epochs: Int, batchSize: Int, learningRate: Float, optimizer: Optimizer) {
        self.epochs = epochs
        self.batchSize = batchSize
        self.learningRate = learningRate
        self.optimizer = optimizer
    }

    /// SGD with momentum.
    package init(epochs: Int, batchSize: Int, learningRate: Float, momentum: Float) {
        self.init(
            epochs: epochs, batchSize: batchSize, learningRate: learningRate,
            optimizer: .sgd(momentum: momentum, nesterov: false))
    }

    /// Of what is never trained.
    package static let none = TrainingPlan(epochs: 1, batchSize: 1, learningRate: 0, momentum: 0)
}

/// `[teacher]`: the fp32 network the coordinator trains on its public data, with a cosine schedule.
package struct TeacherPlan: Sendable, Equatable {
    /// The layers from input to output. The last has no ReLU and one output a class.
    package var layers: [LayerPlan]
    package var training: TrainingPlan

    package init(layers: [LayerPlan], training: TrainingPlan) {
        self.layers = layers
        self.training = training
    }

    /// Of a plan whose student learns from data alone.
    package static let none = TeacherPlan(layers: [], training: .none)

    /// Dense layers of `hidden` units, and after them one with a unit a class.
    package init(hidden: [Int], classes: Int, training: TrainingPlan) {
        self.init(layers: TeacherPlan.dense(hidden + [classes]), training: training)
    }

    /// Dense layers of these units, named layer0, layer1 and so on, on features of any shape.
    package static func dense(_ units: [Int]) -> [LayerPlan] {
        [LayerPlan(name: "flatten", kind: .flatten)] + LayerPlan.dense(units)
    }
}

/// `[distillation]`: how the first student learns from the teacher.
///
/// Loss = alpha CE + (1 - alpha) T^2 KL(softmax(teacher / T) || softmax(student / T)).
package struct DistillationPlan: Sendable, Equatable {
    package var temperature: Float
    package var alpha: Float
    package var training: TrainingPlan
    /// Epochs in fp32 before the student is rounded; those with batch normalisation are all here.
    package var warmUpEpochs = 0
    /// Epochs of distillation after each round, kept only if that helps; 0 for none.
    package var postRoundEpochs = 0

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
    /// How C follows the updates' norms from `norm` on; nil when it stays.
    package var adaptive: AdaptiveClipping?

    package init(norm: Float, kappa: Float, adaptive: AdaptiveClipping? = nil) {
        self.norm = norm
        self.kappa = kappa
        self.adaptive = adaptive
    }
}

/// A clipping norm that moves, round by round, towards a quantile of the updates' norms (Andrew et al. 2021).
package struct AdaptiveClipping: Sendable, Equatable {
    /// gamma: the share of updates that should not be clipped, in (0, 1).
    package var quantile: Double
    /// eta: C moves by a factor of at most e^eta or so a round.
    package var rate: Double
    /// s_b: the standard deviation of the noise on the count of unclipped updates; nil without privacy.
    package var countNoise: Double?

    package init(quantile: Double, rate: Double, countNoise: Double?) {
        self.quantile = quantile
        self.rate = rate
        self.countNoise = countNoise
    }
}

/// `[privacy]`: the noise of a private plan. The unit of privacy is one agent, or, where agents add
/// noise themselves, one agent's data.
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

    /// The largest z that a plan may have: with 2^26 parameters, noise that can still be sampled.
    package static let largestNoiseMultiplier = 1000.0

    /// What `noiseMultiplier` was calibrated for.
    package struct Target: Sendable, Equatable {
        package var epsilon: Double
        /// Rounds that spend it.
        package var rounds: Int

        package init(epsilon: Double, rounds: Int) {
            self.epsilon = epsilon
            self.rounds = rounds
        }
    }

    /// z: noise standard deviation over the sensitivity, of everything that a round releases.
    ///
    /// Infinite in a device's reading of a plan with a `target`: only the coordinator draws this noise.
    package var noiseMultiplier: Double
    package var delta: Double
    package var sampling: Sampling
    /// Agents the plan expects; the fixed denominator is `sampling.rate * agents`.
    package var agents: Int
    /// The most epsilon this plan's population may spend; nil for no limit.
    package var maxEpsilon: Double?
    /// The epsilon that the noise is to reach; nil when the plan gives the noise itself.
    package var target: Target?
    /// z of the noise that each agent adds to its own update before it leaves the device; 0 for none.
    package var localNoiseMultiplier: Double

    package init(
        noiseMultiplier: Double, delta: Double, sampling: Sampling, agents: Int,
        maxEpsilon: Double?, target: Target? = nil, localNoiseMultiplier: Double = 0
    ) {
        self.noiseMultiplier = noiseMultiplier
        self.delta = delta
        self.sampling = sampling
        self.agents = agents
        self.maxEpsilon = maxEpsilon
        self.target = target
        self.localNoiseMultiplier = localNoiseMultiplier
    }

    /// Whether coins select agents who add noise of their own.
    ///
    /// The variance of a round's release then tells how many took part, so that who knows of the
    /// others knows of the last, too. What coins gain rests on that being secret, and the epsilon
    /// of such rounds would be stated too small: no plan may have both.
    package var betraysCoins: Bool { localNoiseMultiplier > 0 && sampling.rate < 1 }

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

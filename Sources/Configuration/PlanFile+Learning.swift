import Federation

// [training], [teacher] and [distillation]
extension PlanFile {
    enum TrainingKey: String, SectionKey {
        case epochs
        case batchSize = "batch_size"
        case learningRate = "learning_rate"
        case optimizer, momentum, nesterov, betas
        case weightDecay = "weight_decay"
        case schedule
        case gradientClip = "gradient_clip"
        case proximalMu = "proximal_mu"
        case patience, objective
        case balancesClasses = "balances_classes"
        case lowMemory = "low_memory"
    }

    /// The keys that [training] may have.
    package static let trainingKeys = TrainingKey.allCases.map(\.rawValue)

    enum TeacherKey: String, SectionKey {
        case hidden, layers, epochs
        case batchSize = "batch_size"
        case learningRate = "learning_rate"
        case momentum
    }

    enum DistillationKey: String, SectionKey {
        case temperature, alpha, epochs
        case batchSize = "batch_size"
        case learningRate = "learning_rate"
        case momentum
        case warmUpEpochs = "warm_up_epochs"
        case postRoundEpochs = "post_round_epochs"
    }

    static func trainingPlan(_ section: Section<TrainingKey>) throws(Fault) -> TrainingPlan {
        var plan = TrainingPlan(
            epochs: try section.integer(.epochs, epochs, default: 1),
            batchSize: try section.integer(.batchSize, batchSizes, default: 32),
            learningRate: try section.float(.learningRate, .positive(100)),
            optimizer: try optimizer(section))
        if try section.word(.schedule, ["constant", "cosine"], default: "constant") == "cosine" {
            plan.schedule = .cosine
        }
        plan.weightDecay = try section.float(.weightDecay, .from(0, to: 1), default: 0)
        plan.clipNorm = try section.float(.gradientClip, .positive(1e6), default: 0)
        plan.proximalMu = try section.float(.proximalMu, .from(0, to: 100), default: 0)
        plan.patience = try section.integer(.patience, 0...epochs.upperBound, default: 0)
        let word = try section.word(
            .objective, TrainingPlan.Objective.allCases.map(\.rawValue),
            default: TrainingPlan.Objective.classification.rawValue)
        plan.objective = TrainingPlan.Objective(rawValue: word) ?? .classification
        if plan.objective != .classification {
            try section.refuse([.balancesClasses], in: "objective \"\(word)\"")
        }
        plan.balancesClasses = try section.truth(.balancesClasses, default: true)
        plan.lowMemory = try section.truth(.lowMemory, default: false)
        if plan.lowMemory { try checkLowMemory(section, plan) }
        return plan
    }

    /// Low-memory training has the int8 weights and nothing beside them.
    private static func checkLowMemory(
        _ section: Section<TrainingKey>, _ plan: TrainingPlan
    ) throws(Fault) {
        let remedy = "leave it out, or write low_memory = false"
        switch plan.optimizer {
        case .adamW:
            throw section.fault(
                .optimizer, "keeps two numbers a weight, and low_memory has room for none",
                "write optimizer = \"sgd\", or low_memory = false")
        case .sgd(let momentum, _):
            guard momentum == 0 else {
                throw section.fault(
                    .momentum, "keeps a number a weight, and low_memory has room for none", remedy)
            }
        }
        guard plan.proximalMu == 0 else {
            throw section.fault(
                .proximalMu,
                "needs the weights of the round's beginning, and low_memory has no room for them",
                remedy)
        }
        guard plan.clipNorm == 0 else {
            throw section.fault(
                .gradientClip,
                "needs the whole gradient, and low_memory has room for that of a few channels",
                remedy)
        }
    }

    private static func optimizer(
        _ section: Section<TrainingKey>
    ) throws(Fault) -> TrainingPlan.Optimizer {
        if try section.word(.optimizer, ["sgd", "adamw"], default: "sgd") == "adamw" {
            try section.refuse([.momentum, .nesterov], in: #"optimizer "adamw""#)
            let betas = try betas(section)
            return .adamW(beta1: betas[0], beta2: betas[1], epsilon: 1e-8)
        }
        try section.refuse([.betas], in: #"optimizer "sgd""#)
        let isLow = try section.truth(.lowMemory, default: false)
        let momentum = try section.float(.momentum, momenta, default: isLow ? 0 : 0.9)
        let nesterov = try section.truth(.nesterov, default: false)
        guard momentum > 0 || !nesterov else {
            throw section.fault(
                .nesterov, "is true without momentum", "write a momentum above 0, or false")
        }
        return .sgd(momentum: momentum, nesterov: nesterov)
    }

    private static func betas(_ section: Section<TrainingKey>) throws(Fault) -> [Float] {
        guard section.has(.betas) else { return [0.9, 0.999] }
        var betas: [Float] = []
        for item in try section.items(.betas, 2...2, "two numbers from 0 to below 1") {
            betas.append(try section.float(item, .betas, momenta))
        }
        return betas
    }

    /// Where the student learns from data alone.
    private static let untaught = #"a plan with an objective other than "classification""#

    static func teacherPlan(
        _ root: Section<PlanKey>, _ data: DataPlan, _ objective: TrainingPlan.Objective
    ) throws(Fault) -> TeacherPlan {
        guard objective == .classification else {
            try root.refuse([.teacher], in: untaught)
            return .none
        }
        return try teacherPlan(try root.requiredSection(.teacher, of: TeacherKey.self), data)
    }

    private static func teacherPlan(
        _ section: Section<TeacherKey>, _ data: DataPlan
    ) throws(Fault) -> TeacherPlan {
        let training = try descent(section, .epochs, .batchSize, .learningRate, .momentum)
        guard !section.has(.layers) else {
            try section.refuse([.hidden], in: "a teacher with [[teacher.layers]]")
            return TeacherPlan(layers: try teacherLayers(section, data), training: training)
        }
        let allowed = "an array of 1 to 16 whole numbers from 1 to 32768"
        guard section.has(.hidden) else {
            throw Fault.at(
                section.file, section.position, "[teacher] has neither hidden nor layers",
                "write hidden, \(allowed), or [[teacher.layers]] tables")
        }
        var hidden: [Int] = []
        for item in try section.items(.hidden, 1...16, allowed) {
            hidden.append(
                try section.integer(item, .hidden, 1...LayerShapes.largestFanIn, allowed))
        }
        let plan = TeacherPlan(hidden: hidden, classes: data.classes, training: training)
        do throws(Fault) {
            _ = try LayerShapes(input: TensorShape(data.features), layers: plan.layers)
        } catch {
            throw section.fault(.hidden, "does not fit: \(error.message)", error.remedy)
        }
        return plan
    }

    static func distillationPlan(
        _ section: Section<DistillationKey>, _ objective: TrainingPlan.Objective,
        _ layers: [LayerPlan]
    ) throws(Fault) -> DistillationPlan {
        var plan = DistillationPlan(
            temperature: try section.float(.temperature, .positive(100), default: 2),
            alpha: try section.float(.alpha, .from(0, to: 1), default: 0.5),
            training: try descent(section, .epochs, .batchSize, .learningRate, .momentum))
        if objective != .classification {
            try section.refuse([.temperature, .alpha, .postRoundEpochs], in: untaught)
        }
        plan.warmUpEpochs = try warmUpEpochs(section, layers)
        plan.postRoundEpochs = try section.integer(
            .postRoundEpochs, 0...epochs.upperBound, default: 0)
        return plan
    }

    private static func warmUpEpochs(
        _ section: Section<DistillationKey>, _ layers: [LayerPlan]
    ) throws(Fault) -> Int {
        let count = try section.integer(.warmUpEpochs, 0...epochs.upperBound, default: 0)
        if count == 0, let layer = layers.first(where: \.hasBatchNorm) {
            throw section.fault(
                .warmUpEpochs, "is 0 and layer '\(layer.name)' has batch_norm",
                "write at least 1: batches are normalised in the warm-up alone")
        }
        return count
    }

    private static let epochs = 1...10_000
    private static let batchSizes = 1...65536
    private static let momenta = Bounds.from(0, below: 1)

    /// The four numbers of stochastic gradient descent.
    private static func descent<Key>(
        _ section: Section<Key>, _ epochs: Key, _ batchSize: Key, _ learningRate: Key,
        _ momentum: Key
    ) throws(Fault) -> TrainingPlan {
        TrainingPlan(
            epochs: try section.integer(epochs, self.epochs),
            batchSize: try section.integer(batchSize, batchSizes, default: 32),
            learningRate: try section.float(learningRate, .positive(100)),
            momentum: try section.float(momentum, momenta, default: 0.9))
    }
}

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
    }

    enum TeacherKey: String, SectionKey {
        case hidden, epochs
        case batchSize = "batch_size"
        case learningRate = "learning_rate"
        case momentum
    }

    enum DistillationKey: String, SectionKey {
        case temperature, alpha, epochs
        case batchSize = "batch_size"
        case learningRate = "learning_rate"
        case momentum
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
        let objectives = ["classification", "reconstruction"]
        if try section.word(.objective, objectives, default: objectives[0]) == objectives[1] {
            try section.refuse([.balancesClasses], in: #"objective "reconstruction""#)
            plan.objective = .reconstruction
        }
        plan.balancesClasses = try section.truth(.balancesClasses, default: true)
        return plan
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
        let momentum = try section.float(.momentum, momenta, default: 0.9)
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

    static func teacherPlan(_ section: Section<TeacherKey>) throws(Fault) -> TeacherPlan {
        let allowed = "an array of 1 to 16 whole numbers from 1 to 65536"
        var hidden: [Int] = []
        for item in try section.items(.hidden, 1...16, allowed) {
            hidden.append(try section.integer(item, .hidden, 1...65536, allowed))
        }
        return TeacherPlan(
            hidden: hidden,
            training: try descent(section, .epochs, .batchSize, .learningRate, .momentum))
    }

    static func distillationPlan(
        _ section: Section<DistillationKey>
    ) throws(Fault) -> DistillationPlan {
        DistillationPlan(
            temperature: try section.float(.temperature, .positive(100), default: 2),
            alpha: try section.float(.alpha, .from(0, to: 1), default: 0.5),
            training: try descent(section, .epochs, .batchSize, .learningRate, .momentum))
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

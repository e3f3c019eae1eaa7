import Federation

// [training], [teacher] and [distillation]
extension PlanFile {
    enum TrainingKey: String, SectionKey {
        case epochs
        case batchSize = "batch_size"
        case learningRate = "learning_rate"
        case momentum
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
        try descent(
            section, .epochs, .batchSize, .learningRate, .momentum, defaultEpochs: 1)
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

    /// The four numbers of stochastic gradient descent; without a default the epochs are required.
    private static func descent<Key>(
        _ section: Section<Key>, _ epochs: Key, _ batchSize: Key, _ learningRate: Key,
        _ momentum: Key, defaultEpochs: Int? = nil
    ) throws(Fault) -> TrainingPlan {
        TrainingPlan(
            epochs: try section.integer(epochs, 1...10_000, default: defaultEpochs),
            batchSize: try section.integer(batchSize, 1...65536, default: 32),
            learningRate: try section.float(learningRate, .positive(100)),
            momentum: try section.float(momentum, .from(0, below: 1), default: 0.9))
    }
}

package import Federation

/// An agent's part of a round: trains a student from given parameters on local data.
package struct StudentTrainer: Sendable {
    private let shape: StudentShape
    private let normalisation: Normalisation
    private let training: TrainingPlan
    /// In `StudentShape`'s order; what `train` starts from and leaves.
    package private(set) var parameters: [Float]

    /// A trainer that starts from `parameters`; `train` checks them.
    package init(
        shape: StudentShape, normalisation: Normalisation, parameters: [Float],
        training: TrainingPlan
    ) {
        self.shape = shape
        self.normalisation = normalisation
        self.parameters = parameters
        self.training = training
    }

    /// Runs all epochs of the plan: softmax cross-entropy corrected for this device's class shares,
    /// SGD with momentum, forward through the int8 kernels.
    ///
    /// - Parameter progress: called with the finished share in [0, 1] every few batches; false
    ///   stops.
    /// - Throws: `Fault.invalid` when the parameters, the data's features or a label do not fit the
    ///   shape, or training diverged; `Fault.gone` when `progress` stopped it; what reading and
    ///   `progress` throw. `parameters` then are as before.
    package mutating func train<Source: ExampleSource, Random: RandomSource>(
        on source: inout Source, random: inout Random, progress: (Double) throws(Fault) -> Bool
    ) throws(Fault) -> TrainingReport {
        var batches = try Minibatches(
            of: source, inputs: shape.inputs, classes: shape.classes,
            batchSize: training.batchSize)
        let counts = try batches.classCounts(from: &source)
        return try run(
            CrossEntropy(classCounts: counts), schedule: .constant, on: &source, random: &random,
            progress: progress)
    }

    mutating func run<Source: ExampleSource, Random: RandomSource>(
        _ objective: some Loss, schedule: LearningRateSchedule, on source: inout Source,
        random: inout Random, progress: (Double) throws(Fault) -> Bool
    ) throws(Fault) -> TrainingReport {
        try checkParameters(parameters, shape: shape)
        try normalisation.check(features: shape.inputs)
        var learner = StudentLearner(
            shape: shape, normalisation: normalisation, parameters: parameters,
            momentum: training.momentum, capacity: training.batchSize, objective: objective)
        let report = try Learning.train(
            &learner, on: &source, training: training, schedule: schedule, random: &random,
            progress: progress)
        let trained = learner.parameters
        guard trained.allSatisfy(\.isFinite) else {
            throw Fault(
                .invalid, "training diverged: a parameter is no longer finite",
                remedy: "lower the learning rate or the momentum in the plan's [training] section")
        }
        parameters = trained
        return report
    }
}

package import Federation

/// An agent's part of a round: trains a student from given parameters on local data.
package struct StudentTrainer: Sendable {
    /// How the forward pass computes.
    package enum Arithmetic: Sendable {
        /// Through the kernels of the deployed model.
        case int8
        /// Without rounding; the yardstick of the other.
        case float32
    }

    private let shape: StudentShape
    private let normalisation: Normalisation
    private let training: TrainingPlan
    private let arithmetic: Arithmetic
    /// In `StudentShape`'s order; what `train` starts from and leaves.
    package private(set) var parameters: [Float]

    /// A trainer that starts from `parameters`; `train` checks them.
    package init(
        shape: StudentShape, normalisation: Normalisation, parameters: [Float],
        training: TrainingPlan, arithmetic: Arithmetic = .int8
    ) {
        self.shape = shape
        self.normalisation = normalisation
        self.parameters = parameters
        self.training = training
        self.arithmetic = arithmetic
    }

    /// Runs all epochs of the plan on its objective. Classification is softmax cross-entropy,
    /// corrected for this device's class shares if the plan says so.
    ///
    /// - Parameter progress: called with the finished share in [0, 1] every few batches; false
    ///   stops.
    /// - Throws: `Fault.invalid` when the parameters, the data's features or a label do not fit the
    ///   shape, or training diverged; `Fault.gone` when `progress` stopped it; what reading and
    ///   `progress` throw. `parameters` then are as before.
    package mutating func train<Source: ExampleSource, Random: RandomSource>(
        on source: inout Source, random: inout Random, progress: (Double) throws(Fault) -> Bool
    ) throws(Fault) -> TrainingReport {
        switch training.objective {
        case .classification:
            let loss = try crossEntropy(on: &source)
            return try run(loss, on: &source, random: &random, progress: progress)
        case .reconstruction:
            return try run(
                try Reconstruction(normalisation: normalisation, shape: shape), on: &source,
                random: &random, progress: progress)
        }
    }

    private func crossEntropy(on source: inout some ExampleSource) throws(Fault) -> CrossEntropy {
        guard training.balancesClasses else { return CrossEntropy(classes: shape.classes) }
        var batches = try Minibatches(
            of: source, inputs: shape.inputs, classes: shape.classes,
            batchSize: training.batchSize)
        return CrossEntropy(classCounts: try batches.classCounts(from: &source))
    }

    mutating func run<Source: ExampleSource, Random: RandomSource>(
        _ objective: some Loss, on source: inout Source, random: inout Random,
        progress: (Double) throws(Fault) -> Bool
    ) throws(Fault) -> TrainingReport {
        try checkParameters(parameters, shape: shape)
        try normalisation.check(features: shape.inputs)
        // Without dropout nothing is drawn, and the rows come in the order they always did.
        let seed = shape.hasDropout ? random.next() : 0
        let report: TrainingReport
        let trained: [Float]
        switch arithmetic {
        case .int8:
            var learner = StudentLearner(
                shape: shape, normalisation: normalisation, parameters: parameters,
                training: training, capacity: training.batchSize, seed: seed, objective: objective)
            report = try Learning.train(
                &learner, on: &source, training: training, random: &random, progress: progress)
            trained = learner.parameters
        case .float32:
            var learner = FloatLearner(
                shape: shape, normalisation: normalisation, parameters: parameters,
                training: training, capacity: training.batchSize, seed: seed, objective: objective)
            report = try Learning.train(
                &learner, on: &source, training: training, random: &random, progress: progress)
            trained = learner.parameters
        }
        guard trained.allSatisfy(\.isFinite) else {
            throw Fault(
                .invalid, "training diverged: a parameter is no longer finite",
                remedy: "lower the learning rate or the momentum in the plan's [training] section")
        }
        parameters = trained
        return report
    }
}

extension StudentShape {
    fileprivate var hasDropout: Bool {
        layers.contains { if case .dropout = $0.kind { true } else { false } }
    }
}

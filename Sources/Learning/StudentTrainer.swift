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
    private var start: StartingPoint
    /// In `StudentShape`'s order; what `train` starts from and leaves.
    package var parameters: [Float] { start.vector }

    /// A trainer that starts from `parameters`; `train` checks them.
    package init(
        shape: StudentShape, normalisation: Normalisation, parameters: [Float],
        training: TrainingPlan, arithmetic: Arithmetic = .int8
    ) {
        self.shape = shape
        self.normalisation = normalisation
        start = .parameters(parameters, shape: shape)
        self.training = training
        self.arithmetic = arithmetic
    }

    /// A trainer that starts from what `model` stands for, without holding it in fp32 too.
    ///
    /// - Throws: `Fault.invalid` when the model is none of `shape`.
    package init(
        shape: StudentShape, model: QuantizedModel, training: TrainingPlan
    ) throws(Fault) {
        guard model.shape == shape.deployed else {
            throw Fault(.invalid, "the model to train is not the plan's")
        }
        self.shape = shape
        normalisation = model.normalisation
        start = .model(model)
        self.training = training
        arithmetic = .int8
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
        case .regression:
            return try run(
                try Regression(normalisation: normalisation, outputs: shape.classes), on: &source,
                random: &random, progress: progress)
        }
    }

    private func crossEntropy(on source: inout some ExampleSource) throws(Fault) -> CrossEntropy {
        guard training.balancesClasses else { return CrossEntropy(classes: shape.classes) }
        var batches = try Minibatches(
            of: source, inputs: shape.inputs, answers: .classes(shape.classes),
            batchSize: training.batchSize, takesBytes: true)
        return CrossEntropy(classCounts: try batches.classCounts(from: &source))
    }

    /// As `train`, on an objective of its own.
    ///
    /// - Parameter section: of the plan, from which `training` comes.
    mutating func run<Source: ExampleSource, Random: RandomSource>(
        _ objective: some Loss, section: String = "training", on source: inout Source,
        random: inout Random,
        progress: (Double) throws(Fault) -> Bool
    ) throws(Fault) -> TrainingReport {
        if case .parameters(let parameters, _) = start {
            try checkParameters(parameters, shape: shape)
        }
        try normalisation.check(features: shape.inputs)
        // Where chance plays no part nothing is drawn, and the rows come in the order they always
        // did.
        let seed = shape.hasDropout || training.lowMemory ? random.next() : 0
        guard
            let report = try attempt(
                objective, seed: seed, on: &source, random: &random, progress: progress)
        else {
            throw Fault(
                .invalid, "training diverged: a parameter is no longer finite",
                remedy: "lower the learning rate or the momentum in the plan's [\(section)] section"
            )
        }
        return report
    }

    /// Trains; nil, and `parameters` as before, when training diverged.
    private mutating func attempt<Source: ExampleSource, Random: RandomSource>(
        _ objective: some Loss, seed: UInt64, on source: inout Source, random: inout Random,
        progress: (Double) throws(Fault) -> Bool
    ) throws(Fault) -> TrainingReport? {
        switch arithmetic {
        case .int8 where training.lowMemory:
            return try learn(
                RoundedWeights.self, objective, seed: seed, on: &source, random: &random,
                progress: progress)
        case .int8:
            return try learn(
                LatentWeights.self, objective, seed: seed, on: &source, random: &random,
                progress: progress)
        case .float32:
            var learner = FloatLearner(
                shape: shape, normalisation: normalisation, parameters: parameters,
                training: training, capacity: training.batchSize, seed: seed, objective: objective)
            let report = try Learning.train(
                &learner, on: &source, training: training, random: &random, progress: progress)
            let trained = learner.parameters
            guard trained.allSatisfy(\.isFinite) else { return nil }
            start = .parameters(trained, shape: shape)
            return report
        }
    }

    /// Integer training; nil, and `parameters` as before, when it diverged.
    private mutating func learn<
        Weights: StudentWeights, Source: ExampleSource, Random: RandomSource
    >(
        _: Weights.Type, _ objective: some Loss, seed: UInt64, on source: inout Source,
        random: inout Random, progress: (Double) throws(Fault) -> Bool
    ) throws(Fault) -> TrainingReport? {
        // `plannedBytes` has counted these buffers.
        var memory = PlannedMemory()
        var learner = StudentLearner<_, Weights>(
            shape: shape, normalisation: normalisation, start: start, training: training,
            capacity: min(training.batchSize, source.count), seed: seed, objective: objective,
            memory: &memory)
        let report = try Learning.train(
            &learner, on: &source, training: training, random: &random, progress: progress)
        guard let trained = learner.finished() else { return nil }
        start = .parameters(trained, shape: shape)
        return report
    }
}

extension StudentShape {
    fileprivate var hasDropout: Bool {
        layers.contains { if case .dropout = $0.kind { true } else { false } }
    }
}

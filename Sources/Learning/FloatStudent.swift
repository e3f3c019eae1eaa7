package import Federation

/// A student in fp32, without rounding: what its int8 model is measured against.
package struct FloatStudent: Sendable {
    let shape: StudentShape
    let normalisation: Normalisation
    private let parameters: [Float]

    /// - Throws: `Fault.invalid` when the parameters or the normalisation do not fit the shape.
    package init(
        shape: StudentShape, normalisation: Normalisation, parameters: [Float]
    ) throws(Fault) {
        try checkParameters(parameters, shape: shape)
        try normalisation.check(features: shape.inputs)
        self.shape = shape
        self.normalisation = normalisation
        self.parameters = parameters
    }

    /// Outputs [rows x classes] for raw features [rows x inputs].
    package func outputs(raw: [Float], rows: Int) -> [Float] {
        var features = raw
        var network = FloatNetwork(
            shape: shape, normalisation: normalisation, capacity: rows, seed: nil)
        network.forward(features: &features, rows: rows, parameters: latent)
        return Array(network.activations[shape.layerCount][..<(rows * shape.classes)])
    }

    private var latent: StudentParameters {
        StudentParameters(
            parameters, shape: shape,
            training: TrainingPlan(epochs: 1, batchSize: 1, learningRate: 0, momentum: 0))
    }

    /// The mean of `loss` over a batch and its gradient by the parameters; that of the activation
    /// scales, which fp32 does not have, is zero. Dropout does nothing.
    package func gradient(
        of loss: some Loss, raw: [Float], labels: [Int32]
    ) -> (loss: Float, gradient: [Float]) {
        var features = raw
        var learner = FloatLearner(
            shape: shape, normalisation: normalisation, parameters: parameters,
            training: TrainingPlan(epochs: 1, batchSize: 1, learningRate: 0, momentum: 0),
            capacity: labels.count, seed: nil, objective: loss)
        let sum = learner.differentiate(features: &features, labels: labels, rows: labels.count)
        return (sum / Float(labels.count), learner.latent.gradient)
    }

    /// The share of `source` whose class the student names.
    ///
    /// - Throws: `Fault.invalid` when the source does not fit; what reading throws.
    package func accuracy(on source: inout some ExampleSource) throws(Fault) -> Double {
        try Learning.accuracy(
            on: &source, inputs: shape.inputs, classes: shape.classes
        ) { outputs(raw: $0, rows: $1) }
    }
}

package import Federation

/// A student in fp32, without rounding: what its int8 model is measured against.
package struct FloatStudent: Sendable {
    let shape: StudentShape
    let normalisation: Normalisation
    let parameters: [Float]
    private let latent: StudentParameters

    /// - Throws: `Fault.invalid` when the parameters or the normalisation do not fit the shape.
    package init(
        shape: StudentShape, normalisation: Normalisation, parameters: [Float]
    ) throws(Fault) {
        try checkParameters(parameters, shape: shape)
        try normalisation.check(features: shape.inputs)
        try normalisation.check(outputs: shape.classes)
        self.shape = shape
        self.normalisation = normalisation
        self.parameters = parameters
        latent = StudentParameters(parameters, shape: shape, training: .none)
    }

    /// Outputs [rows x classes] for raw features [rows x inputs]; targets are in raw units.
    package func outputs(raw: [Float], rows: Int) -> [Float] {
        var network = FloatNetwork(
            shape: shape, normalisation: normalisation, capacity: rows, seed: nil)
        return outputs(raw: raw, rows: rows, network: &network)
    }

    /// The same, in the memory of `network`, which has this shape and room for the rows.
    func outputs(raw: [Float], rows: Int, network: inout FloatNetwork) -> [Float] {
        var features = raw
        network.forward(features: &features, rows: rows, parameters: latent)
        var outputs = Array(network.activations[shape.layerCount][..<(rows * shape.classes)])
        normalisation.targets?.restore(&outputs, rows: rows)
        return outputs
    }

    /// The mean of `loss` over a batch and its gradient by the parameters; that of the activation
    /// scales, which fp32 does not have, is zero. Dropout does nothing; a layer with batch
    /// normalisation is normalised over the batch.
    ///
    /// - Parameters:
    ///   - labels: one a row, though the loss need not use them.
    ///   - targets: of a loss that does, raw [rows x outputs].
    package func gradient(
        of loss: some Loss, raw: [Float], labels: [Int32], targets: [Float] = []
    ) -> (loss: Float, gradient: [Float]) {
        var features = raw
        var learner = FloatLearner(
            shape: shape, normalisation: normalisation, parameters: parameters,
            training: .none,
            capacity: labels.count, seed: nil, objective: loss)
        learner.observe(targets: targets, rows: labels.count)
        let sum = learner.differentiate(features: &features, labels: labels, rows: labels.count)
        return (sum / Float(labels.count), learner.latent.gradient)
    }

    /// The share of `source` whose class the student names.
    ///
    /// - Throws: `Fault.invalid` when the source does not fit; what reading throws.
    package func accuracy(on source: inout some ExampleSource) throws(Fault) -> Double {
        try Learning.accuracy(
            on: &source, inputs: shape.inputs, classes: shape.classes
        ) { outputs(raw: $0.values, rows: $1)[...] }
    }
}

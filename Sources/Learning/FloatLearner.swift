import Federation
import Kernels

/// Training in fp32 without rounding: of teachers, of students that warm up, and of what the int8
/// student is measured against.
struct FloatLearner<Objective: Loss>: MinibatchLearner {
    private(set) var latent: StudentParameters
    private(set) var network: FloatNetwork
    /// Of each layer with batch normalisation.
    private var norms: [BatchNorm?]
    private var backward: Backpropagation
    private var objective: Objective

    /// Parameters as `StudentLearner`'s.
    init(
        shape: StudentShape, normalisation: Normalisation, parameters: [Float],
        training: TrainingPlan, capacity: Int, seed: UInt64?, objective: Objective
    ) {
        self.objective = objective
        latent = StudentParameters(parameters, shape: shape, training: training)
        network = FloatNetwork(
            shape: shape, normalisation: normalisation, capacity: capacity, seed: seed)
        backward = Backpropagation(shape: shape, capacity: capacity)
        norms = shape.layers.indices.map { layer in
            guard shape.layers[layer].hasBatchNorm else { return nil }
            let output = shape.activations[layer + 1]
            return BatchNorm(
                gain: [Float](repeating: 1, count: output.channels),
                shift: [Float](repeating: 0, count: output.channels),
                capacity: capacity * output.area, training: training)
        }
    }

    var inputs: Int { network.shape.inputs }
    var answers: Minibatches.Answers { objective.answers(outputs: network.shape.classes) }

    mutating func observe(targets: [Float], rows: Int) {
        objective.observe(targets: targets, rows: rows)
    }

    /// The parameters in `StudentShape`'s order, batch normalisation folded into them.
    var parameters: [Float] {
        var vector = latent.vector
        for (layer, norm) in norms.enumerated() {
            let ranges = network.shape.parameterRanges(layer: layer)
            norm?.fold(into: &vector, weights: ranges.weights, bias: ranges.bias)
        }
        return vector
    }

    mutating func step(
        features: inout RawFeatures, labels: [Int32], rows: Int, learningRate: Float
    ) -> Float {
        let loss = differentiate(features: &features.values, labels: labels, rows: rows)
        let descent = latent.descend(learningRate: learningRate)
        for layer in norms.indices { norms[layer]?.descend(descent) }
        return loss
    }

    /// Sets the gradients of the mean loss of a batch and returns the summed loss.
    mutating func differentiate(
        features: inout [Float], labels: [Int32], rows: Int
    ) -> Float {
        objective.observe(raw: features, rows: rows)
        network.forward(features: &features, rows: rows, parameters: latent, norms: &norms)
        let loss = objective.gradient(
            logits: network.activations[network.shape.layerCount], labels: labels, rows: rows,
            classes: network.shape.classes, into: &backward.gradient)
        for layer in network.shape.layers.indices.reversed() { passBack(layer, rows: rows) }
        return loss
    }

    private mutating func passBack(_ layer: Int, rows: Int) {
        backward.collect(layer: layer, rows: rows)
        let kind = network.shape.layers[layer].kind
        if kind.hasReLU {
            for index in 0..<rows * network.shape.activations[layer + 1].count
            where network.activations[layer + 1][index] <= 0 {
                backward.gradient[index] = 0
            }
        }
        norms[layer]?.differentiate(
            &backward.gradient, rows: rows * network.shape.activations[layer + 1].area)
        switch kind {
        case .dense, .conv, .averagePool:
            backward.pass(
                layer: layer, input: network.activations[layer], rows: rows, parameters: &latent)
        case .maxPool: backward.pass(pool: layer, winners: network.winners[layer], rows: rows)
        case .flatten: backward.pass(flatten: layer, rows: rows)
        case .add: backward.pass(addition: layer, shares: (1, 1), rows: rows)
        case .dropout:
            guard let dropout = network.dropouts[layer] else { return }
            backward.pass(dropout: dropout, count: rows * network.shape.activations[layer].count)
        }
    }
}

import Federation
import Glibc
import Kernels

/// Quantisation-aware training: forward through the integer kernels with weights rounded anew from
/// their latent fp32 values, backward in fp32 with straight-through gradients, activation scales by
/// LSQ on their logarithms.
struct StudentLearner<Objective: Loss>: MinibatchLearner {
    private var latent: StudentParameters
    private var network: Int8Network
    private var backward: Backpropagation
    private var objective: Objective

    /// Outputs of layers with a scale of their own, in units of it before rounding, one [capacity x
    /// width] a layer.
    private var scaled: [[Float]]
    /// Real values of the current layer's input; before, of the network's output.
    private var values: [Float]
    private var scales: [Float]
    private let weightedLayers: [Int]

    /// - Parameters:
    ///   - parameters: in `shape`'s order; checked by the caller.
    ///   - capacity: most rows of a batch.
    ///   - seed: of dropout.
    init(
        shape: StudentShape, normalisation: Normalisation, parameters: [Float],
        training: TrainingPlan, capacity: Int, seed: UInt64, objective: Objective
    ) {
        self.objective = objective
        latent = StudentParameters(parameters, shape: shape, training: training)
        network = Int8Network(
            shape: shape, normalisation: normalisation, capacity: capacity, training: true,
            seed: seed)
        backward = Backpropagation(shape: shape, capacity: capacity)
        scaled = shape.layers.indices.map { layer in
            let count = shape.layers[layer].kind.hasEncoding ? shape.widths[layer + 1] : 0
            return [Float](repeating: 0, count: capacity * count)
        }
        values = [Float](repeating: 0, count: capacity * (shape.widths.max() ?? 0))
        scales = [Float](repeating: 0, count: shape.scaleCount)
        weightedLayers = shape.weightedLayers
    }

    var inputs: Int { network.shape.inputs }
    var classes: Int? { objective.usesLabels ? network.shape.classes : nil }

    /// The latent parameters, in `StudentShape`'s order.
    var parameters: [Float] { latent.vector }

    mutating func step(
        features: inout [Float], labels: [Int32], rows: Int, learningRate: Float
    ) -> Float {
        objective.observe(raw: features, rows: rows)
        for (index, logScale) in latent.logScales.values.enumerated() {
            scales[index] = Float(exp(Double(logScale)))
        }
        network.setScales(scales)
        for (layer, index) in zip(latent.layers, weightedLayers) {
            network.setLayer(index, weights: layer.weights.values, bias: layer.bias.values)
        }
        network.forward(features: &features, rows: rows, scaled: &scaled)
        let last = network.shape.layerCount
        network.dequantise(activation: last, rows: rows, into: &values)
        let loss = objective.gradient(
            logits: values, labels: labels, rows: rows, classes: network.shape.classes,
            into: &backward.gradient)
        for layer in network.shape.layers.indices.reversed() { passBack(layer, rows: rows) }
        differentiateScale(0, scaled: features, rows: rows)
        latent.descend(learningRate: learningRate)
        return loss
    }

    private mutating func passBack(_ layer: Int, rows: Int) {
        backward.collect(layer: layer, rows: rows)
        let kind = network.shape.layers[layer].kind
        if kind.hasEncoding { differentiateScale(layer + 1, scaled: scaled[layer], rows: rows) }
        let state = network.layers[layer]
        switch kind {
        case .dense, .conv, .averagePool:
            network.dequantise(activation: layer, rows: rows, into: &values)
            backward.pass(layer: layer, input: values, rows: rows, parameters: &latent)
        case .maxPool: backward.pass(pool: layer, winners: state.winners, rows: rows)
        case .flatten: backward.pass(flatten: layer, rows: rows)
        case .add:
            guard let addend = state.addend else { return }
            let shares = state.shares(
                input: network.encodings[layer], addend: network.encodings[addend])
            backward.pass(addition: layer, shares: shares, rows: rows)
        case .dropout:
            guard let dropout = state.dropout else { return }
            backward.pass(dropout: dropout, count: rows * network.shape.activations[layer].count)
        }
    }

    /// Takes the gradient back through the rounding of activation `index` and differentiates by its
    /// scale.
    private mutating func differentiateScale(_ index: Int, scaled: [Float], rows: Int) {
        let width = network.shape.activations[index].count
        let encoding = network.encodings[index]
        let byScale = Int8Kernels.gradient(
            scaled: scaled, count: rows * width, encoding: encoding, gradient: &backward.gradient)
        latent.logScales.gradient[network.shape.scaleIndex(activation: index)] =
            encoding.scale * byScale * scaleGradientFactor(width: width, high: encoding.high)
    }
}

/// LSQ's gradient scale 1 / sqrt(N Qp): it brings the scale's relative steps to the size of the
/// weights'.
func scaleGradientFactor(width: Int, high: Float) -> Float {
    1 / sqrtf(Float(width) * high)
}

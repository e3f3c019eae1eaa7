import Federation
import Glibc
import Kernels

/// Quantisation-aware training: forward through the integer kernels with weights rounded anew from
/// their latent fp32 values, backward in fp32 with straight-through gradients, activation scales by
/// LSQ on their logarithms.
struct StudentLearner<Objective: Loss>: MinibatchLearner {
    private let momentum: Float
    private var layers: [DenseLayer]
    private var logScales: [Float]
    private var logScaleVelocity: [Float]
    private var network: Int8Network
    private var objective: Objective

    /// Layer outputs in units of their scale before rounding, one [capacity x width] a layer.
    private var scaled: [[Float]]
    /// The loss's gradient by the current layer's output, and by its input.
    private var gradient: [Float]
    private var inputGradient: [Float]
    /// Real values of the current layer's input; after the last layer's turn, of the network's
    /// output.
    private var values: [Float]

    /// - Parameters:
    ///   - parameters: in `shape`'s order; checked by the caller.
    ///   - capacity: most rows of a batch.
    init(
        shape: StudentShape, normalisation: Normalisation, parameters: [Float], momentum: Float,
        capacity: Int, objective: Objective
    ) {
        self.momentum = momentum
        self.objective = objective
        layers = (0..<shape.layerCount).map { layer in
            let ranges = shape.parameterRanges(layer: layer)
            return DenseLayer(
                inputs: shape.widths[layer], outputs: shape.widths[layer + 1],
                weights: Array(parameters[ranges.weights]), bias: Array(parameters[ranges.bias]))
        }
        logScales = parameters[shape.logScaleOffset...].map(LogScale.clamped)
        logScaleVelocity = [Float](repeating: 0, count: logScales.count)
        network = Int8Network(shape: shape, normalisation: normalisation, capacity: capacity)
        scaled = shape.widths.dropFirst().map { [Float](repeating: 0, count: capacity * $0) }
        let widest = capacity * (shape.widths.max() ?? 0)
        gradient = [Float](repeating: 0, count: widest)
        inputGradient = [Float](repeating: 0, count: widest)
        values = [Float](repeating: 0, count: widest)
    }

    var inputs: Int { network.shape.inputs }
    var classes: Int { network.shape.classes }

    /// The latent parameters, in `StudentShape`'s order.
    var parameters: [Float] {
        var parameters: [Float] = []
        parameters.reserveCapacity(network.shape.parameterCount)
        for layer in layers { parameters += layer.weights + layer.bias }
        return parameters + logScales
    }

    mutating func step(
        features: inout [Float], labels: [Int32], rows: Int, learningRate: Float
    ) -> Float {
        objective.observe(raw: features, rows: rows)
        network.setScales(logScales.map { Float(exp(Double($0))) })
        for (index, layer) in layers.enumerated() {
            network.setLayer(index, weights: layer.weights, bias: layer.bias)
        }
        network.forward(features: &features, rows: rows, scaled: &scaled)
        network.dequantise(activation: layers.count, rows: rows, into: &values)
        let loss = objective.gradient(
            logits: values, labels: labels, rows: rows, classes: classes, into: &gradient)
        for layer in layers.indices.reversed() {
            let count = rows * layers[layer].outputs
            descendScale(
                layer + 1, scaled: scaled[layer], count: count, learningRate: learningRate)
            network.dequantise(activation: layer, rows: rows, into: &values)
            layers[layer].propagate(gradient, rows: rows, into: &inputGradient)
            layers[layer].descend(
                gradient: gradient, input: values, rows: rows, learningRate: learningRate,
                momentum: momentum)
            swap(&gradient, &inputGradient)
        }
        descendScale(0, scaled: features, count: rows * inputs, learningRate: learningRate)
        return loss
    }

    /// Takes `gradient` back through the rounding of activation `index` and moves its scale.
    private mutating func descendScale(
        _ index: Int, scaled: [Float], count: Int, learningRate: Float
    ) {
        let encoding = network.encodings[index]
        let byScale = Int8Kernels.gradient(
            scaled: scaled, count: count, encoding: encoding, gradient: &gradient)
        let byLogarithm =
            encoding.scale * byScale
            * scaleGradientFactor(width: network.shape.widths[index], high: encoding.high)
        logScaleVelocity[index] = momentum * logScaleVelocity[index] + byLogarithm
        logScales[index] = LogScale.clamped(
            logScales[index] - learningRate * logScaleVelocity[index])
    }
}

/// LSQ's gradient scale 1 / sqrt(N Qp): it brings the scale's relative steps to the size of the
/// weights'.
func scaleGradientFactor(width: Int, high: Float) -> Float {
    1 / sqrtf(Float(width) * high)
}

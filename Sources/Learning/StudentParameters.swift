import Federation
import Kernels

/// A student's latent fp32 parameters in training, with their gradients.
struct StudentParameters: Sendable {
    /// One a layer with weights, in the kernels' order of weights.
    var layers: [LinearLayer]
    /// One an activation scale.
    var logScales: TrainedTensor

    private let shape: StudentShape
    private let training: TrainingPlan
    private let orders: [KernelOrder]
    /// The layers that are not frozen.
    private let moving: [Int]
    private let frozenScales: [Int]
    private var steps = 0

    /// - Parameter parameters: in `shape`'s order; checked by the caller.
    init(_ parameters: [Float], shape: StudentShape, training: TrainingPlan) {
        self.shape = shape
        self.training = training
        let weighted = shape.weightedLayers
        let orders = weighted.map {
            KernelOrder(dimensions: shape.weightDimensions(layer: $0) ?? [])
        }
        self.orders = orders
        layers = zip(weighted, orders).map { layer, order in
            let ranges = shape.parameterRanges(layer: layer)
            return LinearLayer(
                weights: order.kernel(Array(parameters[ranges.weights])),
                bias: Array(parameters[ranges.bias]), training: training)
        }
        logScales = TrainedTensor(
            parameters[shape.logScaleOffset...].map(LogScale.clamped), training: training,
            decays: false)
        moving = weighted.indices.filter { !shape.layers[weighted[$0]].isFrozen }
        frozenScales = shape.layers.indices
            .filter { shape.layers[$0].isFrozen && shape.layers[$0].kind.hasEncoding }
            .map { shape.scaleIndex(activation: $0 + 1) }
    }

    /// The latent parameters, in `StudentShape`'s order.
    var vector: [Float] {
        var vector: [Float] = []
        vector.reserveCapacity(shape.parameterCount)
        for (layer, order) in zip(layers, orders) {
            vector += order.onnx(layer.weights.values)
            vector += layer.bias.values
        }
        return vector + logScales.values
    }

    /// The gradients, in `StudentShape`'s order.
    var gradient: [Float] {
        var gradient: [Float] = []
        gradient.reserveCapacity(shape.parameterCount)
        for (layer, order) in zip(layers, orders) {
            gradient += order.onnx(layer.weights.gradient)
            gradient += layer.bias.gradient
        }
        return gradient + logScales.gradient
    }

    /// One step of the plan's optimiser along the gradients, which are overwritten.
    mutating func descend(learningRate: Float) {
        steps += 1
        for index in frozenScales { logScales.gradient[index] = 0 }
        if training.proximalMu > 0 { pull() }
        if training.clipNorm > 0 { clip() }
        let descent = Descent(training, learningRate: learningRate, count: steps)
        for index in moving { layers[index].descend(descent) }
        logScales.descend(descent)
        logScales.clamp(LogScale.clamped)
    }

    private mutating func pull() {
        for index in moving {
            layers[index].weights.pull(training.proximalMu)
            layers[index].bias.pull(training.proximalMu)
        }
        logScales.pull(training.proximalMu)
    }

    private mutating func clip() {
        let square = moving.reduce(logScales.squaredGradientNorm) {
            $0 + layers[$1].weights.squaredGradientNorm + layers[$1].bias.squaredGradientNorm
        }
        let norm = square.squareRoot()
        guard norm > Double(training.clipNorm) else { return }
        let factor = Float(Double(training.clipNorm) / norm)
        for index in moving {
            layers[index].weights.scaleGradient(factor)
            layers[index].bias.scaleGradient(factor)
        }
        logScales.scaleGradient(factor)
    }
}

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
        var memory = PlannedMemory()
        self.init(
            .parameters(parameters, shape: shape), shape: shape, training: training,
            keepsGradients: true, memory: &memory)
    }

    /// - Parameter keepsGradients: whether there is room for the gradients of all weights.
    init(
        _ start: StartingPoint, shape: StudentShape, training: TrainingPlan, keepsGradients: Bool,
        memory: inout PlannedMemory
    ) {
        self.shape = shape
        self.training = training
        let weighted = shape.weightedLayers
        orders = weighted.map { KernelOrder(dimensions: shape.weightDimensions(layer: $0) ?? []) }
        layers = []
        for (index, order) in orders.enumerated() {
            let ranges = shape.parameterRanges(layer: weighted[index])
            let outputs = ranges.bias.count
            layers.append(
                LinearLayer(
                    inputs: ranges.weights.count / outputs, outputs: outputs, training: training,
                    keepsGradient: keepsGradients, memory: &memory
                ) {
                    order.kernel(start.weights(index, channels: 0..<outputs))
                } bias: {
                    start.bias(index)
                })
        }
        logScales = TrainedTensor(
            count: shape.scaleCount, training: training, decays: false, memory: &memory
        ) { start.logScales }
        moving = weighted.indices.filter { !shape.layers[weighted[$0]].isFrozen }
        frozenScales = shape.frozenScales
    }

    /// The latent parameters, in `StudentShape`'s order.
    var vector: [Float] {
        var vector: [Float] = []
        vector.reserveCapacity(shape.parameterCount)
        for (layer, order) in zip(layers, orders) {
            vector += order.onnx(layer.weights.values)
            vector += layer.bias.values
        }
        vector += logScales.values
        return vector
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

    var isFinite: Bool {
        layers.allSatisfy {
            CodecKernels.areFinite($0.weights.values) && CodecKernels.areFinite($0.bias.values)
        } && logScales.values.allSatisfy(\.isFinite)
    }

    /// Gives up what only further steps need.
    mutating func forgetSteps() {
        for index in layers.indices { layers[index].weights.forgetSteps() }
    }

    /// One step of the plan's optimiser along the gradients, which are overwritten.
    ///
    /// - Returns: the step, for what learns beside these parameters.
    @discardableResult
    mutating func descend(learningRate: Float) -> Descent {
        steps += 1
        for index in frozenScales { logScales.gradient[index] = 0 }
        if training.proximalMu > 0 { pull() }
        if training.clipNorm > 0 { clip() }
        let descent = Descent(training, learningRate: learningRate, count: steps)
        for index in moving { layers[index].descend(descent) }
        logScales.descend(descent)
        logScales.clamp(LogScale.clamped)
        return descent
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

extension StudentParameters: DifferentiatedWeights {
    func channelsTogether(_ index: Int) -> Int { layers[index].outputs }

    mutating func differentiate(
        _ index: Int, channels: Range<Int>, _ body: (MatrixPart, inout [Float]) -> Void
    ) {
        let weights = MatrixPart(layers[index].weights.values, stride: layers[index].inputs)
        body(weights, &layers[index].weights.gradient)
    }

    mutating func differentiateBias(_ index: Int, gradient: [Float], rows: Int) {
        layers[index].bias.differentiate(columnsOf: gradient, rows: rows)
    }
}

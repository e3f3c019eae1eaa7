import Federation
import Kernels

/// A student's parameters in training with latent weights: what moves is fp32, and each step rounds
/// it anew.
///
/// A block of channels moves as soon as its gradient is known, so that no more of the gradient need
/// be kept. Only where the plan limits the whole gradient's norm, all of it is.
struct LatentWeights: StudentWeights {
    private var parameters: StudentParameters
    private let layers: [Int]
    private let frozen: [Bool]
    private let frozenScales: [Int]
    private let training: TrainingPlan
    private let blockChannels: [Int]
    /// The gradient of a block; empty where all gradients are kept.
    private var blockGradient: [Float]
    /// Whether weights of a dense layer move without their gradient being kept.
    private let descendsAtOnce: Bool
    private var descent: Descent

    var logScales: TrainedTensor {
        get { parameters.logScales }
        _modify { yield &parameters.logScales }
    }

    init(
        _ start: StartingPoint, shape: StudentShape, training: TrainingPlan, capacity: Int,
        network: inout Int8Network, memory: inout PlannedMemory
    ) {
        let isClipped = training.clipNorm > 0
        parameters = StudentParameters(
            start, shape: shape, training: training, keepsGradients: isClipped,
            memory: &memory)
        self.training = training
        descent = Descent(training, learningRate: 0, count: 0)
        layers = shape.weightedLayers
        frozen = layers.map { shape.layers[$0].isFrozen }
        frozenScales = shape.frozenScales
        let blocks = shape.weightBlocks
        blockChannels = blocks.map(\.channels)
        var atOnce = !isClipped && capacity <= DenseBatch.rowsTogether
        if case .adamW = training.optimizer { atOnce = false }
        let kept = zip(layers, blocks).map { [atOnce] layer, block in
            if atOnce, case .dense = shape.layers[layer].kind { 0 } else { block.weights }
        }
        descendsAtOnce = atOnce
        blockGradient = memory.buffer(0, count: isClipped ? 0 : kept.max() ?? 0)
    }

    private var keepsGradients: Bool { training.clipNorm > 0 }

    mutating func begin(learningRate: Float, network: inout Int8Network) {
        descent = Descent(training, learningRate: learningRate, count: descent.count + 1)
        for (index, layer) in layers.enumerated() {
            network.setLayer(
                layer, weights: parameters.layers[index].weights.values,
                bias: parameters.layers[index].bias.values)
        }
    }

    mutating func enter(_ index: Int, network: inout Int8Network) {}
    mutating func leave(_ index: Int, network: inout Int8Network) {}

    func channelsTogether(_ index: Int) -> Int {
        keepsGradients ? parameters.channelsTogether(index) : blockChannels[index]
    }

    mutating func differentiate(
        _ index: Int, channels: Range<Int>, _ body: (MatrixPart, inout [Float]) -> Void
    ) {
        guard !keepsGradients else {
            return parameters.differentiate(index, channels: channels, body)
        }
        let inputs = parameters.layers[index].inputs
        let some = channels.lowerBound * inputs..<channels.upperBound * inputs
        body(
            MatrixPart(
                parameters.layers[index].weights.values, offset: some.lowerBound, stride: inputs),
            &blockGradient)
        guard !frozen[index] else { return }
        parameters.layers[index].weights.descend(some, descent, along: &blockGradient)
    }

    mutating func differentiate(_ index: Int, _ batch: DenseBatch, _ body: (MatrixPart) -> Void) {
        let isFrozen = frozen[index]
        guard descendsAtOnce else {
            return differentiate(index, channels: batch.channels) { weights, gradient in
                body(weights)
                if !isFrozen { DenseTraining.weightGradient(batch, into: &gradient) }
            }
        }
        let inputs = parameters.layers[index].inputs
        let first = batch.channels.lowerBound * inputs
        body(MatrixPart(parameters.layers[index].weights.values, offset: first, stride: inputs))
        guard !isFrozen else { return }
        parameters.layers[index].weights.descend(from: first, descent, along: batch)
    }

    mutating func differentiateBias(_ index: Int, gradient: [Float], rows: Int) {
        parameters.differentiateBias(index, gradient: gradient, rows: rows)
        guard !keepsGradients, !frozen[index] else { return }
        parameters.layers[index].bias.pull(descent.proximalMu)
        parameters.layers[index].bias.descend(descent)
    }

    mutating func finish() {
        guard !keepsGradients else {
            parameters.descend(learningRate: descent.learningRate)
            return
        }
        for index in frozenScales { parameters.logScales.gradient[index] = 0 }
        parameters.logScales.pull(descent.proximalMu)
        parameters.logScales.descend(descent)
        parameters.logScales.clamp(LogScale.clamped)
    }

    mutating func finished(_ network: Int8Network) -> [Float]? {
        parameters.forgetSteps()
        return parameters.isFinite ? parameters.vector : nil
    }
}

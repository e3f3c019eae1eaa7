import Federation
import Kernels

/// A student's parameters in low-memory training: the weights exist as int8 with a scale a channel
/// and in no other form.
///
/// Each step moves a block of channels in fp32 and rounds it at random at once. Rounding to the
/// nearest would lose every movement of less than half a unit; at random, the mean of what is kept
/// is the movement itself. Biases and activation scales stay in fp32.
struct RoundedWeights: StudentWeights {
    var logScales: TrainedTensor

    private let shape: StudentShape
    private let training: TrainingPlan
    private let layers: [Int]
    private let orders: [KernelOrder]
    private let blockChannels: [Int]
    /// Which of the activation scales a frozen layer holds still.
    private let frozenScales: [Int]
    private var biases: [TrainedTensor]
    /// The weights of a block of channels, and their gradient.
    private var block: DescendingValues
    /// Empty where no layer's gradient is kept.
    private var blockGradient: [Float]
    /// Whether weights of a dense layer move without their gradient being kept.
    private let descendsAtOnce: Bool
    /// The weights of the layer at hand, on loan from the network.
    private var weights = Int8Weights(channels: 0, width: 0)
    private var descent: Descent
    private var random: SeededRandom

    init(
        _ start: StartingPoint, shape: StudentShape, training: TrainingPlan, capacity: Int,
        network: inout Int8Network, memory: inout PlannedMemory
    ) {
        self.shape = shape
        self.training = training
        descent = Descent(training, learningRate: 0, count: 0)
        layers = shape.weightedLayers
        orders = layers.map { KernelOrder(dimensions: shape.weightDimensions(layer: $0) ?? []) }
        blockChannels = shape.weightBlocks.map(\.channels)
        frozenScales = shape.frozenScales
        biases = []
        for (index, layer) in layers.enumerated() {
            biases.append(
                TrainedTensor(
                    count: shape.activations[layer + 1].channels, training: training,
                    decays: false, memory: &memory
                ) { start.bias(index) })
        }
        logScales = TrainedTensor(
            count: shape.scaleCount, training: training, decays: false, memory: &memory
        ) { start.logScales }
        let blocks = shape.weightBlocks
        block = DescendingValues(
            values: memory.buffer(0, count: blocks.map(\.weights).max() ?? 0))
        let atOnce = capacity <= DenseBatch.rowsTogether
        let kept = zip(layers, blocks).map { layer, block in
            if atOnce, case .dense = shape.layers[layer].kind { 0 } else { block.weights }
        }
        descendsAtOnce = atOnce
        blockGradient = memory.buffer(0, count: kept.max() ?? 0)
        random = SeededRandom(seed: network.randomWord())
        if !start.isNothing { round(start, network: &network) }
    }

    /// Rounds the weights that training starts from to the nearest.
    private mutating func round(_ start: StartingPoint, network: inout Int8Network) {
        for index in layers.indices {
            let logScale = logScales.values[shape.scaleIndex(activation: layers[index])]
            enter(index, network: &network)
            WeightBlock.forEach(of: weights.channels, size: channelsTogether(index)) { channels in
                weights.quantise(
                    channels,
                    weights: orders[index].kernel(
                        start.weights(index, channels: channels), outputs: channels.count),
                    bias: Array(biases[index].values[channels]),
                    inputScale: LogScale.scale(logScale))
            }
            leave(index, network: &network)
        }
    }

    mutating func begin(learningRate: Float, network: inout Int8Network) {
        descent = Descent(training, learningRate: learningRate, count: descent.count + 1)
        for (index, layer) in layers.enumerated() {
            network.setBias(layer, biases[index].values)
        }
    }

    mutating func enter(_ index: Int, network: inout Int8Network) {
        network.exchangeWeights(of: layers[index], with: &weights)
    }

    mutating func leave(_ index: Int, network: inout Int8Network) {
        network.exchangeWeights(of: layers[index], with: &weights)
    }

    func channelsTogether(_ index: Int) -> Int { blockChannels[index] }

    mutating func differentiate(
        _ index: Int, channels: Range<Int>, _ body: (MatrixPart, inout [Float]) -> Void
    ) {
        weights.dequantise(channels, into: &block.values)
        body(MatrixPart(block.values, stride: weights.width), &blockGradient)
        guard !shape.layers[layers[index]].isFrozen else { return }
        block.descend(
            from: 0, count: channels.count * weights.width, along: blockGradient, step)
        weights.round(channels, weights: block.values, key: random.next())
    }

    mutating func differentiate(_ index: Int, _ batch: DenseBatch, _ body: (MatrixPart) -> Void) {
        guard descendsAtOnce else {
            return differentiate(index, channels: batch.channels) { weights, gradient in
                body(weights)
                DenseTraining.weightGradient(batch, into: &gradient)
            }
        }
        weights.dequantise(batch.channels, into: &block.values)
        body(MatrixPart(block.values, stride: weights.width))
        guard !shape.layers[layers[index]].isFrozen else { return }
        block.descend(from: 0, along: batch, step)
        weights.round(batch.channels, weights: block.values, key: random.next())
    }

    private var step: DescentStep {
        DescentStep(learningRate: descent.learningRate, weightDecay: descent.weightDecay)
    }

    mutating func differentiateBias(_ index: Int, gradient: [Float], rows: Int) {
        guard !shape.layers[layers[index]].isFrozen else { return }
        biases[index].differentiate(columnsOf: gradient, rows: rows)
        biases[index].descend(descent)
    }

    mutating func finish() {
        for index in frozenScales { logScales.gradient[index] = 0 }
        logScales.descend(descent)
        logScales.clamp(LogScale.clamped)
    }

    mutating func finished(_ network: Int8Network) -> [Float]? {
        var vector: [Float] = []
        vector.reserveCapacity(shape.parameterCount)
        for (index, layer) in layers.enumerated() {
            let weights = network.layers[layer].weights
            WeightBlock.forEach(of: weights.channels, size: channelsTogether(index)) { channels in
                weights.dequantise(channels, into: &block.values)
                vector += orders[index].onnx(
                    Array(block.values[..<(channels.count * weights.width)]),
                    outputs: channels.count)
            }
            vector += biases[index].values
        }
        vector += logScales.values
        return vector.allSatisfy(\.isFinite) ? vector : nil
    }
}

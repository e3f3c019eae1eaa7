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
    private var block: [Float]
    private var blockGradient: [Float]
    /// The weights of the layer at hand, on loan from the network.
    private var weights = Int8Weights(channels: 0, width: 0)
    private var descent: Descent
    private var random: SeededRandom

    init(
        _ start: StartingPoint, shape: StudentShape, training: TrainingPlan,
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
        let size = shape.weightBlocks.map(\.weights).max() ?? 0
        block = memory.buffer(0, count: size)
        blockGradient = memory.buffer(0, count: size)
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
        weights.dequantise(channels, into: &block)
        body(MatrixPart(block, stride: weights.width), &blockGradient)
        guard !shape.layers[layers[index]].isFrozen else { return }
        let all = 0..<channels.count * weights.width
        if descent.weightDecay != 0 {
            Blas.add(block, all, times: descent.weightDecay, to: &blockGradient, from: 0)
        }
        Blas.add(blockGradient, all, times: -descent.learningRate, to: &block, from: 0)
        weights.round(channels, weights: block, key: random.next())
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
                weights.dequantise(channels, into: &block)
                vector += orders[index].onnx(
                    Array(block[..<(channels.count * weights.width)]), outputs: channels.count)
            }
            vector += biases[index].values
        }
        vector += logScales.values
        return vector.allSatisfy(\.isFinite) ? vector : nil
    }
}

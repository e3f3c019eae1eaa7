import Federation
import Kernels

/// The weights that a backward pass meets. It takes a layer's output channels some at a time, so
/// that whoever keeps the weights need not keep a gradient for all of them.
protocol DifferentiatedWeights {
    /// The most output channels of a layer, the `index`th with weights, that are taken at a time.
    func channelsTogether(_ index: Int) -> Int

    /// Calls `body` with the fp32 weights of some channels [channels x inputs] and with the place
    /// for their gradient, which is as large or larger; what it held does not matter.
    mutating func differentiate(
        _ index: Int, channels: Range<Int>, _ body: (MatrixPart, inout [Float]) -> Void)

    /// Calls `body` with the fp32 weights of the batch's channels [channels x inputs] of a dense
    /// layer, then differentiates by them.
    mutating func differentiate(_ index: Int, _ batch: DenseBatch, _ body: (MatrixPart) -> Void)

    /// Differentiates by the biases: the loss's gradient by the layer's output is [rows x outputs].
    mutating func differentiateBias(_ index: Int, gradient: [Float], rows: Int)
}

extension DifferentiatedWeights {
    mutating func differentiate(_ index: Int, _ batch: DenseBatch, _ body: (MatrixPart) -> Void) {
        differentiate(index, channels: batch.channels) { weights, gradient in
            body(weights)
            DenseTraining.weightGradient(batch, into: &gradient)
        }
    }
}

/// The parameters of an int8 student in training.
protocol StudentWeights: DifferentiatedWeights {
    /// One an activation scale.
    var logScales: TrainedTensor { get set }

    /// `network` keeps the rounded weights; no batch has more than `capacity` rows.
    init(
        _ start: StartingPoint, shape: StudentShape, training: TrainingPlan, capacity: Int,
        network: inout Int8Network, memory: inout PlannedMemory)

    /// Begins a step: `network`, which has its activations' scales, gets the rounded weights.
    mutating func begin(learningRate: Float, network: inout Int8Network)

    /// Goes to a layer with weights for the backward pass, and leaves it.
    mutating func enter(_ index: Int, network: inout Int8Network)
    mutating func leave(_ index: Int, network: inout Int8Network)

    /// Ends a step.
    mutating func finish()

    /// The parameters in `shape`'s order after the last step; nil if one is not finite.
    mutating func finished(_ network: Int8Network) -> [Float]?
}

/// Output channels whose weights are moved together.
struct WeightBlock: Sendable {
    /// The most channels of a block: all, or a multiple of `Int8Weights.channelAlignment`.
    let channels: Int
    /// Their weights.
    let weights: Int

    /// This many stay in a processor's second cache with their gradient.
    private static let enough = 1 << 15

    fileprivate init(channels all: Int, inputs: Int) {
        let alignment = Int8Weights.channelAlignment
        channels = min(all, max(alignment, WeightBlock.enough / inputs / alignment * alignment))
        weights = channels * inputs
    }

    fileprivate init(whole channels: Int, weights: Int) {
        self.channels = channels
        self.weights = weights
    }

    /// `channels` in blocks of at most `size`.
    static func forEach(of channels: Int, size: Int, _ body: (Range<Int>) -> Void) {
        for first in stride(from: 0, to: channels, by: size) {
            body(first..<min(first + size, channels))
        }
    }
}

extension StudentShape {
    /// The largest block of each layer with weights.
    var weightBlocks: [WeightBlock] {
        weightedLayers.map { layer in
            let ranges = parameterRanges(layer: layer)
            let channels = ranges.bias.count
            // A depthwise convolution takes all its channels at once.
            guard !layers[layer].kind.isDepthwise else {
                return WeightBlock(whole: channels, weights: ranges.weights.count)
            }
            return WeightBlock(channels: channels, inputs: ranges.weights.count / channels)
        }
    }

    /// The activation scales that frozen layers hold still.
    var frozenScales: [Int] {
        layers.indices.filter { layers[$0].isFrozen && layers[$0].kind.hasEncoding }
            .map { scaleIndex(activation: $0 + 1) }
    }
}

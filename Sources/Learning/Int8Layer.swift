import Federation
import Kernels

/// One layer's constants and buffers in the integer forward pass.
struct Int8Layer: Sendable {
    /// Of a layer that multiplies; in the kernels' order.
    var weights: Int8Weights
    /// The bias with the input's zero point taken off, so that the products may use the stored
    /// bytes as they are.
    private(set) var foldedBias: [Int32]
    private(set) var multipliers: [Float]
    /// The activation that this layer adds to its input.
    let addend: Int?
    private(set) var dropout: Dropout?
    /// The index of each pooled value in its image; empty where no backward pass follows.
    private(set) var winners: [Int32] = []

    private let order: KernelOrder?
    private let window: ImageWindow?
    private let isDepthwise: Bool
    /// Of a few images at a time; empty unless this is a convolution over all channels.
    var patches: Int8Matrix
    private var addition: QuantizedAddition?

    /// Patches of this many bytes stay in a processor's second cache with what they are multiplied
    /// by.
    private static let enough = 1 << 17

    init(
        shape: StudentShape, layer: Int, capacity: Int, training: Bool,
        memory: inout PlannedMemory
    ) {
        let kind = shape.layers[layer].kind
        let dimensions = shape.weightDimensions(layer: layer)
        window = shape.window(layer: layer)
        addend = shape.addend(layer: layer)
        order = dimensions.map(KernelOrder.init)
        let channels = shape.activations[layer + 1].channels
        switch kind {
        case .dense, .conv:
            let fanIn = (dimensions ?? []).dropFirst().reduce(1, *)
            weights = memory.weights(channels: channels, width: fanIn)
        case .averagePool(let size, _):
            let taps = size[0] * size[1]
            _ = memory.made(Int8Weights.byteCount(channels: channels, width: taps)) { [Int8]() }
            weights = Int8Weights(
                weights: [Int8](repeating: 1, count: channels * taps), width: taps,
                scales: [Float](
                    repeating: QuantizedModel.averageScale(size: size), count: channels),
                bias: [Int32](repeating: 0, count: channels))
        case .maxPool, .flatten, .add, .dropout: weights = Int8Weights(channels: 0, width: 0)
        }
        isDepthwise = kind.isDepthwise
        if let window, !isDepthwise {
            let images = min(capacity, Int8Layer.imagesTogether(window))
            patches = memory.matrix(rows: images * window.positions, width: window.patchLength)
        } else {
            patches = Int8Matrix(rows: 0, width: 0)
        }
        if case .dropout(let rate) = kind {
            let count = capacity * shape.activations[layer].count
            dropout = Dropout(rate: rate, count: count, memory: &memory)
        } else {
            dropout = nil
        }
        if case .maxPool = kind, training {
            winners = memory.buffer(0, count: capacity * shape.activations[layer + 1].count)
        }
        let encoded = kind.hasEncoding ? channels : 0
        foldedBias = memory.buffer(0, count: encoded)
        multipliers = memory.buffer(0, count: encoded)
    }

    private static func imagesTogether(_ window: ImageWindow) -> Int {
        max(1, enough / (window.positions * Int8Matrix.stride(width: window.patchLength)))
    }

    /// Whether the products of a forward pass are requantised as they come, and never kept.
    static func isFused(_ kind: LayerKind) -> Bool {
        switch kind {
        case .dense: true
        case .conv(let conv): !conv.isDepthwise
        case .maxPool, .averagePool, .flatten, .add, .dropout: false
        }
    }

    mutating func setWeights(_ layer: QuantizedLayer) {
        weights = Int8Weights(
            weights: order?.kernel(layer.weights) ?? layer.weights, width: weights.width,
            scales: layer.scales, bias: layer.bias)
    }

    /// Sets the constants of an addition of values so encoded.
    mutating func setAddition(input: Int8Encoding, addend: Int8Encoding) {
        addition = QuantizedAddition(
            input: (input.scale, input.zeroPoint), addend: (addend.scale, addend.zeroPoint))
    }

    /// What one unit of `addend` and of the input becomes in the sum, which rounding the weights
    /// keeps from being exactly 1.
    func shares(input: Int8Encoding, addend: Int8Encoding) -> (input: Float, addend: Float) {
        guard let addition else { return (1, 1) }
        let unit = addition.scale * QuantizedAddition.weightScale
        return (
            Float(addition.inputWeight) * unit / input.scale,
            Float(addition.addendWeight) * unit / addend.scale
        )
    }

    /// Prepares the end of the product for an input and an output so encoded.
    mutating func fold(input: Int8Encoding, output: Int8Encoding) {
        for channel in foldedBias.indices {
            // onnxruntime's order of the factors; another rounds differently.
            if let addition {
                foldedBias[channel] = addition.bias
                multipliers[channel] =
                    (addition.scale * QuantizedAddition.weightScale) / output.scale
            } else {
                foldedBias[channel] =
                    weights.bias[channel] - input.zeroPoint * weights.sums[channel]
                multipliers[channel] = (input.scale * weights.scales[channel]) / output.scale
            }
        }
    }

    /// The output [rows, width] of a dense layer or of a convolution over all channels; `scaled`
    /// receives its values before the clamp, unless it is empty.
    mutating func run(
        _ input: Int8Matrix, rows: Int, zeroPoints: (input: Int32, output: Int32),
        into output: inout Int8Matrix, scaled: inout [Float]
    ) {
        guard let window else {
            Int8Kernels.layer(
                input, rows: rows, weights: weights, bias: foldedBias, multipliers: multipliers,
                zeroPoint: zeroPoints.output, into: &output, scaled: &scaled)
            return
        }
        let together = Int8Layer.imagesTogether(window)
        for first in stride(from: 0, to: rows, by: together) {
            let count = min(together, rows - first)
            Convolution.patches(
                of: input, from: first, rows: count, window: window, zeroPoint: zeroPoints.input,
                into: &patches)
            Int8Kernels.layer(
                patches, rows: count, weights: weights, bias: foldedBias, multipliers: multipliers,
                zeroPoint: zeroPoints.output, into: &output, from: first, scaled: &scaled)
        }
    }

    /// products [rows x positions x channels] of a depthwise convolution or an average.
    func multiply(
        _ input: Int8Matrix, rows: Int, zeroPoint: Int32, into products: inout [Int32]
    ) {
        guard let window else { return }
        Convolution.depthwise(
            input, rows: rows, window: window, zeroPoint: zeroPoint, by: weights, into: &products)
    }

    /// products [rows x width] of an addition.
    func add(_ input: Int8Matrix, _ addend: Int8Matrix, _ rows: Int, into products: inout [Int32]) {
        guard let addition else { return }
        let (ours, theirs) = (Int32(addition.inputWeight), Int32(addition.addendWeight))
        let (width, stride) = (input.width, input.stride)
        input.values.withUnsafeBufferPointer { input in
            addend.values.withUnsafeBufferPointer { addend in
                products.withUnsafeMutableBufferPointer { products in
                    for row in 0..<rows {
                        for column in 0..<width {
                            let index = row * stride + column
                            products[row * width + column] =
                                ours * Int32(input[index]) + theirs * Int32(addend[index])
                        }
                    }
                }
            }
        }
    }

    mutating func pool(_ input: Int8Matrix, rows: Int, into output: inout Int8Matrix) {
        guard let window else { return }
        if winners.isEmpty {
            Convolution.maxPool(input, rows: rows, window: window, into: &output)
        } else {
            Convolution.maxPool(
                input, rows: rows, window: window, into: &output, winners: &winners)
        }
    }

    mutating func drop(
        _ input: Int8Matrix, rows: Int, zeroPoint: Int8, random: inout SeededRandom,
        into output: inout Int8Matrix
    ) {
        dropout?.draw(rows * input.width, &random)
        guard let dropout else { return }
        for row in 0..<rows {
            for column in 0..<input.width {
                let index = row * input.stride + column
                output.values[index] =
                    dropout.keeps[row * input.width + column] ? input.values[index] : zeroPoint
            }
        }
    }
}

extension LayerKind {
    /// Whether each channel is computed from that channel alone.
    var isDepthwise: Bool {
        switch self {
        case .conv(let conv): conv.isDepthwise
        case .averagePool, .maxPool: true
        case .dense, .flatten, .add, .dropout: false
        }
    }
}

import Federation
import Kernels

/// The integer forward pass with its buffers; inference and training run this same code, so nothing
/// changes between them.
///
/// Images have their channels innermost.
struct Int8Network: Sendable {
    let shape: StudentShape
    let normalisation: Normalisation
    /// Most rows of one pass.
    let capacity: Int
    /// One an activation: the input, then each layer's output.
    private(set) var encodings: [Int8Encoding]
    /// One an activation, `capacity` x its width.
    private(set) var activations: [Int8Matrix]
    /// One a layer.
    private(set) var layers: [Int8Layer]

    /// In training, the values of layers whose output has a scale, in units of it before rounding,
    /// one [capacity x width] a layer.
    private(set) var scaled: [[Float]]

    /// Of layers that do not requantise them as they come.
    private var products: [Int32]
    /// The input with channels innermost; empty where that changes nothing.
    private var images: [Float]
    private let scaleIndices: [Int]
    /// Which values dropout keeps.
    private var random: SeededRandom
    /// What features that are bytes become; nil where there is no such table.
    private var byteTable: ByteTable?
    /// What rounding the input left, where the input's scale learns from that.
    private var roundedInput: RoundedInput?

    /// A network whose scales and weights `setScales` and `setLayer` supply.
    ///
    /// - Parameter training: whether what the backward pass needs is kept; `seed` then is that of
    ///   dropout.
    init(
        shape: StudentShape, normalisation: Normalisation, capacity: Int, training: Bool = false,
        seed: UInt64 = 0, memory: inout PlannedMemory
    ) {
        self.shape = shape
        self.normalisation = normalisation
        self.capacity = capacity
        let indices = shape.activations.indices
        scaleIndices = indices.map { shape.scaleIndex(activation: $0) }
        encodings = indices.map {
            Int8Encoding(scale: 1, zeroPoint: shape.zeroPoint(activation: $0))
        }
        activations = []
        for width in shape.widths {
            activations.append(memory.matrix(rows: capacity, width: width))
        }
        layers = []
        scaled = []
        var widest = 0
        for (layer, plan) in shape.layers.enumerated() {
            layers.append(
                Int8Layer(
                    shape: shape, layer: layer, capacity: capacity, training: training,
                    memory: &memory))
            let width = plan.kind.hasEncoding ? shape.widths[layer + 1] : 0
            scaled.append(memory.buffer(0, count: training ? capacity * width : 0))
            if !Int8Layer.isFused(plan.kind) { widest = max(widest, width) }
        }
        products = memory.buffer(0, count: capacity * widest)
        let input = shape.activations[0]
        images = memory.buffer(
            0, count: input.channels > 1 && input.area > 1 ? capacity * input.count : 0)
        random = SeededRandom(seed: seed)
        if training, shape.readsInputOnce {
            roundedInput = memory.roundedInput(
                rows: capacity, width: input.count, window: shape.window(layer: 0),
                channels: shape.activations[1].channels)
        }
        if normalisation.offset.count == 1, images.isEmpty, !training || roundedInput != nil {
            byteTable = ByteTable(offset: normalisation.offset[0], scale: normalisation.scale[0])
        }
    }

    init(_ model: QuantizedModel, capacity: Int) {
        var memory = PlannedMemory()
        self.init(
            shape: model.shape, normalisation: model.normalisation, capacity: capacity,
            memory: &memory)
        setScales(model.activationScales)
        for (layer, index) in zip(model.layers, shape.weightedLayers) {
            layers[index].setWeights(layer)
            fold(layer: index)
        }
    }

    /// Sets the activation scales; layers with weights must be set again afterwards.
    mutating func setScales(_ scales: [Float]) {
        encodings[0].scale = scales[0]
        byteTable?.quantise(as: encodings[0])
        for (index, layer) in shape.layers.enumerated() {
            encodings[index + 1].scale =
                layer.kind.hasEncoding
                ? scales[scaleIndices[index + 1]]
                : encodings[index].scale * (layers[index].dropout?.gain ?? 1)
        }
        for index in layers.indices where shape.layers[index].kind.hasEncoding {
            if let addend = layers[index].addend {
                layers[index].setAddition(input: encodings[index], addend: encodings[addend])
            }
            fold(layer: index)
        }
    }

    /// Rounds a layer's fp32 weights, in the kernels' order, and bias, as exporting them would.
    mutating func setLayer(_ index: Int, weights: [Float], bias: [Float]) {
        layers[index].weights.quantise(
            weights: weights, bias: bias, inputScale: encodings[index].scale)
        fold(layer: index)
    }

    /// Rounds a layer's bias to the scales that its weights have.
    mutating func setBias(_ index: Int, _ bias: [Float]) {
        layers[index].weights.setBias(bias, inputScale: encodings[index].scale)
        fold(layer: index)
    }

    /// Lends a layer's weights, and takes them back.
    mutating func exchangeWeights(of index: Int, with weights: inout Int8Weights) {
        swap(&layers[index].weights, &weights)
    }

    /// Lends a layer's room for patches, and takes it back.
    mutating func exchangePatches(of index: Int, with patches: inout Int8Matrix) {
        swap(&layers[index].patches, &patches)
    }

    /// A word of the network's random numbers.
    mutating func randomWord() -> UInt64 { random.next() }

    private mutating func fold(layer: Int) {
        layers[layer].fold(input: encodings[layer], output: encodings[layer + 1])
    }

    /// Runs `rows` examples of raw features [rows x inputs] through all layers; `features` receive
    /// the input in units of its scale before rounding, images with channels innermost.
    mutating func forward(features: inout [Float], rows: Int) {
        quantiseInput(&features, rows: rows)
        roundedInput?.note(scaled: features, rows: rows, encoding: encodings[0])
        for index in layers.indices { run(layer: index, rows: rows) }
    }

    /// Whether it runs on features that are bytes.
    var takesBytes: Bool { byteTable != nil }

    /// As above for raw features that are bytes.
    mutating func forward(bytes: [UInt8], rows: Int) {
        guard let byteTable else { preconditionFailure("these features have no table") }
        byteTable.quantise(bytes, rows: rows, into: &activations[0])
        roundedInput?.note(bytes: bytes, rows: rows, table: byteTable)
        for index in layers.indices { run(layer: index, rows: rows) }
    }

    /// Whether the gradient by the input's scale comes without that by the input.
    var keepsRoundedInput: Bool { roundedInput != nil }

    /// The loss's gradient by the input's scale, given that by the output of layer 0.
    mutating func gradientByInputScale(_ gradient: [Float], rows: Int) -> Float {
        roundedInput?.gradientByScale(gradient, rows: rows, weights: layers[0].weights) ?? 0
    }

    private mutating func quantiseInput(_ features: inout [Float], rows: Int) {
        Int8Kernels.normalise(
            &features, rows: rows, features: shape.inputs, offset: normalisation.offset,
            scale: normalisation.scale)
        if !images.isEmpty {
            interleaveChannels(features, rows: rows, shape: shape.activations[0], into: &images)
            for index in 0..<rows * shape.inputs { features[index] = images[index] }
        }
        Int8Kernels.quantise(&features, rows: rows, as: encodings[0], into: &activations[0])
    }

    private mutating func run(layer index: Int, rows: Int) {
        let input = activations[index]
        let zeroPoint = encodings[index].zeroPoint
        switch shape.layers[index].kind {
        case .dense, .conv, .averagePool:
            guard Int8Layer.isFused(shape.layers[index].kind) else {
                layers[index].multiply(input, rows: rows, zeroPoint: zeroPoint, into: &products)
                return requantise(layer: index, rows: rows)
            }
            layers[index].run(
                input, rows: rows, zeroPoints: (zeroPoint, encodings[index + 1].zeroPoint),
                into: &activations[index + 1], scaled: &scaled[index])
        case .add:
            guard let addend = layers[index].addend else { return }
            layers[index].add(input, activations[addend], rows, into: &products)
            requantise(layer: index, rows: rows)
        case .maxPool:
            layers[index].pool(input, rows: rows, into: &activations[index + 1])
        case .flatten:
            activations[index + 1].flatten(input, rows: rows, shape: shape.activations[index])
        case .dropout:
            layers[index].drop(
                input, rows: rows, zeroPoint: Int8(zeroPoint), random: &random,
                into: &activations[index + 1])
        }
    }

    private mutating func requantise(layer index: Int, rows: Int) {
        if scaled[index].isEmpty {
            Convolution.requantise(
                products, rows: rows, bias: layers[index].foldedBias,
                multipliers: layers[index].multipliers,
                zeroPoint: encodings[index + 1].zeroPoint, into: &activations[index + 1])
        } else {
            Convolution.requantise(
                products, rows: rows, bias: layers[index].foldedBias,
                multipliers: layers[index].multipliers,
                zeroPoint: encodings[index + 1].zeroPoint, into: &activations[index + 1],
                scaled: &scaled[index])
        }
    }

    /// `recallSaturated` on the outputs of layer `index`.
    mutating func recallOutputs(of index: Int, rows: Int, gradient: [Float]) -> Float {
        recallSaturated(
            &scaled[index], count: rows * shape.activations[index + 1].count,
            encoding: encodings[index + 1], gradient: gradient)
    }

    /// The real values of activation `index` after a forward pass: values [rows x width].
    func dequantise(activation index: Int, rows: Int, into values: inout [Float]) {
        Int8Kernels.dequantise(
            activations[index], rows: rows, as: encodings[index], into: &values)
    }
}

extension StudentShape {
    /// Whether one layer that multiplies all of the input is all that reads it.
    var readsInputOnce: Bool {
        switch layers[0].kind {
        case .conv(let conv) where conv.isDepthwise: return false
        case .dense, .conv: return !layers.indices.contains { addend(layer: $0) == 0 }
        case .averagePool, .maxPool, .flatten, .add, .dropout: return false
        }
    }
}

extension Int8Matrix {
    /// Takes images with channels innermost and puts them outermost, as `flatten` means them.
    fileprivate mutating func flatten(_ images: Int8Matrix, rows: Int, shape: TensorShape) {
        let (channels, area) = (shape.channels, shape.area)
        let (from, to) = (images.stride, stride)
        images.values.withUnsafeBufferPointer { source in
            values.withUnsafeMutableBufferPointer { target in
                for row in 0..<rows {
                    for channel in 0..<channels {
                        for position in 0..<area {
                            target[row * to + channel * area + position] =
                                source[row * from + position * channels + channel]
                        }
                    }
                }
            }
        }
    }
}

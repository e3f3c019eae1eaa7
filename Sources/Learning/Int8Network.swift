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

    private var products: [Int32]
    /// The input with channels innermost; empty where that changes nothing.
    private var images: [Float]
    private let scaleIndices: [Int]
    /// Which values dropout keeps.
    private var random: SeededRandom

    /// A network whose scales and weights `setScales` and `setLayer` supply.
    ///
    /// - Parameter training: whether what the backward pass needs is kept; `seed` then is that of
    ///   dropout.
    init(
        shape: StudentShape, normalisation: Normalisation, capacity: Int, training: Bool = false,
        seed: UInt64 = 0
    ) {
        self.shape = shape
        self.normalisation = normalisation
        self.capacity = capacity
        let indices = shape.activations.indices
        scaleIndices = indices.map { shape.scaleIndex(activation: $0) }
        encodings = indices.map {
            Int8Encoding(scale: 1, zeroPoint: shape.zeroPoint(activation: $0))
        }
        activations = shape.widths.map { Int8Matrix(rows: capacity, width: $0) }
        layers = shape.layers.indices.map {
            Int8Layer(shape: shape, layer: $0, capacity: capacity, training: training)
        }
        let widest = shape.layers.indices.filter { shape.layers[$0].kind.hasEncoding }
            .map { shape.widths[$0 + 1] }.max()
        products = [Int32](repeating: 0, count: capacity * (widest ?? 0))
        let input = shape.activations[0]
        images = [Float](
            repeating: 0, count: input.channels > 1 && input.area > 1 ? capacity * input.count : 0)
        random = SeededRandom(seed: seed)
    }

    init(_ model: QuantizedModel, capacity: Int) {
        self.init(shape: model.shape, normalisation: model.normalisation, capacity: capacity)
        setScales(model.activationScales)
        for (layer, index) in zip(model.layers, shape.weightedLayers) {
            layers[index].setWeights(layer)
            fold(layer: index)
        }
    }

    /// Sets the activation scales; layers with weights must be set again afterwards.
    mutating func setScales(_ scales: [Float]) {
        encodings[0].scale = scales[0]
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

    private mutating func fold(layer: Int) {
        layers[layer].fold(input: encodings[layer], output: encodings[layer + 1])
    }

    /// Runs `rows` examples of raw features [rows x inputs] through all layers; `features` is
    /// overwritten.
    mutating func forward(features: inout [Float], rows: Int) {
        quantiseInput(&features, rows: rows)
        for index in layers.indices {
            accumulate(layer: index, rows: rows)
            guard shape.layers[index].kind.hasEncoding else { continue }
            Convolution.requantise(
                products, rows: rows, bias: layers[index].foldedBias,
                multipliers: layers[index].multipliers,
                zeroPoint: encodings[index + 1].zeroPoint, into: &activations[index + 1])
        }
    }

    /// As `forward`, keeping each activation's values in units of its scale before rounding, for
    /// the backward pass: the input's in `features`, those of a layer l with a scale of its own in
    /// `scaled[l]` [rows x outputs]; images with channels innermost.
    mutating func forward(features: inout [Float], rows: Int, scaled: inout [[Float]]) {
        quantiseInput(&features, rows: rows)
        for index in layers.indices {
            accumulate(layer: index, rows: rows)
            guard shape.layers[index].kind.hasEncoding else { continue }
            Convolution.requantise(
                products, rows: rows, bias: layers[index].foldedBias,
                multipliers: layers[index].multipliers,
                zeroPoint: encodings[index + 1].zeroPoint, into: &activations[index + 1],
                scaled: &scaled[index])
        }
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

    /// The products of a layer with a scale of its own, or the output of one without.
    private mutating func accumulate(layer index: Int, rows: Int) {
        switch shape.layers[index].kind {
        case .dense, .conv, .averagePool:
            layers[index].multiply(
                activations[index], rows: rows, zeroPoint: encodings[index].zeroPoint,
                into: &products)
        case .add:
            guard let addend = layers[index].addend else { return }
            layers[index].add(activations[index], activations[addend], rows, into: &products)
        case .maxPool:
            let input = activations[index]
            layers[index].pool(input, rows: rows, into: &activations[index + 1])
        case .flatten:
            let input = activations[index]
            activations[index + 1].flatten(input, rows: rows, shape: shape.activations[index])
        case .dropout:
            let input = activations[index]
            layers[index].drop(
                input, rows: rows, zeroPoint: Int8(encodings[index].zeroPoint), random: &random,
                into: &activations[index + 1])
        }
    }

    /// The real values of activation `index` after a forward pass: values [rows x width].
    func dequantise(activation index: Int, rows: Int, into values: inout [Float]) {
        Int8Kernels.dequantise(
            activations[index], rows: rows, as: encodings[index], into: &values)
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

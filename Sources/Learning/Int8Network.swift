import Kernels

/// The integer forward pass with its buffers; inference and training run this same code, so nothing
/// changes between them.
struct Int8Network: Sendable {
    let shape: StudentShape
    let normalisation: Normalisation
    /// Most rows of one pass.
    let capacity: Int
    /// One an activation: the input, then each layer's output.
    private(set) var encodings: [Int8Encoding]
    /// One an activation, `capacity` x its width.
    private(set) var activations: [Int8Matrix]

    private var weights: [Int8Weights]
    /// A layer's bias with its input's zero point taken off, so that the product may use the stored
    /// bytes as they are.
    private var foldedBias: [[Int32]]
    private var multipliers: [[Float]]
    private var products: [Int32]

    /// A network whose weights `setLayer` supplies.
    init(shape: StudentShape, normalisation: Normalisation, capacity: Int) {
        self.shape = shape
        self.normalisation = normalisation
        self.capacity = capacity
        encodings = shape.widths.indices.map {
            Int8Encoding(scale: 1, zeroPoint: shape.zeroPoint(activation: $0))
        }
        activations = shape.widths.map { Int8Matrix(rows: capacity, width: $0) }
        let outputs = shape.widths.dropFirst()
        weights = zip(outputs, shape.widths).map { Int8Weights(channels: $0, width: $1) }
        foldedBias = outputs.map { [Int32](repeating: 0, count: $0) }
        multipliers = outputs.map { [Float](repeating: 0, count: $0) }
        products = [Int32](repeating: 0, count: capacity * (outputs.max() ?? 0))
    }

    init(_ model: QuantizedModel, capacity: Int) {
        self.init(shape: model.shape, normalisation: model.normalisation, capacity: capacity)
        setScales(model.activationScales)
        for (index, layer) in model.layers.enumerated() {
            weights[index] = Int8Weights(
                weights: layer.weights, width: shape.widths[index], scales: layer.scales,
                bias: layer.bias)
            fold(layer: index)
        }
    }

    /// Sets the activation scales; layers must be set again afterwards.
    mutating func setScales(_ scales: [Float]) {
        for (index, scale) in scales.enumerated() { encodings[index].scale = scale }
    }

    /// Rounds a layer's fp32 weights and bias, as exporting them would.
    mutating func setLayer(_ index: Int, weights fp32: [Float], bias: [Float]) {
        weights[index].quantise(weights: fp32, bias: bias, inputScale: encodings[index].scale)
        fold(layer: index)
    }

    private mutating func fold(layer: Int) {
        let (input, output) = (encodings[layer], encodings[layer + 1])
        for channel in 0..<weights[layer].channels {
            foldedBias[layer][channel] =
                weights[layer].bias[channel] - input.zeroPoint * weights[layer].sums[channel]
            // onnxruntime's order; another rounds differently.
            multipliers[layer][channel] =
                (input.scale * weights[layer].scales[channel]) / output.scale
        }
    }

    /// Runs `rows` examples of raw features [rows x inputs] through all layers; `features` is
    /// overwritten.
    mutating func forward(features: inout [Float], rows: Int) {
        quantiseInput(&features, rows: rows)
        for layer in 0..<shape.layerCount {
            Int8Kernels.multiply(
                activations[layer], rows: rows, by: weights[layer], into: &products)
            Int8Kernels.requantise(
                products, rows: rows, bias: foldedBias[layer], multipliers: multipliers[layer],
                zeroPoint: encodings[layer + 1].zeroPoint, into: &activations[layer + 1])
        }
    }

    /// As `forward`, keeping each activation's values in units of its scale before rounding, for
    /// the backward pass: the input's in `features`, layer l's output in `scaled[l]` [rows x
    /// outputs].
    mutating func forward(features: inout [Float], rows: Int, scaled: inout [[Float]]) {
        quantiseInput(&features, rows: rows)
        for layer in 0..<shape.layerCount {
            Int8Kernels.multiply(
                activations[layer], rows: rows, by: weights[layer], into: &products)
            Int8Kernels.requantise(
                products, rows: rows, bias: foldedBias[layer], multipliers: multipliers[layer],
                zeroPoint: encodings[layer + 1].zeroPoint, into: &activations[layer + 1],
                scaled: &scaled[layer])
        }
    }

    private mutating func quantiseInput(_ features: inout [Float], rows: Int) {
        Int8Kernels.normalise(
            &features, rows: rows, features: shape.inputs, offset: normalisation.offset,
            scale: normalisation.scale)
        Int8Kernels.quantise(&features, rows: rows, as: encodings[0], into: &activations[0])
    }

    /// The real values of activation `index` after a forward pass: values [rows x width].
    func dequantise(activation index: Int, rows: Int, into values: inout [Float]) {
        Int8Kernels.dequantise(
            activations[index], rows: rows, as: encodings[index], into: &values)
    }
}

import Federation
import Kernels

/// The student's graph in fp32, without rounding: for calibration, and as the yardstick of the int8
/// student.
///
/// Images have their channels innermost.
struct FloatNetwork: Sendable {
    let shape: StudentShape
    let normalisation: Normalisation
    /// One an activation [capacity x width].
    private(set) var activations: [[Float]]
    /// Of each max pool: the index of each largest value in its image.
    private(set) var winners: [[Int32]]
    private(set) var dropouts: [Dropout?]

    private let windows: [ImageWindow?]
    private let addends: [Int?]
    private let weightIndices: [Int?]
    private var patches: [Float]
    private var random: SeededRandom

    /// - Parameter seed: of dropout; nil for none.
    init(shape: StudentShape, normalisation: Normalisation, capacity: Int, seed: UInt64?) {
        self.shape = shape
        self.normalisation = normalisation
        activations = shape.widths.map { [Float](repeating: 0, count: capacity * $0) }
        let layers = shape.layers.indices
        windows = layers.map { shape.window(layer: $0) }
        addends = layers.map { shape.addend(layer: $0) }
        let weighted = shape.weightedLayers
        weightIndices = layers.map { weighted.firstIndex(of: $0) }
        winners = layers.map { layer in
            guard case .maxPool = shape.layers[layer].kind else { return [] }
            return [Int32](repeating: 0, count: capacity * shape.widths[layer + 1])
        }
        dropouts = layers.map { layer in
            guard case .dropout(let rate) = shape.layers[layer].kind, seed != nil else {
                return nil
            }
            return Dropout(rate: rate, count: capacity * shape.widths[layer])
        }
        let patchCounts = layers.map { layer in
            guard case .conv(let conv) = shape.layers[layer].kind, !conv.isDepthwise,
                let window = shape.window(layer: layer)
            else { return 0 }
            return window.positions * window.patchLength
        }
        patches = [Float](repeating: 0, count: capacity * (patchCounts.max() ?? 0))
        random = SeededRandom(seed: seed ?? 0)
    }

    /// Runs `rows` examples of raw features [rows x inputs] through all layers; `features` is
    /// overwritten.
    mutating func forward(features: inout [Float], rows: Int, parameters: StudentParameters) {
        var norms = [BatchNorm?](repeating: nil, count: shape.layerCount)
        forward(features: &features, rows: rows, parameters: parameters, norms: &norms)
    }

    /// The same in training.
    ///
    /// - Parameter norms: of each layer whose sums are normalised over the batch.
    mutating func forward(
        features: inout [Float], rows: Int, parameters: StudentParameters, norms: inout [BatchNorm?]
    ) {
        Int8Kernels.normalise(
            &features, rows: rows, features: shape.inputs, offset: normalisation.offset,
            scale: normalisation.scale)
        interleaveChannels(
            features, rows: rows, shape: shape.activations[0], into: &activations[0])
        for layer in shape.layers.indices {
            run(layer, rows: rows, parameters: parameters, norm: &norms[layer])
        }
    }

    private mutating func run(
        _ layer: Int, rows: Int, parameters: StudentParameters, norm: inout BatchNorm?
    ) {
        let input = activations[layer]
        switch shape.layers[layer].kind {
        case .dense, .conv:
            guard let index = weightIndices[layer] else { return }
            let relu = shape.layers[layer].kind.hasReLU
            weigh(layer, parameters.layers[index], rows: rows, relu: relu && norm == nil)
            norm?.normalise(
                &activations[layer + 1], rows: rows * shape.activations[layer + 1].area, relu: relu)
        case .averagePool:
            guard let window = windows[layer] else { return }
            let share = 1 / Float(window.taps)
            window.filter(
                input, rows: rows,
                weights: [Float](repeating: share, count: window.channels * window.taps),
                bias: [Float](repeating: 0, count: window.channels), relu: false,
                into: &activations[layer + 1])
        case .maxPool:
            guard let window = windows[layer] else { return }
            window.largest(
                input, rows: rows, into: &activations[layer + 1], winners: &winners[layer])
        case .flatten:
            separateChannels(
                input, rows: rows, shape: shape.activations[layer], into: &activations[layer + 1])
        case .add(_, let relu):
            guard let addend = addends[layer] else { return }
            for index in 0..<rows * shape.activations[layer].count {
                let sum = input[index] + activations[addend][index]
                activations[layer + 1][index] = relu ? max(sum, 0) : sum
            }
        case .dropout: drop(layer, rows: rows)
        }
    }

    /// Runs a layer with weights.
    private mutating func weigh(_ layer: Int, _ linear: LinearLayer, rows: Int, relu: Bool) {
        guard let window = windows[layer] else {
            linear.forward(
                activations[layer], rows: rows, relu: relu, into: &activations[layer + 1])
            return
        }
        if case .conv(let conv) = shape.layers[layer].kind, conv.isDepthwise {
            window.filter(
                activations[layer], rows: rows, weights: linear.weights.values,
                bias: linear.bias.values, relu: relu, into: &activations[layer + 1])
        } else {
            Convolution.patches(of: activations[layer], rows: rows, window: window, into: &patches)
            linear.forward(
                patches, rows: rows * window.positions, relu: relu, into: &activations[layer + 1])
        }
    }

    private mutating func drop(_ layer: Int, rows: Int) {
        let count = rows * shape.activations[layer].count
        dropouts[layer]?.draw(count, &random)
        for index in 0..<count {
            let value = activations[layer][index]
            guard let dropout = dropouts[layer] else {
                activations[layer + 1][index] = value
                continue
            }
            activations[layer + 1][index] = dropout.keeps[index] ? dropout.gain * value : 0
        }
    }
}

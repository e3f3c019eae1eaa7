import Federation
import Glibc
import Kernels

/// Quantisation-aware training: forward through the integer kernels, backward in fp32 with
/// straight-through gradients, activation scales by LSQ on their logarithms.
struct StudentLearner<Objective: Loss, Weights: StudentWeights>: MinibatchLearner {
    private var weights: Weights
    private var network: Int8Network
    private var backward: Backpropagation
    private var objective: Objective

    /// Real values of the current layer's input; before, of the network's output.
    private var values: [Float]
    private var scales: [Float]
    /// Which of the layers with weights each layer is.
    private let weightIndices: [Int?]
    /// Room for those of the layer at hand, on loan from the network.
    private var patches = Int8Matrix(rows: 0, width: 0)

    /// The last layer with a scale of its own, and what `recallSaturated` found there.
    private let outputLayer: Int
    private var byRecall: Float = 0

    /// - Parameters:
    ///   - capacity: most rows of a batch.
    ///   - seed: of dropout and of rounding at random.
    init(
        shape: StudentShape, normalisation: Normalisation, start: StartingPoint,
        training: TrainingPlan, capacity: Int, seed: UInt64, objective: Objective,
        memory: inout PlannedMemory
    ) {
        self.objective = objective
        self.objective.reserve(
            memory.made(capacity * objective.valuesPerRow) {
                [Float](repeating: 0, count: capacity * objective.valuesPerRow)
            })
        network = Int8Network(
            shape: shape, normalisation: normalisation, capacity: capacity, training: true,
            seed: seed, memory: &memory)
        weights = Weights(
            start, shape: shape, training: training, capacity: capacity, network: &network,
            memory: &memory)
        backward = Backpropagation(
            shape: shape, capacity: capacity, inputs: .bytes,
            reachesInput: !network.keepsRoundedInput, memory: &memory)
        values = memory.buffer(0, count: capacity * shape.widestInReals)
        scales = memory.buffer(0, count: shape.scaleCount)
        let weighted = shape.weightedLayers
        weightIndices = shape.layers.indices.map { weighted.firstIndex(of: $0) }
        outputLayer = shape.layers.lastIndex { $0.kind.hasEncoding } ?? 0
    }

    var inputs: Int { network.shape.inputs }
    var answers: Minibatches.Answers { objective.answers(outputs: network.shape.classes) }
    var takesBytes: Bool { network.takesBytes && !objective.observesFeatures }

    mutating func observe(targets: [Float], rows: Int) {
        objective.observe(targets: targets, rows: rows)
    }

    /// The trained parameters in `StudentShape`'s order, after the last step; nil if one is not
    /// finite.
    mutating func finished() -> [Float]? {
        backward.forget()
        values = []
        return weights.finished(network)
    }

    mutating func step(
        features: inout RawFeatures, labels: [Int32], rows: Int, learningRate: Float
    ) -> Float {
        objective.observe(raw: features.values, rows: rows)
        for index in scales.indices {
            scales[index] = LogScale.scale(weights.logScales.values[index])
        }
        network.setScales(scales)
        weights.begin(learningRate: learningRate, network: &network)
        if features.areBytes {
            network.forward(bytes: features.bytes, rows: rows)
        } else {
            network.forward(features: &features.values, rows: rows)
        }
        let last = network.shape.layerCount
        network.dequantise(activation: last, rows: rows, into: &values)
        let loss = objective.gradient(
            logits: values, labels: labels, rows: rows, classes: network.shape.classes,
            into: &backward.gradient)
        for layer in network.shape.layers.indices.reversed() { passBack(layer, rows: rows) }
        if !network.keepsRoundedInput {
            differentiateScale(0, scaled: features.values, rows: rows)
        }
        weights.finish()
        return loss
    }

    private mutating func passBack(_ layer: Int, rows: Int) {
        backward.collect(layer: layer, rows: rows)
        let kind = network.shape.layers[layer].kind
        if kind.hasEncoding {
            if layer == outputLayer {
                byRecall = network.recallOutputs(
                    of: layer, rows: rows, gradient: backward.gradient)
            }
            differentiateScale(layer + 1, scaled: network.scaled[layer], rows: rows)
        }
        switch kind {
        case .dense: passBack(product: layer, rows: rows)
        case .conv(let conv) where !conv.isDepthwise: passBack(product: layer, rows: rows)
        case .conv, .averagePool:
            network.dequantise(activation: layer, rows: rows, into: &values)
            let index = weightIndices[layer]
            if let index { weights.enter(index, network: &network) }
            backward.pass(layer: layer, input: values, rows: rows, parameters: &weights)
            if let index { weights.leave(index, network: &network) }
        case .maxPool:
            backward.pass(pool: layer, winners: network.layers[layer].winners, rows: rows)
        case .flatten: backward.pass(flatten: layer, rows: rows)
        case .add:
            guard let addend = network.layers[layer].addend else { return }
            let shares = network.layers[layer].shares(
                input: network.encodings[layer], addend: network.encodings[addend])
            backward.pass(addition: layer, shares: shares, rows: rows)
        case .dropout:
            guard let dropout = network.layers[layer].dropout else { return }
            backward.pass(dropout: dropout, count: rows * network.shape.activations[layer].count)
        }
    }

    private mutating func passBack(product layer: Int, rows: Int) {
        guard let index = weightIndices[layer] else { return }
        let readsInput = layer == 0 && network.keepsRoundedInput
        if readsInput {
            // While the weights are those of the forward pass.
            let byScale = network.gradientByInputScale(backward.gradient, rows: rows)
            setScaleGradient(0, byScale)
        }
        weights.enter(index, network: &network)
        network.exchangePatches(of: layer, with: &patches)
        backward.pass(
            product: layer,
            input: Backpropagation.ByteInput(
                values: network.activations[layer], encoding: network.encodings[layer]),
            patches: &patches, rows: rows, wantsInput: !readsInput, parameters: &weights)
        network.exchangePatches(of: layer, with: &patches)
        weights.leave(index, network: &network)
    }

    /// Takes the gradient back through the rounding of activation `index` and differentiates by its
    /// scale.
    private mutating func differentiateScale(_ index: Int, scaled: [Float], rows: Int) {
        let width = network.shape.activations[index].count
        let encoding = network.encodings[index]
        let byScale = Int8Kernels.gradient(
            scaled: scaled, count: rows * width, encoding: encoding, gradient: &backward.gradient)
        let recalled = index - 1 == outputLayer ? byRecall : 0
        setScaleGradient(index, byScale + recalled)
    }

    /// Sets the gradient of the logarithm of activation `index`'s scale from that of the scale.
    private mutating func setScaleGradient(_ index: Int, _ byScale: Float) {
        let width = network.shape.activations[index].count
        let encoding = network.encodings[index]
        weights.logScales.gradient[network.shape.scaleIndex(activation: index)] =
            encoding.scale * byScale * scaleGradientFactor(width: width, high: encoding.high)
    }
}

extension StudentShape {
    /// The largest activation whose real values the backward pass looks at: the output, and the
    /// inputs of layers whose gradient is a product of reals.
    fileprivate var widestInReals: Int {
        let inputs = layers.indices.map { layer in
            switch layers[layer].kind {
            case .averagePool: widths[layer]
            case .conv(let conv): conv.isDepthwise ? widths[layer] : 0
            case .dense, .maxPool, .flatten, .add, .dropout: 0
            }
        }
        return max(classes, inputs.max() ?? 0)
    }
}

/// LSQ's gradient scale 1 / sqrt(N Qp): it brings the scale's relative steps to the size of the
/// weights'.
func scaleGradientFactor(width: Int, high: Float) -> Float {
    1 / sqrtf(Float(width) * high)
}

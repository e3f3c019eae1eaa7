package import Federation
import Glibc
import Kernels

/// One layer of an int8 model that has weights.
package struct QuantizedLayer: Sendable, Equatable {
    /// Of `StudentShape.weightDimensions`, row-major, in [-127, 127].
    package var weights: [Int8]
    /// One a channel: real weight = integer * scale.
    package var scales: [Float]
    /// One a channel, in units of the input's scale times the channel's.
    package var bias: [Int32]

    package init(weights: [Int8], scales: [Float], bias: [Int32]) {
        self.weights = weights
        self.scales = scales
        self.bias = bias
    }
}

/// An int8 student: exactly what a model file holds.
package struct QuantizedModel: Sendable, Equatable {
    /// Biases beyond this could carry a sum out of int32.
    package static let largestBias: Int32 = 1 << 30

    /// The graph, as `StudentShape.deployed` gives it.
    package var shape: StudentShape
    /// What is done to raw features first.
    package var normalisation: Normalisation
    /// Of the input, then of each layer's output that has a scale of its own:
    /// `shape.scaleIndex(activation:)` finds them. `shape.zeroPoint` has the zero points.
    package var activationScales: [Float]
    /// One for each of `shape.weightedLayers`.
    package var layers: [QuantizedLayer]

    /// - Throws: `Fault.invalid`, naming the layer, when a size does not fit `shape`, a scale is
    ///   not finite and positive, a weight is -128, or a bias could overflow.
    package init(
        shape: StudentShape, normalisation: Normalisation, activationScales: [Float],
        layers: [QuantizedLayer]
    ) throws(Fault) {
        self.shape = shape.deployed
        self.normalisation = normalisation
        self.activationScales = activationScales
        self.layers = layers
        try normalisation.check(features: shape.inputs)
        try normalisation.check(outputs: shape.classes)
        let weighted = self.shape.weightedLayers
        guard activationScales.count == shape.scaleCount, layers.count == weighted.count else {
            throw Fault(
                .invalid,
                "a model of \(weighted.count) layers has \(layers.count) with weights, and"
                    + " \(activationScales.count) activation scales for \(shape.scaleCount)")
        }
        for (index, scale) in activationScales.enumerated() where !(scale > 0 && scale.isFinite) {
            throw Fault(
                .invalid,
                "the scale of \(self.shape.activationName(scale: index)) is \(scale), not positive")
        }
        for (layer, index) in zip(layers, weighted) { try check(layer, index) }
        for (index, layer) in self.shape.layers.enumerated() where layer.kind.hasEncoding {
            guard (scale(activation: index) / scale(activation: index + 1)).isFinite else {
                throw Fault(
                    .invalid, "the scale of layer \(index)'s output is too small for its input's")
            }
        }
    }

    /// The scale of activation `index`.
    package func scale(activation index: Int) -> Float {
        activationScales[shape.scaleIndex(activation: index)]
    }

    private func check(_ layer: QuantizedLayer, _ index: Int) throws(Fault) {
        let dimensions = shape.weightDimensions(layer: index) ?? []
        let outputs = dimensions[0]
        guard layer.weights.count == dimensions.reduce(1, *), layer.scales.count == outputs,
            layer.bias.count == outputs
        else {
            throw Fault(
                .invalid,
                "layer \(index) of \(dimensions) has \(layer.weights.count) weights,"
                    + " \(layer.scales.count) scales and \(layer.bias.count) biases"
            )
        }
        for (channel, scale) in layer.scales.enumerated() {
            // The factor that requantises this channel; an overflow would make it infinite and its
            // outputs NaN.
            let factor = self.scale(activation: index) * scale / self.scale(activation: index + 1)
            guard scale > 0, scale.isFinite, factor.isFinite else {
                throw Fault(
                    .invalid, "the weight scale of layer \(index), channel \(channel), is \(scale)")
            }
        }
        guard !layer.weights.contains(-128) else {
            throw Fault(.invalid, "layer \(index) has a weight of -128; weights are -127 to 127")
        }
        guard layer.bias.allSatisfy({ $0.magnitude <= QuantizedModel.largestBias.magnitude }) else {
            throw Fault(.invalid, "layer \(index) has a bias beyond \(QuantizedModel.largestBias)")
        }
    }

    /// The int8 rounding of fp32 parameters, in `StudentShape`'s order.
    ///
    /// Activation scales are exp of their logarithms, kept to a usable range.
    ///
    /// - Throws: `Fault.invalid`, naming the layer, when the count is wrong, a value is not finite
    ///   or a scale comes out unusable.
    package init(parameters: [Float], shape: StudentShape, normalisation: Normalisation)
        throws(Fault)
    {
        try checkParameters(parameters, shape: shape)
        let scales = parameters[shape.logScaleOffset...].map {
            LogScale.scale(LogScale.clamped($0))
        }
        let layers = shape.weightedLayers.map { layer in
            let ranges = shape.parameterRanges(layer: layer)
            var weights = Int8Weights(
                channels: ranges.bias.count, width: ranges.weights.count / ranges.bias.count)
            weights.quantise(
                weights: Array(parameters[ranges.weights]), bias: Array(parameters[ranges.bias]),
                inputScale: scales[shape.scaleIndex(activation: layer)])
            return QuantizedLayer(
                weights: weights.matrix.elements, scales: weights.scales, bias: weights.bias)
        }
        try self.init(
            shape: shape, normalisation: normalisation, activationScales: scales, layers: layers)
    }

    /// The parameter vector that this model stands for: its int8 rounding is this model again.
    package func dequantised() -> [Float] {
        var parameters: [Float] = []
        parameters.reserveCapacity(shape.parameterCount)
        for (index, layer) in layers.enumerated() {
            dequantiseWeights(index, channels: layer.scales.indices) { parameters.append($0) }
            parameters += dequantisedBias(index)
        }
        return parameters + logScales
    }

    /// Subtracts `dequantised()` from parameters.
    package func subtract(from parameters: inout [Float]) {
        var position = 0
        func subtract(_ value: Float) {
            parameters[position] -= value
            position += 1
        }
        for (index, layer) in layers.enumerated() {
            dequantiseWeights(index, channels: layer.scales.indices, subtract)
            for bias in dequantisedBias(index) { subtract(bias) }
        }
        for logScale in logScales { subtract(logScale) }
    }

    /// Calls `body` with each real weight of some channels of `layers[index]`, in order.
    func dequantiseWeights(_ index: Int, channels: Range<Int>, _ body: (Float) -> Void) {
        let layer = layers[index]
        let fanIn = layer.weights.count / layer.scales.count
        for channel in channels {
            let scale = layer.scales[channel]
            for weight in layer.weights[channel * fanIn..<(channel + 1) * fanIn] {
                body(Float(weight) * scale)
            }
        }
    }

    /// The real biases of `layers[index]`.
    func dequantisedBias(_ index: Int) -> [Float] {
        let inputScale = Double(scale(activation: shape.weightedLayers[index]))
        return zip(layers[index].bias, layers[index].scales).map { bias, scale in
            Float(Double(bias) * (inputScale * Double(scale)))
        }
    }

    /// The logarithms of the activation scales.
    var logScales: [Float] { activationScales.map { Float(log(Double($0))) } }
}

extension StudentShape {
    /// "the input" or "layer 0's output": what activation scale `index` belongs to.
    func activationName(scale index: Int) -> String {
        let layer = layers.indices.first { scaleIndex(activation: $0 + 1) == index }
        return index == 0 ? "the input" : "layer \(layer ?? layerCount)'s output"
    }
}

/// - Throws: `Fault.invalid` when `parameters` does not fit `shape` or holds a value that is not
///   finite, naming the layer.
func checkParameters(_ parameters: [Float], shape: StudentShape) throws(Fault) {
    guard parameters.count == shape.parameterCount else {
        throw Fault(
            .invalid,
            "\(parameters.count) parameters for a student that has \(shape.parameterCount)")
    }
    guard let bad = parameters.firstIndex(where: { !$0.isFinite }) else { return }
    let layer = shape.weightedLayers.first {
        bad < shape.parameterRanges(layer: $0).bias.upperBound
    }
    let place =
        layer.map { "a parameter of layer \($0)" }
        ?? "the scale of \(shape.activationName(scale: bad - shape.logScaleOffset))"
    throw Fault(.invalid, "\(place) is \(parameters[bad])")
}

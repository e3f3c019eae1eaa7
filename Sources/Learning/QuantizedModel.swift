package import Federation
import Glibc
import Kernels

/// One dense layer of an int8 model.
package struct QuantizedLayer: Sendable, Equatable {
    /// Outputs x inputs, row-major, in [-127, 127].
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

    /// Widths and activations.
    package var shape: StudentShape
    /// What is done to raw features first.
    package var normalisation: Normalisation
    /// One an activation: the input, then each layer's output. `shape.zeroPoint` has the zero
    /// points.
    package var activationScales: [Float]
    /// From input to output.
    package var layers: [QuantizedLayer]

    /// - Throws: `Fault.invalid`, naming the layer, when a size does not fit `shape`, a scale is
    ///   not finite and positive, a weight is -128, or a bias could overflow.
    package init(
        shape: StudentShape, normalisation: Normalisation, activationScales: [Float],
        layers: [QuantizedLayer]
    ) throws(Fault) {
        self.shape = shape
        self.normalisation = normalisation
        self.activationScales = activationScales
        self.layers = layers
        try normalisation.check(features: shape.inputs)
        guard activationScales.count == shape.widths.count, layers.count == shape.layerCount else {
            throw Fault(
                .invalid,
                "a model of \(shape.layerCount) layers has \(layers.count) and"
                    + " \(activationScales.count) activation scales"
            )
        }
        for (index, scale) in activationScales.enumerated() where !(scale > 0 && scale.isFinite) {
            throw Fault(.invalid, "the scale of \(activationName(index)) is \(scale), not positive")
        }
        for index in 0..<shape.layerCount { try check(layer: index) }
    }

    private func check(layer index: Int) throws(Fault) {
        let layer = layers[index]
        let (inputs, outputs) = (shape.widths[index], shape.widths[index + 1])
        guard layer.weights.count == inputs * outputs, layer.scales.count == outputs,
            layer.bias.count == outputs
        else {
            throw Fault(
                .invalid,
                "layer \(index) of \(outputs) x \(inputs) has \(layer.weights.count) weights,"
                    + " \(layer.scales.count) scales and \(layer.bias.count) biases"
            )
        }
        for (channel, scale) in layer.scales.enumerated() {
            // The factor that requantises this channel; an overflow would make it infinite and its
            // outputs NaN.
            let factor = activationScales[index] * scale / activationScales[index + 1]
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
            Float(exp(Double(LogScale.clamped($0))))
        }
        let layers = (0..<shape.layerCount).map { layer in
            let ranges = shape.parameterRanges(layer: layer)
            var weights = Int8Weights(channels: ranges.bias.count, width: shape.widths[layer])
            weights.quantise(
                weights: Array(parameters[ranges.weights]), bias: Array(parameters[ranges.bias]),
                inputScale: scales[layer])
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
            let inputs = shape.widths[index]
            for (channel, scale) in layer.scales.enumerated() {
                for weight in layer.weights[channel * inputs..<(channel + 1) * inputs] {
                    parameters.append(Float(weight) * scale)
                }
            }
            for (bias, scale) in zip(layer.bias, layer.scales) {
                let unit = Double(activationScales[index]) * Double(scale)
                parameters.append(Float(Double(bias) * unit))
            }
        }
        parameters += activationScales.map { Float(log(Double($0))) }
        return parameters
    }
}

/// "the input" or "layer 0's output".
private func activationName(_ index: Int) -> String {
    index == 0 ? "the input" : "layer \(index - 1)'s output"
}

/// - Throws: `Fault.invalid` when `parameters` does not fit `shape` or holds a value that is not
///   finite, naming the layer.
func checkParameters(_ parameters: [Float], shape: StudentShape) throws(Fault) {
    try shape.check()
    guard parameters.count == shape.parameterCount else {
        throw Fault(
            .invalid,
            "\(parameters.count) parameters for a student that has \(shape.parameterCount)")
    }
    guard let bad = parameters.firstIndex(where: { !$0.isFinite }) else { return }
    let layer = (0..<shape.layerCount).first {
        bad < shape.parameterRanges(layer: $0).bias.upperBound
    }
    let place =
        layer.map { "a parameter of layer \($0)" }
        ?? "the scale of \(activationName(bad - shape.logScaleOffset))"
    throw Fault(.invalid, "\(place) is \(parameters[bad])")
}

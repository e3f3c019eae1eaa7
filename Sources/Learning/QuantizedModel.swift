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
        guard layer.weights.smallest > -128 else {
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
        try checkCount(parameters, shape: shape)
        try self.init(
            shape: shape, normalisation: normalisation, parameters: { parameters[$0] })
    }

    /// The same of parameters that need not be in memory as a whole.
    ///
    /// - Parameter parameters: gives a run of them.
    /// - Throws: as above, and what `parameters` throws.
    package init(
        shape: StudentShape, normalisation: Normalisation,
        parameters: (Range<Int>) throws(Fault) -> ArraySlice<Float>
    ) throws(Fault) {
        func finite(_ range: Range<Int>) throws(Fault) -> [Float] {
            let values = Array(try parameters(range))
            try checkFinite(values, from: range.lowerBound, shape: shape)
            return values
        }
        let logScales = try parameters(shape.logScaleOffset..<shape.parameterCount)
        let scales = logScales.map { LogScale.scale(LogScale.clamped($0)) }
        var layers: [QuantizedLayer] = []
        for (layer, block) in zip(shape.weightedLayers, shape.weightBlocks) {
            let ranges = shape.parameterRanges(layer: layer)
            let channels = ranges.bias.count
            let width = ranges.weights.count / channels
            let bias = try finite(ranges.bias)
            var weights = Int8Weights(channels: channels, width: width)
            for first in stride(from: 0, to: channels, by: block.channels) {
                let some = first..<min(first + block.channels, channels)
                let start = ranges.weights.lowerBound + first * width
                weights.quantise(
                    some, weights: try finite(start..<start + some.count * width),
                    bias: Array(bias[some]), inputScale: scales[shape.scaleIndex(activation: layer)]
                )
            }
            layers.append(
                QuantizedLayer(
                    weights: weights.elements, scales: weights.scales, bias: weights.bias))
        }
        try checkFinite(Array(logScales), from: shape.logScaleOffset, shape: shape)
        try self.init(
            shape: shape, normalisation: normalisation, activationScales: scales, layers: layers)
    }

    /// The parameter vector that this model stands for: its int8 rounding is this model again.
    package func dequantised() -> [Float] {
        [Float](unsafeUninitializedCapacity: shape.parameterCount) { parameters, filled in
            for (index, layer) in layers.enumerated() {
                if let start = parameters.baseAddress {
                    dequantiseWeights(layer, into: start + filled)
                }
                filled += layer.weights.count
                filled = parameters[filled...].initialize(fromContentsOf: dequantisedBias(index))
            }
            filled = parameters[filled...].initialize(fromContentsOf: logScales)
        }
    }

    /// Subtracts `dequantised()` from parameters.
    package func subtract(from parameters: inout [Float]) {
        precondition(parameters.count >= shape.parameterCount)
        parameters.withUnsafeMutableBufferPointer { parameters in
            var position = 0
            for (index, layer) in layers.enumerated() {
                dequantiseWeights(index, channels: layer.scales.indices) { place, weight in
                    parameters[position + place] -= weight
                }
                position += layer.weights.count
                for bias in dequantisedBias(index) {
                    parameters[position] -= bias
                    position += 1
                }
            }
            for logScale in logScales {
                parameters[position] -= logScale
                position += 1
            }
        }
    }

    /// The real weights of some channels of `layers[index]`.
    func dequantisedWeights(_ index: Int, channels: Range<Int>) -> [Float] {
        let layer = layers[index]
        let count = channels.count * (layer.weights.count / layer.scales.count)
        return [Float](unsafeUninitializedCapacity: count) { values, filled in
            dequantiseWeights(index, channels: channels) { place, weight in
                values.initializeElement(at: place, to: weight)
            }
            filled = count
        }
    }

    /// Calls `body` with each real weight of some channels of `layers[index]` and its place among
    /// them, in order.
    @inline(__always)
    private func dequantiseWeights(
        _ index: Int, channels: Range<Int>, _ body: (Int, Float) -> Void
    ) {
        let layer = layers[index]
        let fanIn = layer.weights.count / layer.scales.count
        layer.weights.withUnsafeBufferPointer { weights in
            for (row, channel) in channels.enumerated() {
                let scale = layer.scales[channel]
                for place in 0..<fanIn {
                    body(row * fanIn + place, Float(weights[channel * fanIn + place]) * scale)
                }
            }
        }
    }

    /// Writes the real weights of a layer.
    private func dequantiseWeights(
        _ layer: QuantizedLayer, into output: UnsafeMutablePointer<Float>
    ) {
        let fanIn = layer.weights.count / layer.scales.count
        layer.weights.withUnsafeBufferPointer { weights in
            for (channel, scale) in layer.scales.enumerated() {
                let first = channel * fanIn
                CodecKernels.scale(
                    UnsafeBufferPointer(rebasing: weights[first..<first + fanIn]), by: scale,
                    into: output + first)
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

extension [Int8] {
    /// The least of them, or 0 where none is below; without a branch a value.
    fileprivate var smallest: Int8 {
        withUnsafeBufferPointer { values in
            var smallest: Int8 = 0
            for value in values { smallest = Swift.min(smallest, value) }
            return smallest
        }
    }
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
    try checkCount(parameters, shape: shape)
    try checkFinite(parameters, from: 0, shape: shape)
}

private func checkCount(_ parameters: [Float], shape: StudentShape) throws(Fault) {
    guard parameters.count == shape.parameterCount else {
        throw Fault(
            .invalid,
            "\(parameters.count) parameters for a student that has \(shape.parameterCount)")
    }
}

/// `values` are the parameters from `first` on.
private func checkFinite(_ values: [Float], from first: Int, shape: StudentShape) throws(Fault) {
    guard !CodecKernels.areFinite(values), let bad = values.firstIndex(where: { !$0.isFinite })
    else { return }
    let index = first + bad
    let layer = shape.weightedLayers.first {
        index < shape.parameterRanges(layer: $0).bias.upperBound
    }
    let place =
        layer.map { "a parameter of layer \($0)" }
        ?? "the scale of \(shape.activationName(scale: index - shape.logScaleOffset))"
    throw Fault(.invalid, "\(place) is \(values[bad])")
}

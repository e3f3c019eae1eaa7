/// The parameters that training starts from, of which a learner copies a piece at a time: a model's
/// need not all exist in fp32 at once.
enum StartingPoint: Sendable {
    /// In `shape`'s order; checked by the caller.
    case parameters([Float], shape: StudentShape)
    /// What an int8 model stands for.
    case model(QuantizedModel)
    /// Nothing, for what only counts its buffers.
    case nothing

    /// The weights of some output channels of the `index`th layer with weights, in ONNX's order.
    func weights(_ index: Int, channels: Range<Int>) -> [Float] {
        switch self {
        case .parameters(let parameters, let shape):
            let ranges = shape.parameterRanges(layer: shape.weightedLayers[index])
            let (start, fanIn) = (
                ranges.weights.lowerBound, ranges.weights.count / ranges.bias.count
            )
            return Array(
                parameters[
                    start + channels.lowerBound * fanIn..<start + channels.upperBound * fanIn])
        case .model(let model):
            return model.dequantisedWeights(index, channels: channels)
        case .nothing: return []
        }
    }

    func bias(_ index: Int) -> [Float] {
        switch self {
        case .parameters(let parameters, let shape):
            Array(parameters[shape.parameterRanges(layer: shape.weightedLayers[index]).bias])
        case .model(let model): model.dequantisedBias(index)
        case .nothing: []
        }
    }

    /// The logarithms of the activation scales, within their bounds.
    var logScales: [Float] {
        switch self {
        case .parameters(let parameters, let shape):
            parameters[shape.logScaleOffset...].map(LogScale.clamped)
        case .model(let model): model.logScales.map(LogScale.clamped)
        case .nothing: []
        }
    }

    var isNothing: Bool { if case .nothing = self { true } else { false } }

    /// All of it, in the shape's order.
    var vector: [Float] {
        switch self {
        case .parameters(let parameters, _): parameters
        case .model(let model): model.dequantised()
        case .nothing: []
        }
    }
}

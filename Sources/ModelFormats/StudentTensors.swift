import Federation
import Learning

/// The constants of a student's graph, in the order they are written.
enum StudentTensors {
    private typealias Name = StudentGraph.Name

    static func write(_ model: QuantizedModel) -> [OnnxFile.Tensor] {
        let shape = model.shape
        let normalisation = model.normalisation
        var tensors = [
            tensor(Name.offset, [normalisation.offset.count], normalisation.offset),
            tensor(Name.scale, [normalisation.scale.count], normalisation.scale),
            tensor(Name.shape, [4], dimensions(shape.activations[0])),
        ]
        for index in shape.activations.indices where shape.encoded(index) == index {
            let zeroPoint = Int8(shape.zeroPoint(activation: index))
            tensors += [
                tensor(Name.activationScale(index), [], [model.scale(activation: index)]),
                tensor(Name.activationZeroPoint(index), [], [zeroPoint]),
            ]
        }
        var weighted = model.layers[...]
        for index in shape.layers.indices {
            if let dimensions = shape.weightDimensions(layer: index),
                let layer = weighted.popFirst()
            {
                tensors += weights(
                    index, dimensions, layer.weights, scales: layer.scales, bias: layer.bias)
            } else {
                tensors += constants(of: model, layer: index)
            }
        }
        if let targets = normalisation.targets {
            tensors += [
                tensor(Name.targetScale, [targets.scale.count], targets.scale),
                tensor(Name.targetOffset, [targets.offset.count], targets.offset),
            ]
        }
        return tensors
    }

    /// A value's dimensions for Reshape; -1 leaves the number of examples to the input.
    static func dimensions(_ shape: TensorShape) -> [Int64] {
        [-1, Int64(shape.channels), Int64(shape.height), Int64(shape.width)]
    }

    /// The constants of a layer without weights of its own.
    private static func constants(
        of model: QuantizedModel, layer index: Int
    ) -> [OnnxFile.Tensor] {
        let output = model.shape.activations[index + 1]
        let channels = output.channels
        switch model.shape.layers[index].kind {
        case .flatten: return [tensor(Name.shape(index), [4], dimensions(output))]
        case .averagePool(let size, _):
            let scale = QuantizedModel.averageScale(size: size)
            return weights(
                index, [channels, 1] + size,
                [Int8](repeating: 1, count: channels * size[0] * size[1]),
                scales: [Float](repeating: scale, count: channels), bias: nil)
        case .add:
            guard let addition = model.addition(layer: index) else { return [] }
            return [
                tensor(Name.valuesScale(index), [], [addition.scale]),
                tensor(Name.valuesZeroPoint(index), [], [0 as Int8]),
            ]
                + weights(
                    index, [channels, 2 * channels, 1, 1],
                    weights(addition, channels: channels),
                    scales: [Float](repeating: QuantizedAddition.weightScale, count: channels),
                    bias: [Int32](repeating: addition.bias, count: channels))
        case .dense, .conv, .maxPool, .dropout: return []
        }
    }

    /// Output channel c is made of channel c of the input, which comes first, and of the addend.
    private static func weights(_ addition: QuantizedAddition, channels: Int) -> [Int8] {
        var weights = [Int8](repeating: 0, count: channels * 2 * channels)
        for channel in 0..<channels {
            let row = channel * 2 * channels
            weights[row + channel] = addition.inputWeight
            weights[row + channels + channel] = addition.addendWeight
        }
        return weights
    }

    private static func weights(
        _ layer: Int, _ dimensions: [Int], _ weights: [Int8], scales: [Float], bias: [Int32]?
    ) -> [OnnxFile.Tensor] {
        let outputs = dimensions[0]
        let tensors = [
            tensor(Name.weights(layer), dimensions, weights),
            tensor(Name.weightScales(layer), [outputs], scales),
            tensor(
                Name.weightZeroPoints(layer), [outputs], [Int8](repeating: 0, count: outputs)),
        ]
        return tensors + (bias.map { [tensor(Name.bias(layer), [outputs], $0)] } ?? [])
    }

    private static func tensor<Value: TensorElement>(
        _ name: String, _ dimensions: [Int], _ values: [Value]
    ) -> OnnxFile.Tensor {
        OnnxFile.Tensor(
            name: name, type: Value.elementType, dimensions: dimensions.map(Int64.init),
            data: rawBytes(values))
    }
}

package import Federation
import Kernels

extension StudentTrainer {
    /// The bytes that training a student holds at its peak: all of it is taken before the first
    /// step. The rows' order, 8 bytes an example of the data, comes on top.
    package static func plannedBytes(shape: StudentShape, training: TrainingPlan) -> Int {
        parameterBytes(shape: shape, training: training)
            + training.batchSize * bytesPerRow(shape: shape)
            + patchBytes(shape: shape, capacity: training.batchSize)
    }

    /// What does not depend on the batch: the parameters before and after, latent values, gradients
    /// and the optimiser's memory, and the rounded weights.
    private static func parameterBytes(shape: StudentShape, training: TrainingPlan) -> Int {
        var vectors = 5
        if case .adamW = training.optimizer { vectors += 1 }
        if training.proximalMu > 0 { vectors += 1 }
        let float = MemoryLayout<Float>.size
        return shape.weightedLayers.reduce(vectors * float * shape.parameterCount) { bytes, layer in
            let dimensions = shape.weightDimensions(layer: layer) ?? [0]
            let fanIn = dimensions.dropFirst().reduce(1, *)
            // The folded bias and the multiplier of each channel stand beside them.
            return bytes + Int8Weights.byteCount(channels: dimensions[0], width: fanIn)
                + dimensions[0] * 2 * float
        }
    }

    private static func bytesPerRow(shape: StudentShape) -> Int {
        let float = MemoryLayout<Float>.size
        let widest = shape.widths.max() ?? 0
        let layers = shape.layers.indices
        let encoded = layers.filter { shape.layers[$0].kind.hasEncoding }
            .map { shape.widths[$0 + 1] }
        let input = shape.activations[0]
        let isPermuted = input.channels > 1 && input.area > 1
        let addends = Set(layers.compactMap { shape.addend(layer: $0) })
        // Features and label; gradients by an output and by an input, and the input's values.
        var words = input.count + 1 + 3 * widest
        // Products, values before rounding, and what additions bring back.
        words += (encoded.max() ?? 0) + encoded.reduce(0, +) + (isPermuted ? input.count : 0)
        words += addends.reduce(0) { $0 + shape.widths[$1] }
        var bytes = shape.widths.reduce(0) { $0 + Int8Matrix.stride(width: $1) }
        for layer in layers {
            switch shape.layers[layer].kind {
            case .maxPool: words += shape.widths[layer + 1]
            case .dropout: bytes += shape.widths[layer]
            case .conv(let conv) where !conv.isDepthwise:
                guard let window = shape.window(layer: layer) else { continue }
                bytes += window.positions * Int8Matrix.stride(width: window.patchLength)
            case .dense, .conv, .averagePool, .flatten, .add: continue
            }
        }
        return bytes + float * words
    }

    private static func patchBytes(shape: StudentShape, capacity: Int) -> Int {
        let buffers = PatchBuffers(shape: shape, capacity: capacity)
        return MemoryLayout<Float>.size * (buffers.patches + buffers.images + buffers.outputs)
    }
}

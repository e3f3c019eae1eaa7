/// One `[[model.layers]]` or `[[teacher.layers]]` entry of a plan: a step of a network from its input to its output.
package struct LayerPlan: Sendable, Equatable {
    /// Names the layer in errors and in other layers' `from`; unique in a plan.
    package var name: String
    package var kind: LayerKind
    /// Whether training leaves the layer's weights, bias and output scale as they are: their part of an update is
    /// exactly zero.
    package var isFrozen: Bool
    /// Whether the layer's sums are normalised over the batch before its ReLU while the coordinator trains in fp32.
    /// Before anything is federated this is folded into the layer's weights and bias.
    package var hasBatchNorm: Bool

    package init(
        name: String, kind: LayerKind, isFrozen: Bool = false, hasBatchNorm: Bool = false
    ) {
        self.name = name
        self.kind = kind
        self.isFrozen = isFrozen
        self.hasBatchNorm = hasBatchNorm
    }

    /// Fully connected layers of these units with a ReLU after all but the last, named layer0, layer1 and so on.
    package static func dense(_ units: [Int]) -> [LayerPlan] {
        units.indices.map { index in
            LayerPlan(
                name: "layer\(index)",
                kind: .dense(units: units[index], relu: index + 1 < units.count))
        }
    }
}

/// What a layer computes.
package enum LayerKind: Sendable, Equatable {
    /// Fully connected; its input is flat: [features, 1, 1].
    case dense(units: Int, relu: Bool)
    case conv(ConvPlan)
    /// The largest of each window `size` [h, w], a window every `stride` [h, w]; no padding.
    case maxPool(size: [Int], stride: [Int])
    /// The mean of each window `size` [h, w], a window every `stride` [h, w]; no padding.
    case averagePool(size: [Int], stride: [Int])
    /// [C, H, W] to [C H W, 1, 1] in that order.
    case flatten
    /// Residual: the input plus the output of the earlier layer `from`, of the same shape.
    case add(from: String, relu: Bool)
    /// Training zeroes each value with probability `rate` and divides the others by 1 - rate; elsewhere nothing
    /// happens.
    case dropout(rate: Float)

    /// Whether the layer ends in a ReLU.
    package var hasReLU: Bool {
        switch self {
        case .dense(_, let relu), .add(_, let relu): relu
        case .conv(let plan): plan.relu
        case .maxPool, .averagePool, .flatten, .dropout: false
        }
    }

    /// Whether the layer has weights and a bias.
    package var hasWeights: Bool {
        switch self {
        case .dense, .conv: true
        case .maxPool, .averagePool, .flatten, .add, .dropout: false
        }
    }

    /// Whether the layer's output has a scale of its own; otherwise it shares its input's.
    package var hasEncoding: Bool {
        switch self {
        case .dense, .conv, .averagePool, .add: true
        case .maxPool, .flatten, .dropout: false
        }
    }
}

/// A convolution; one over time is a kernel [1, k] on [C, 1, W].
package struct ConvPlan: Sendable, Equatable {
    /// Output channels; of a depthwise convolution as many as the input's.
    package var channels: Int
    /// [h, w]
    package var kernel: [Int]
    /// [h, w]
    package var stride: [Int]
    /// Zeros on each side, [h, w].
    package var padding: [Int]
    /// Whether each channel has one filter of its own and sees no other channel.
    package var isDepthwise: Bool
    package var relu: Bool

    package init(
        channels: Int, kernel: [Int], stride: [Int] = [1, 1], padding: [Int] = [0, 0],
        isDepthwise: Bool = false, relu: Bool = true
    ) {
        self.channels = channels
        self.kernel = kernel
        self.stride = stride
        self.padding = padding
        self.isDepthwise = isDepthwise
        self.relu = relu
    }
}

/// The shape of one example's values: [channels, height, width].
package struct TensorShape: Sendable, Equatable, CustomStringConvertible {
    package var channels: Int
    package var height: Int
    package var width: Int

    package init(_ channels: Int, _ height: Int = 1, _ width: Int = 1) {
        self.channels = channels
        self.height = height
        self.width = width
    }

    /// Values an example.
    package var count: Int { channels * height * width }
    /// Positions of a channel.
    package var area: Int { height * width }
    /// Whether this is [features, 1, 1].
    package var isFlat: Bool { height == 1 && width == 1 }

    package var description: String { "[\(channels), \(height), \(width)]" }
}

import Federation
import Learning

/// Graphs that between them have every kind of layer, each small enough for finite differences.
enum Graphs {
    static func shape(_ input: TensorShape, _ kinds: [LayerKind]) throws(Fault) -> StudentShape {
        let layers = kinds.enumerated().map { LayerPlan(name: "l\($0)", kind: $1) }
        return try StudentShape(input: input, layers: layers)
    }

    /// Strides, padding on one side of use only, several channels, then a dense layer.
    static func convolutions() throws -> StudentShape {
        try shape(
            TensorShape(2, 6, 5),
            [
                .conv(
                    ConvPlan(channels: 3, kernel: [3, 2], stride: [2, 1], padding: [1, 0])),
                .conv(ConvPlan(channels: 4, kernel: [2, 3], padding: [0, 2], relu: false)),
                .flatten, .dense(units: 3, relu: false),
            ])
    }

    static func depthwise() throws -> StudentShape {
        try shape(
            TensorShape(3, 5, 4),
            [
                .conv(
                    ConvPlan(
                        channels: 3, kernel: [3, 3], stride: [1, 2], padding: [1, 1],
                        isDepthwise: true)),
                .conv(ConvPlan(channels: 4, kernel: [1, 1])),
                .averagePool(size: [2, 2], stride: [2, 1]), .flatten,
                .dense(units: 2, relu: false),
            ])
    }

    static func pools() throws -> StudentShape {
        try shape(
            TensorShape(2, 6, 6),
            [
                .conv(ConvPlan(channels: 2, kernel: [2, 2], relu: false)),
                .maxPool(size: [2, 3], stride: [1, 2]),
                .averagePool(size: [2, 2], stride: [2, 1]),
                .flatten, .dense(units: 2, relu: false),
            ])
    }

    /// Two additions of one layer's output, one of them across a pool of windows of one.
    static func residual() throws -> StudentShape {
        try shape(
            TensorShape(2, 4, 4),
            [
                .conv(ConvPlan(channels: 3, kernel: [3, 3], padding: [1, 1])),
                .conv(ConvPlan(channels: 3, kernel: [3, 3], padding: [1, 1], relu: false)),
                .add(from: "l0", relu: true), .maxPool(size: [1, 1], stride: [1, 1]),
                .add(from: "l0", relu: false), .flatten, .dense(units: 3, relu: false),
            ])
    }

    /// A kernel [1, k] on [channels, 1, samples].
    static func overTime() throws -> StudentShape {
        try shape(
            TensorShape(3, 1, 12),
            [
                .conv(ConvPlan(channels: 4, kernel: [1, 5], stride: [1, 2], padding: [0, 2])),
                .maxPool(size: [1, 2], stride: [1, 2]), .flatten, .dense(units: 4, relu: true),
                .dense(units: 2, relu: false),
            ])
    }

    static let all: [@Sendable () throws -> StudentShape] = [
        convolutions, depthwise, pools, residual, overTime,
    ]
}

/// Random parameters: weights of variance 2 / fan-in, small biases, and scales that fit inputs in
/// [0, 1] loosely, no two alike.
func graphParameters(_ shape: StudentShape, seed: UInt64) -> [Float] {
    var random = SeededRandom(seed: seed)
    var parameters = initialParameters(shape, random: &random)
    for layer in shape.weightedLayers {
        for index in shape.parameterRanges(layer: layer).bias {
            parameters[index] = Float(random.next() % 100) / 500 - 0.1
        }
    }
    for index in 0..<shape.scaleCount {
        let reach: Float = index == 0 ? 1 : 2 + Float(random.next() % 100) / 50
        parameters[shape.logScaleOffset + index] = -4.8 + reach / 3
    }
    return parameters
}

/// `rows` of raw bytes.
func randomBytes(_ shape: StudentShape, rows: Int, seed: UInt64) -> [Float] {
    var random = SeededRandom(seed: seed)
    return (0..<rows * shape.inputs).map { _ in Float(random.next() % 256) }
}

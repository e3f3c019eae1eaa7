import Federation
import Kernels
import Learning

/// Steps of quantisation-aware training of a small CNN on images of 28 x 28, in batches of 32.
/// train_step.py does the same with PyTorch in float32.
struct TrainingStep {
    static let steps = 100
    private static let batch = 32
    private static let layers = [
        LayerPlan(
            name: "conv1", kind: .conv(ConvPlan(channels: 16, kernel: [3, 3], padding: [1, 1]))),
        LayerPlan(name: "pool1", kind: .maxPool(size: [2, 2], stride: [2, 2])),
        LayerPlan(
            name: "conv2", kind: .conv(ConvPlan(channels: 32, kernel: [3, 3], padding: [1, 1]))),
        LayerPlan(name: "pool2", kind: .maxPool(size: [2, 2], stride: [2, 2])),
        LayerPlan(name: "flatten", kind: .flatten),
        LayerPlan(name: "dense1", kind: .dense(units: 64, relu: true)),
        LayerPlan(name: "dense2", kind: .dense(units: 10, relu: false)),
    ]

    private let shape: StudentShape
    private let parameters: [Float]
    private var images: RandomImages
    private var random = SeededRandom(seed: 1)

    init() throws {
        Blas.useOneThread()
        shape = try StudentShape(input: TensorShape(1, 28, 28), layers: Self.layers)
        parameters = initialParameters(shape, random: &random)
        images = RandomImages(count: Self.steps * Self.batch)
    }

    /// Trains for `steps` steps, always from the same parameters.
    mutating func run() throws {
        let plan = TrainingPlan(
            epochs: 1, batchSize: Self.batch, learningRate: 0.01,
            optimizer: .sgd(momentum: 0.9, nesterov: false))
        var trainer = StudentTrainer(
            shape: shape, normalisation: Normalisation(offset: [0], scale: [255]),
            parameters: parameters, training: plan)
        _ = try trainer.train(on: &images, random: &random) { _ throws(Fault) in true }
    }
}

/// Bytes that mean nothing: how long a step takes does not depend on them.
private struct RandomImages: ExampleSource {
    let count: Int
    let features = 784

    mutating func read(
        rows: ArraySlice<Int>, features output: inout [Float], labels: inout [Int32]
    ) throws(Fault) {
        for (offset, row) in rows.enumerated() {
            labels[offset] = Int32(row % 10)
            for column in 0..<features {
                output[offset * features + column] = Float((row &* 31 &+ column &* 17) & 255)
            }
        }
    }
}

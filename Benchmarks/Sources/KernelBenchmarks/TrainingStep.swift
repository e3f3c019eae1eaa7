import Federation
import Kernels
import Learning

/// Steps of quantisation-aware training on images of 28 x 28 bytes, in batches of 32. train_step.py
/// does the same with PyTorch in float32.
struct TrainingStep {
    /// What is trained.
    enum Student: String {
        /// The student of the `fashion` plan as devices train it, batch norm folded; with momentum.
        case cnn
        /// 784-128-10, without.
        case dense
    }

    static let steps = 100
    private static let batch = 32
    private static let convolutional = [
        LayerPlan(
            name: "conv1",
            kind: .conv(ConvPlan(channels: 8, kernel: [3, 3], stride: [2, 2], padding: [1, 1]))),
        LayerPlan(
            name: "conv2",
            kind: .conv(ConvPlan(channels: 16, kernel: [3, 3], stride: [2, 2], padding: [1, 1]))),
        LayerPlan(name: "flatten", kind: .flatten),
        LayerPlan(name: "dense1", kind: .dense(units: 128, relu: true)),
        LayerPlan(name: "dense2", kind: .dense(units: 10, relu: false)),
    ]
    private static let dense = [
        LayerPlan(name: "dense1", kind: .dense(units: 128, relu: true)),
        LayerPlan(name: "dense2", kind: .dense(units: 10, relu: false)),
    ]

    private let shape: StudentShape
    private let momentum: Float
    private let parameters: [Float]
    private var images: RandomImages
    private var random = SeededRandom(seed: 1)

    init(_ student: Student) throws {
        Blas.useOneThread()
        switch student {
        case .cnn:
            shape = try StudentShape(input: TensorShape(1, 28, 28), layers: Self.convolutional)
            momentum = 0.9
        case .dense:
            shape = try StudentShape(input: TensorShape(784, 1, 1), layers: Self.dense)
            momentum = 0
        }
        parameters = initialParameters(shape, random: &random)
        images = RandomImages(count: Self.steps * Self.batch)
    }

    /// Trains for `steps` steps, always from the same parameters.
    mutating func run() throws {
        let plan = TrainingPlan(
            epochs: 1, batchSize: Self.batch, learningRate: 0.01,
            optimizer: .sgd(momentum: momentum, nesterov: false))
        var trainer = StudentTrainer(
            shape: shape, normalisation: Normalisation(offset: [0], scale: [255]),
            parameters: parameters, training: plan)
        _ = try trainer.train(on: &images, random: &random) { _ throws(Fault) in true }
    }

    /// Steps a second.
    mutating func rate() throws -> Double {
        try run()
        let measurement = Measurement(operations: Double(Self.steps), repetitions: 11) {
            // The same call has just succeeded.
            try? run()
        }
        return measurement.median * 1e9
    }

    /// Steps a second if a dense student's products alone took time, those of bytes at `peak`
    /// operations a second and the gradient's, of 16 bits, at half of it.
    func limit(peak: Double) -> Double {
        let weights = zip(shape.widths, shape.widths.dropFirst()).reduce(0) { $0 + $1.0 * $1.1 }
        let product = 2 * Double(Self.batch * weights)
        return 1 / (product / peak + product / (peak / 2))
    }
}

/// Bytes that mean nothing: how long a step takes does not depend on them.
private struct RandomImages: ExampleSource {
    let count: Int
    let features = 784
    let holdsBytes = true
    private let pixels: [UInt8]

    init(count: Int) {
        self.count = count
        var random = SeededRandom(seed: 2)
        pixels = (0..<count * 784).map { _ in UInt8(truncatingIfNeeded: random.next() >> 56) }
    }

    mutating func read(
        rows: ArraySlice<Int>, features output: inout [Float], labels: inout [Int32]
    ) throws(Fault) {
        for (offset, row) in rows.enumerated() {
            labels[offset] = Int32(row % 10)
            for column in 0..<features {
                output[offset * features + column] = Float(pixels[row * features + column])
            }
        }
    }

    mutating func read(
        rows: ArraySlice<Int>, bytes: inout [UInt8], labels: inout [Int32]
    ) throws(Fault) {
        bytes.withUnsafeMutableBufferPointer { bytes in
            pixels.withUnsafeBufferPointer { pixels in
                for (offset, row) in rows.enumerated() {
                    labels[offset] = Int32(row % 10)
                    let place = offset * features..<(offset + 1) * features
                    _ = UnsafeMutableBufferPointer(rebasing: bytes[place]).update(
                        fromContentsOf: pixels[row * features..<(row + 1) * features])
                }
            }
        }
    }
}

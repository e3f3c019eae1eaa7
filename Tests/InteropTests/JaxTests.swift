import Federation
import Foundation
import Learning
import Testing

extension InteropTests {
    /// Backpropagation and the optimiser against JAX's automatic differentiation of the same
    /// formulas, written a second time in `jax_agreement.py`.
    ///
    /// The two differ by up to 3e-5 of a tensor's largest gradient in the weights, whose gradients by a
    /// layer's output are rounded to 16 bits, by 1e-5 in the scales, a step's own rounding, and by 1e-6
    /// in the biases; a seed is used with which no value lies just between two integers. Mistakes made in the script for a try came to much more: without
    /// LSQ's factor the scales' gradients differ by all they are; biases rounded down, or the last of
    /// equal values taken in a max pool, move those of the convolutions by a tenth; gradients let
    /// through above a clamp, or outputs beyond their range not called back, by as much as they are.
    @Suite("Training")
    struct JaxTests {
        @Test(
            "has JAX's gradients and makes JAX's steps",
            arguments: [
                ("fp32", StudentTrainer.Arithmetic.float32),
                ("int8", StudentTrainer.Arithmetic.int8),
            ])
        func agreement(name: String, arithmetic: StudentTrainer.Arithmetic) async throws {
            let finished = try await comparison(as: name, of: arithmetic)
            #expect(finished.status == 0, "\(finished)")
            #expect(finished.output.contains("5 steps of 6097 parameters: agreement"))
        }

        @Test("in integers is not that in fp32, which the comparison sees")
        func exchanged() async throws {
            let finished = try await comparison(as: "int8", of: .float32)
            #expect(finished.status == 1, "\(finished)")
            #expect(finished.output.contains("no agreement"))
        }

        private func comparison(
            as name: String, of arithmetic: StudentTrainer.Arithmetic
        ) async throws -> Finished {
            try await withTemporaryDirectory { directory in
                try JaxRun(arithmetic).write(to: directory)
                return try await run(
                    Checkout.venv("python"),
                    [Checkout.script("jax_agreement.py"), name, directory.path], seconds: 240)
            }
        }
    }
}

/// Some steps of the network that `jax_agreement.py` describes.
private struct JaxRun {
    private static let steps = 5
    private static let rows = 16
    private let arithmetic: StudentTrainer.Arithmetic
    private let shape: StudentShape
    private let pixels = Normalisation(offset: [0], scale: [255])
    private let data: Blobs

    init(_ arithmetic: StudentTrainer.Arithmetic) throws {
        self.arithmetic = arithmetic
        let kinds: [LayerKind] = [
            .conv(ConvPlan(channels: 8, kernel: [3, 3], padding: [1, 1])),
            .maxPool(size: [2, 2], stride: [2, 2]),
            .conv(ConvPlan(channels: 16, kernel: [3, 3])),
            .maxPool(size: [2, 2], stride: [2, 2]), .flatten, .dense(units: 32, relu: true),
            .dense(units: 4, relu: false),
        ]
        shape = try StudentShape(
            input: TensorShape(2, 16, 16),
            layers: kinds.enumerated().map { LayerPlan(name: "layer\($0)", kind: $1) })
        data = Blobs(Self.steps * Self.rows, features: shape.inputs, classes: shape.classes)
    }

    /// Writes batches, gradients and parameters as the script reads them.
    func write(to directory: URL) throws {
        let start = try firstParameters()
        var parameters = [start]
        var gradients: [[Float]] = []
        for step in 0..<Self.steps {
            gradients.append(try gradient(at: parameters[step], batch: step))
            // From the start each time, because a trainer forgets its momentum when it ends.
            let batches = 0..<step + 1
            parameters.append(
                try trained(start, on: batches, rate: 0.05, momentum: 0.9))
        }
        try save(parameters.joined(), "parameters.f32", in: directory)
        try save(gradients.joined(), "gradients.f32", in: directory)
        try save(data.values, "features.f32", in: directory)
        try save(data.classes, "labels.i32", in: directory)
    }

    /// Random weights, and biases and scales that make clamping happen at both ends.
    private func firstParameters() throws -> [Float] {
        var random = SeededRandom(seed: 62)
        var parameters = initialParameters(shape, random: &random)
        var data = data
        try calibrate(
            &parameters, shape: shape, normalisation: pixels, on: &data, random: &random)
        for layer in shape.weightedLayers {
            for index in shape.parameterRanges(layer: layer).bias {
                parameters[index] = Float(random.next() % 100) / 500 - 0.1
            }
        }
        for index in shape.logScaleOffset..<shape.parameterCount { parameters[index] -= 0.3 }
        return parameters
    }

    /// What one step without momentum moves, over its rate: a power of two, so that nothing but the
    /// subtraction rounds.
    private func gradient(at parameters: [Float], batch: Int) throws -> [Float] {
        let rate: Float = 64
        let moved = try trained(parameters, on: batch..<batch + 1, rate: rate, momentum: 0)
        return zip(parameters, moved).map { ($0 - $1) / rate }
    }

    private func trained(
        _ parameters: [Float], on batches: Range<Int>, rate: Float, momentum: Float
    ) throws -> [Float] {
        var training = TrainingPlan(
            epochs: 1, batchSize: Self.rows, learningRate: rate, momentum: momentum)
        training.balancesClasses = false
        var trainer = StudentTrainer(
            shape: shape, normalisation: pixels, parameters: parameters, training: training,
            arithmetic: arithmetic)
        var part = data
        part.rows = batches.lowerBound * Self.rows..<batches.upperBound * Self.rows
        var random = SeededRandom(seed: 52)
        _ = try trainer.train(on: &part, random: &random) { (_) throws(Fault) in true }
        return trainer.parameters
    }

    private func save<Value>(
        _ values: some Sequence<Value>, _ name: String, in directory: URL
    ) throws {
        try Data(Array(values).withUnsafeBytes { Data($0) })
            .write(to: directory.appending(path: name))
    }
}

/// Images of one bright spot a class in noise, handed out in their order, whichever are asked for.
private struct Blobs: ExampleSource {
    let features: Int
    private(set) var values: [Float] = []
    private(set) var classes: [Int32] = []
    /// Those that there are.
    var rows: Range<Int> { didSet { next = rows.lowerBound } }
    private var next = 0

    init(_ count: Int, features: Int, classes: Int) {
        self.features = features
        rows = 0..<count
        var random = SeededRandom(seed: 53)
        for _ in 0..<count {
            let label = Int(random.next() % UInt64(classes))
            self.classes.append(Int32(label))
            for pixel in 0..<features {
                let isBright = pixel * classes / features == label
                values.append(Float(random.next() % 120) + (isBright ? 100 : 0))
            }
        }
    }

    var count: Int { rows.count }

    mutating func read(
        rows: ArraySlice<Int>, features output: inout [Float], labels: inout [Int32]
    ) throws(Fault) {
        for position in rows.indices.map({ $0 - rows.startIndex }) {
            labels[position] = classes[next]
            for pixel in 0..<features {
                output[position * features + pixel] = values[next * features + pixel]
            }
            next = next + 1 == self.rows.upperBound ? self.rows.lowerBound : next + 1
        }
    }
}

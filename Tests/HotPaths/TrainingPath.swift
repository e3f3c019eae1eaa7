import Federation
import Kernels
import Learning

/// What a device of the workload in Benchmarks/workload.toml does in a round: 600 images of 784 bytes, one epoch in batches
/// of 32, a dense student 784-128-10.
enum TrainingPath {
    static let inputs = 784
    static let layers = [
        LayerPlan(name: "hidden", kind: .dense(units: 128, relu: true)),
        LayerPlan(name: "output", kind: .dense(units: 10, relu: false)),
    ]
    static let normalisation = Normalisation(offset: [0], scale: [255])

    static func run() throws {
        Blas.useOneThread()
        var random = SeededRandom(seed: 1)
        let shape = try StudentShape(input: TensorShape(inputs, 1, 1), layers: layers)
        var images = SeededImages(count: 600)
        var trainer = StudentTrainer(
            shape: shape, normalisation: normalisation,
            parameters: initialParameters(shape, random: &random),
            training: TrainingPlan(
                epochs: 1, batchSize: 32, learningRate: 0.1,
                optimizer: .sgd(momentum: 0, nesterov: false)))
        try countedWork {
            _ = try trainer.train(on: &images, random: &random) { _ throws(Fault) in true }
        }
        try expect(trainer.parameters.contains { $0 != 0 }, "nothing was learnt")
    }
}

/// Images that mean nothing: how much work they are does not depend on them. Bytes, as devices read an IDX file.
private struct SeededImages: ExampleSource {
    let count: Int
    let features = TrainingPath.inputs
    let holdsBytes = true

    mutating func read(
        rows: ArraySlice<Int>, features: inout [Float], labels: inout [Int32]
    ) throws(Fault) {
        throw Fault(.internal, "images are read as bytes")
    }

    mutating func read(
        rows: ArraySlice<Int>, bytes: inout [UInt8], labels: inout [Int32]
    ) throws(Fault) {
        for (offset, row) in rows.enumerated() {
            labels[offset] = Int32(row % 10)
            for column in 0..<features {
                bytes[offset * features + column] = UInt8(
                    truncatingIfNeeded: row &* 31 &+ column &* 17)
            }
        }
    }
}

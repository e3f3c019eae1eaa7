import Federation
import Kernels
import Learning
import Testing

/// Results of earlier versions, which a change of the code must not move unnoticed.
///
/// A teacher's products are OpenBLAS's, which adds in another order on another core type, and
/// exponentials are the C library's. So the bits are compared only where they were recorded;
/// elsewhere, and so everywhere, the values are.
@Suite("Golden results of dense students")
struct GoldenTests {
    private let plan: Plan
    private var data = Table.clusters(100, features: 12, classes: 3, seed: 5)

    init() throws {
        plan = try examplePlan(
            widths: [12, 16, 3],
            training: TrainingPlan(epochs: 3, batchSize: 8, learningRate: 0.05, momentum: 0.9))
    }

    private var isRecordedCore: Bool { Blas.selfTest().core == "Haswell" }

    @Test("the same seeds train the same parameters, which round to the same model")
    mutating func training() throws {
        let shape = try StudentShape(plan: plan)
        var trainer = StudentTrainer(
            shape: shape, normalisation: pixels, parameters: exampleParameters(shape, seed: 6),
            training: TrainingPlan(epochs: 3, batchSize: 7, learningRate: 0.05, momentum: 0.9))
        var random = SeededRandom(seed: 7)
        let report = try trainer.train(on: &data, random: &random, progress: always)
        #expect(abs(report.meanLoss - 0.055937942) < 1e-3)
        expectEveryFortieth(
            trainer.parameters,
            [
                0.4390302, -0.3847317, -0.7297142, 0.31652266, -0.13972783, 0.030958153, 0.32266417,
            ])
        guard isRecordedCore else { return }
        #expect(digest(trainer.parameters.map(\.bitPattern)) == "ace4347082f505e2")
        let model = try QuantizedModel(
            parameters: trainer.parameters, shape: shape, normalisation: pixels)
        #expect(digest(words(model)) == "bff6dff05741f7b4")
    }

    @Test("the same seeds distil the same first student")
    mutating func distillation() throws {
        var random = SeededRandom(seed: 8)
        let teacher = try Teacher.trained(
            plan: plan, on: &data, random: &random, progress: always)
        let first = try distil(
            teacher: teacher, plan: plan, on: &data, random: &random, progress: always)
        expectEveryFortieth(
            first,
            [
                -0.1979647, -0.039251186, -0.01652899, 0.831455, -0.13465044, 0.16442932,
                -0.5832192,
            ])
        guard isRecordedCore else { return }
        #expect(digest(first.map(\.bitPattern)) == "e90d51ef60ae80f")
    }

    private func expectEveryFortieth(_ values: [Float], _ expected: [Float]) {
        let sample = stride(from: 0, to: values.count, by: 40).map { values[$0] }
        #expect(sample.count == expected.count)
        #expect(zip(sample, expected).allSatisfy { abs($0 - $1) < 1e-2 })
    }

    private func words(_ model: QuantizedModel) -> [UInt32] {
        model.activationScales.map(\.bitPattern)
            + model.layers.flatMap { layer in
                layer.weights.map { UInt32(UInt8(bitPattern: $0)) }
                    + layer.scales.map(\.bitPattern) + layer.bias.map { UInt32(bitPattern: $0) }
            }
    }

    /// FNV-1a over little-endian words.
    private func digest(_ words: [UInt32]) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for word in words {
            for shift in stride(from: UInt32(0), to: 32, by: 8) {
                hash = (hash ^ UInt64(word >> shift & 255)) &* 0x100_0000_01b3
            }
        }
        return String(hash, radix: 16)
    }
}

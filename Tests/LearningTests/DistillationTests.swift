import Federation
import Learning
import Testing

@Suite("Teacher and first student")
struct DistillationTests {
    let plan: Plan
    var data: Table

    init() throws {
        plan = try examplePlan(
            widths: [12, 16, 3],
            training: TrainingPlan(epochs: 8, batchSize: 16, learningRate: 0.05, momentum: 0.9))
        data = Table.clusters(240, features: 12, classes: 3, seed: 9)
    }

    @Test("the teacher learns its data, and its logits do not depend on how many rows come at once")
    mutating func teacherLearns() throws {
        var random = SeededRandom(seed: 1)
        var teacher = try Teacher.trained(
            plan: plan, on: &data, random: &random, progress: always)
        #expect(try teacher.accuracy(on: &data) > 0.97)
        let together = teacher.logits(raw: data.values, rows: 100)
        #expect(together.count == 300)
        let alone = teacher.logits(raw: Array(data.values[12..<24]), rows: 1)
        for (one, other) in zip(alone, together[3..<6]) { #expect((one - other).magnitude < 1e-4) }
    }

    @Test("the first student is int8 from the start and does about as well as its teacher")
    mutating func studentLearns() throws {
        var random = SeededRandom(seed: 1)
        let teacher = try Teacher.trained(
            plan: plan, on: &data, random: &random, progress: always)
        let parameters = try distil(
            teacher: teacher, plan: plan, on: &data, random: &random, progress: always)
        let model = try QuantizedModel(
            parameters: parameters, shape: try StudentShape(plan: plan), normalisation: pixels)
        #expect(try accuracy(of: model, on: &data) > 0.95)
    }

    /// Images of 4 x 3 for the plan's rows, and a teacher that looks at neighbourhoods.
    private var imagePlan: Plan {
        var plan = plan
        plan.data.shape = [1, 4, 3]
        let stem = LayerKind.conv(ConvPlan(channels: 4, kernel: [3, 3], padding: [1, 1]))
        plan.teacher.layers = [
            LayerPlan(name: "stem", kind: stem, hasBatchNorm: true),
            LayerPlan(name: "pool", kind: .maxPool(size: [2, 1], stride: [2, 1])),
            LayerPlan(name: "flat", kind: .flatten),
            LayerPlan(name: "drop", kind: .dropout(rate: 0.25)),
            LayerPlan(name: "head", kind: .dense(units: 3, relu: false)),
        ]
        plan.layers = [
            LayerPlan(name: "stem", kind: stem, hasBatchNorm: true),
            LayerPlan(name: "flat", kind: .flatten),
            LayerPlan(name: "hidden", kind: .dense(units: 8, relu: true), hasBatchNorm: true),
            LayerPlan(name: "head", kind: .dense(units: 3, relu: false)),
        ]
        plan.distillation.warmUpEpochs = 4
        return plan
    }

    @Test("a convolutional teacher learns its data, its batch normalisation folded")
    mutating func convolutionalTeacher() throws {
        var random = SeededRandom(seed: 1)
        let teacher = try Teacher.trained(
            plan: imagePlan, on: &data, random: &random, progress: always)
        #expect(try teacher.accuracy(on: &data) > 0.97)
    }

    @Test("a student that warms up with batch normalisation comes without it")
    mutating func warmUp() throws {
        var random = SeededRandom(seed: 1)
        let plan = imagePlan
        let teacher = try Teacher.trained(
            plan: plan, on: &data, random: &random, progress: always)
        var shares: [Double] = []
        let parameters = try distil(
            teacher: teacher, plan: plan, on: &data, random: &random
        ) { (share) throws(Fault) in
            shares.append(share)
            return true
        }
        // Four epochs of twelve are the warm-up's.
        #expect(shares == shares.sorted())
        #expect(shares.contains { abs($0 - 1.0 / 3) < 1e-9 })
        #expect(shares.last == 1)
        let shape = try StudentShape(plan: plan)
        #expect(shape.layers.allSatisfy { !$0.hasBatchNorm })
        #expect(parameters.count == shape.parameterCount)
        let model = try QuantizedModel(
            parameters: parameters, shape: shape, normalisation: pixels)
        #expect(try accuracy(of: model, on: &data) > 0.95)
    }

    @Test("layers that rounds leave alone still learn from the teacher")
    mutating func frozen() throws {
        var random = SeededRandom(seed: 1)
        let teacher = try Teacher.trained(
            plan: plan, on: &data, random: &random, progress: always)
        var other = plan
        other.layers[0].isFrozen = true
        let students = try [plan, other].map { plan in
            var random = SeededRandom(seed: 2)
            return try distil(
                teacher: teacher, plan: plan, on: &data, random: &random, progress: always)
        }
        #expect(students[0] == students[1])
    }

    @Test("without a teacher the first student learns the plan's objective")
    mutating func withoutTeacher() throws {
        var autoencoder = plan
        autoencoder.layers = LayerPlan.dense([8, 12])
        autoencoder.training.objective = .reconstruction
        autoencoder.distillation.training = TrainingPlan(
            epochs: 20, batchSize: 16, learningRate: 0.01,
            optimizer: .adamW(beta1: 0.9, beta2: 0.999, epsilon: 1e-8))
        var random = SeededRandom(seed: 4)
        let parameters = try distil(
            teacher: nil, plan: autoencoder, on: &data, random: &random, progress: always)
        let model = try QuantizedModel(
            parameters: parameters, shape: try StudentShape(plan: autoencoder),
            normalisation: pixels)
        var predictor = Predictor(model)
        let scores = try predictor.anomalyScores(raw: data.values, rows: data.count)
        // What always giving each feature's mean would leave.
        let variance = (0..<12).reduce(Float(0)) { sum, column in
            let values = (0..<data.count).map { data.values[$0 * 12 + column] / 255 }
            let mean = values.reduce(0, +) / Float(data.count)
            return sum + values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
                / Float(12 * data.count)
        }
        #expect(scores.reduce(0, +) / Float(data.count) < 0.4 * variance)
    }

    @Test("a seed fixes teacher and student")
    mutating func deterministic() throws {
        var results: [[Float]] = []
        for _ in 0..<2 {
            var random = SeededRandom(seed: 3)
            let teacher = try Teacher.trained(
                plan: plan, on: &data, random: &random, progress: always)
            results.append(
                try distil(
                    teacher: teacher, plan: plan, on: &data, random: &random, progress: always))
        }
        #expect(results[0] == results[1])
    }

    @Test("a stop and unfit data are faults")
    mutating func faults() throws {
        var random = SeededRandom(seed: 1)
        let stopped = #expect(throws: Fault.self) {
            try Teacher.trained(plan: plan, on: &data, random: &random) {
                (share) throws(Fault) in false
            }
        }
        #expect(stopped?.code == .gone)
        var narrow = Table.clusters(10, features: 5, classes: 3, seed: 1)
        let unfit = #expect(throws: Fault.self) {
            try Teacher.trained(plan: plan, on: &narrow, random: &random, progress: always)
        }
        #expect(unfit?.code == .invalid)
    }
}

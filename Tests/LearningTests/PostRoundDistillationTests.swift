import Federation
import Learning
import Testing

@Suite("Distillation after a round")
struct PostRoundDistillationTests {
    private var plan: Plan
    private var training: Table
    private var heldOut: Table

    init() throws {
        plan = try examplePlan(
            widths: [12, 16, 3],
            training: TrainingPlan(epochs: 8, batchSize: 16, learningRate: 0.05, momentum: 0.9),
            alpha: 0)
        plan.distillation.postRoundEpochs = 5
        let all = Table.clusters(330, features: 12, classes: 3, seed: 9)
        training = all.rows(0..<240)
        heldOut = all.rows(240..<330)
    }

    private func teacher(of table: Table) throws -> Teacher {
        var (table, random) = (table, SeededRandom(seed: 1))
        return try Teacher.trained(plan: plan, on: &table, random: &random, progress: always)
    }

    /// A student that knows nothing, or one that learned from `teacher`.
    private func student(of teacher: Teacher?) throws -> [Float] {
        var (table, random) = (training, SeededRandom(seed: 2))
        if let teacher {
            return try distil(
                teacher: teacher, plan: plan, on: &table, random: &random, progress: always)
        }
        let shape = try StudentShape(plan: plan)
        var parameters = initialParameters(shape, random: &random)
        try calibrate(
            &parameters, shape: shape, normalisation: pixels, on: &table, random: &random)
        return parameters
    }

    private func run(
        _ moved: [Float], _ teacher: Teacher, plan other: Plan? = nil, seed: UInt64 = 3,
        arithmetic: StudentTrainer.Arithmetic = .int8
    ) throws -> PostRoundDistillation {
        var (training, heldOut, random) = (training, heldOut, SeededRandom(seed: seed))
        return try PostRoundDistillation(
            of: moved, teacher: teacher, plan: other ?? plan, arithmetic: arithmetic,
            on: &training, heldOut: &heldOut, random: &random)
    }

    private func int8Accuracy(_ parameters: [Float]) throws -> Double {
        var table = heldOut
        return try accuracy(
            of: QuantizedModel(
                parameters: parameters, shape: try StudentShape(plan: plan), normalisation: pixels),
            on: &table)
    }

    @Test(
        "is kept when the student is far below its teacher",
        arguments: [StudentTrainer.Arithmetic.int8, .float32])
    func accepted(arithmetic: StudentTrainer.Arithmetic) throws {
        let moved = try student(of: nil)
        let result = try run(moved, try teacher(of: training), arithmetic: arithmetic)
        #expect(result.trial.isAccepted)
        #expect(result.trial.accuracyBefore < 0.7 && result.trial.accuracyAfter > 0.9)
        #expect(result.parameters != moved)
        guard arithmetic == .int8 else { return }
        #expect(try int8Accuracy(moved) == result.trial.accuracyBefore)
        #expect(try int8Accuracy(result.parameters) == result.trial.accuracyAfter)
    }

    @Test("leaves every bit of a student that has passed its teacher")
    func refused() throws {
        var wrong = training
        wrong.classes = training.classes.map { ($0 + 1) % 3 }
        let moved = try student(of: try teacher(of: training))
        let result = try run(moved, try teacher(of: wrong))
        #expect(!result.trial.isAccepted)
        #expect(result.trial.accuracyBefore > 0.9 && result.trial.accuracyAfter < 0.5)
        #expect(result.parameters.map(\.bitPattern) == moved.map(\.bitPattern))
    }

    @Test("that changes no answer is not kept")
    func tie() throws {
        var still = plan
        still.distillation.training.learningRate = 1e-12
        let teacher = try teacher(of: training)
        let moved = try student(of: teacher)
        let result = try run(moved, teacher, plan: still)
        #expect(result.trial.accuracyBefore == result.trial.accuracyAfter)
        #expect(!result.trial.isAccepted && result.parameters == moved)
    }

    @Test("follows from its seed, and leaves frozen layers alone")
    func frozen() throws {
        let teacher = try teacher(of: training)
        let moved = try student(of: nil)
        #expect(try run(moved, teacher) == (try run(moved, teacher)))
        #expect(try run(moved, teacher, seed: 4) != (try run(moved, teacher)))
        var other = plan
        other.layers[0].isFrozen = true
        let result = try run(moved, teacher, plan: other)
        #expect(result.trial.isAccepted)
        let shape = try StudentShape(plan: plan)
        let first = shape.parameterRanges(layer: 0)
        #expect(result.parameters[first.weights] == moved[first.weights])
        #expect(result.parameters[first.bias] == moved[first.bias])
        let last = shape.parameterRanges(layer: 1).weights
        #expect(result.parameters[last] != moved[last])
    }

    @Test("refuses to decide by nothing, and weights that cannot be rounded")
    func faults() throws {
        let teacher = try teacher(of: training)
        var none = self
        none.heldOut = heldOut.rows(0..<0)
        let undecided = #expect(throws: Fault.self) {
            _ = try none.run(try student(of: nil), teacher)
        }
        #expect(undecided?.message.contains("held out") == true)
        var broken = try student(of: nil)
        broken[5] = .nan
        #expect(throws: Fault.self) { _ = try run(broken, teacher) }
    }
}

extension Table {
    /// Some rows of these.
    fileprivate func rows(_ range: Range<Int>) -> Table {
        Table(
            features: features,
            values: Array(values[range.lowerBound * features..<range.upperBound * features]),
            classes: Array(classes[range]))
    }
}

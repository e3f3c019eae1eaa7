import DataSets
package import Federation
package import Learning
import ModelFormats

/// The first student of a plan: distilled from a teacher that learned from the coordinator's own public data.
package struct FirstModel: Sendable {
    /// fp32 parameters of the student.
    package let parameters: [Float]
    /// On the test examples; nil without them, or without a teacher.
    package let teacherAccuracy: Double?
    /// What it was distilled from; nil without a teacher.
    package let teacher: Teacher?

    /// A stage of the work and how much of it is done, for people who wait.
    package enum Stage: String, Sendable {
        case teacher = "training the teacher"
        case distillation = "distilling the first student"
    }

    /// Trains the teacher and distils the student; minutes of arithmetic for large plans. A student that reconstructs
    /// its input learns from the public data alone.
    ///
    /// - Parameters:
    ///   - testDirectory: what the teacher is measured on; nil when nobody asks.
    ///   - progress: told the stage and its fraction done; returns false to give up.
    /// - Throws: `Fault` when the data or the teacher cannot be read, do not fit the plan, or are no longer wanted
    ///   (`gone`).
    package static func make(
        plan: Plan, publicDirectory: String, testDirectory: String?, seed: UInt64,
        arithmetic: StudentTrainer.Arithmetic = .int8,
        progress: @escaping @Sendable (Stage, Double) -> Bool
    ) throws(Fault) -> FirstModel {
        var lesson = try Lesson(
            plan: plan, teacher: .plan, publicDirectory: publicDirectory,
            testDirectory: testDirectory, seed: seed, progress: progress)
        return try lesson.student(arithmetic, progress: progress)
    }

    /// The student that `make` makes, and beside it one from the same teacher, weights and order of examples that was
    /// never rounded.
    ///
    /// - Throws: as `make`.
    package static func pair(
        plan: Plan, teacher: TeacherSource, publicDirectory: String, testDirectory: String,
        seed: UInt64, progress: @escaping @Sendable (Stage, Double) -> Bool
    ) throws(Fault) -> (int8: FirstModel, float32: FirstModel) {
        var lesson = try Lesson(
            plan: plan, teacher: teacher, publicDirectory: publicDirectory,
            testDirectory: testDirectory, seed: seed, progress: progress)
        return (
            int8: try lesson.student(.int8, progress: progress),
            float32: try lesson.student(.float32, progress: progress)
        )
    }

    /// Random weights, with activation scales measured on `examples`: what distillation starts from.
    ///
    /// - Throws: `Fault.invalid` when the examples do not fit the plan.
    package static func untrained(
        plan: Plan, on examples: inout some ExampleSource, seed: UInt64
    ) throws(Fault) -> FirstModel {
        var random = SeededRandom(seed: seed)
        let shape = try StudentShape(plan: plan)
        var parameters = initialParameters(shape, random: &random)
        try calibrate(
            &parameters, shape: shape, normalisation: Normalisation(plan: plan.data),
            on: &examples, random: &random)
        return FirstModel(parameters: parameters, teacherAccuracy: nil, teacher: nil)
    }

    /// What the student scores on test data.
    ///
    /// - Parameter arithmetic: rounded to int8 as it would be published, or as it is.
    /// - Throws: `Fault` when the data cannot be read or does not fit, or the student cannot be rounded.
    package func accuracy(
        plan: Plan, testDirectory: String, arithmetic: StudentTrainer.Arithmetic
    ) throws(Fault) -> Double {
        switch arithmetic {
        case .int8:
            return try testMeasure(
                of: try model(of: plan), plan: plan, testDirectory: testDirectory
            ).accuracy
        case .float32:
            let student = try FloatStudent(
                shape: try StudentShape(plan: plan), normalisation: Normalisation(plan: plan.data),
                parameters: parameters)
            var data = try DataSet.open(directory: testDirectory, plan: plan.data)
            return try student.measure(plan.training.objective, on: &data)
        }
    }

    /// The model file of the student's int8 rounding, as version 0 of `plan`.
    ///
    /// - Throws: `Fault.invalid` when it cannot be rounded.
    package func onnx(plan: Plan) throws(Fault) -> [UInt8] {
        try OnnxModel.encode(
            try model(of: plan),
            identity: ModelIdentity(of: plan, version: 0, round: 0, parent: nil))
    }

    private func model(of plan: Plan) throws(Fault) -> QuantizedModel {
        try QuantizedModel(
            parameters: parameters, shape: try StudentShape(plan: plan),
            normalisation: Normalisation(plan: plan.data))
    }
}

/// A teacher before its class: what students are distilled from.
private struct Lesson {
    private let plan: Plan
    private let teacher: Teacher?
    private let teacherAccuracy: Double?
    private var examples: PublicExamples
    /// Where every student's random numbers begin.
    private let random: SeededRandom

    init(
        plan: Plan, teacher source: TeacherSource, publicDirectory: String, testDirectory: String?,
        seed: UInt64, progress: @escaping @Sendable (FirstModel.Stage, Double) -> Bool
    ) throws(Fault) {
        self.plan = plan
        examples = try PublicExamples(directory: publicDirectory, plan: plan)
        var random = SeededRandom(seed: seed)
        teacher = try source.teacher(
            plan: plan, on: &examples.training, random: &random,
            progress: { fraction in progress(.teacher, fraction) })
        self.random = random
        if let teacher, let testDirectory {
            var testData = try DataSet.open(directory: testDirectory, plan: plan.data)
            teacherAccuracy = try teacher.accuracy(on: &testData)
        } else {
            teacherAccuracy = nil
        }
    }

    mutating func student(
        _ arithmetic: StudentTrainer.Arithmetic,
        progress: @escaping @Sendable (FirstModel.Stage, Double) -> Bool
    ) throws(Fault) -> FirstModel {
        var plan = plan
        // Without a teacher the student learns what agents will go on with.
        plan.distillation.training.objective = plan.training.objective
        var random = random
        let parameters = try distil(
            teacher: teacher, plan: plan, arithmetic: arithmetic, on: &examples.training,
            random: &random, progress: { fraction in progress(.distillation, fraction) })
        return FirstModel(
            parameters: parameters, teacherAccuracy: teacherAccuracy, teacher: teacher)
    }
}

/// What a model scores on the coordinator's test examples, in [0, 1], see `QuantizedModel.measure`; and how many they
/// are.
func testMeasure(
    of model: QuantizedModel, plan: Plan, testDirectory: String
) throws(Fault) -> (accuracy: Double, examples: Int) {
    var data = try DataSet.open(directory: testDirectory, plan: plan.data)
    return (try model.measure(plan.training.objective, on: &data), data.count)
}

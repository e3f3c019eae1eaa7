import DataSets
import Federation
import Learning

/// The first student of a plan: distilled from a teacher that learned from the coordinator's own public data.
struct FirstModel: Sendable {
    /// fp32 parameters of the student.
    let parameters: [Float]
    let teacherAccuracy: Double

    /// A stage of the work and how much of it is done, for people who wait.
    enum Stage: String, Sendable {
        case teacher = "training the teacher"
        case distillation = "distilling the first student"
    }

    /// Trains the teacher and distils the student; minutes of arithmetic for large plans.
    ///
    /// - Parameter progress: told the stage and its fraction done; returns false to give up.
    /// - Throws: `Fault` when the data cannot be read or no longer wanted (`gone`).
    static func make(
        plan: Plan, publicDirectory: String, testDirectory: String, seed: UInt64,
        progress: @escaping @Sendable (Stage, Double) -> Bool
    ) throws(Fault) -> FirstModel {
        var publicData = try DataSet.open(directory: publicDirectory, plan: plan.data)
        var testData = try DataSet.open(directory: testDirectory, plan: plan.data)
        var random = SeededRandom(seed: seed)
        let teacher = try Teacher.trained(
            plan: plan, on: &publicData, random: &random,
            progress: { fraction in progress(.teacher, fraction) })
        let teacherAccuracy = try teacher.accuracy(on: &testData)
        let parameters = try distil(
            teacher: teacher, plan: plan, on: &publicData, random: &random,
            progress: { fraction in progress(.distillation, fraction) })
        return FirstModel(parameters: parameters, teacherAccuracy: teacherAccuracy)
    }
}

/// Accuracy of a model on the coordinator's test examples, in [0, 1].
func testAccuracy(
    of model: QuantizedModel, plan: Plan, testDirectory: String
) throws(Fault) -> Double {
    var data = try DataSet.open(directory: testDirectory, plan: plan.data)
    return try accuracy(of: model, on: &data)
}

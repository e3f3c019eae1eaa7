package import Federation

/// The fp32 network from which the first student learns: of the same layers as a student, and not
/// rounded.
package struct Teacher: Sendable {
    private let model: FloatStudent
    private var network: FloatNetwork
    /// Rows that `network` has room for.
    private var capacity = 1

    /// A network trained here or elsewhere; it is fed what the plan's normalisation makes of raw
    /// features.
    ///
    /// - Parameter parameters: in the shape's order, batch normalisation folded into them.
    /// - Throws: `Fault.invalid` when the parameters do not fit the shape, or the normalisation does
    ///   not.
    package init(shape: StudentShape, parameters: [Float], data: DataPlan) throws(Fault) {
        model = try FloatStudent(
            shape: shape, normalisation: Normalisation(plan: data), parameters: parameters)
        network = FloatNetwork(
            shape: shape, normalisation: model.normalisation, capacity: capacity, seed: nil)
    }

    package var shape: StudentShape { model.shape }
    /// In the shape's order, batch normalisation folded into them.
    package var parameters: [Float] { model.parameters }
    /// Raw features a row.
    package var inputs: Int { model.shape.inputs }
    /// Outputs a row.
    package var classes: Int { model.shape.classes }

    /// Trains the network that `plan.teacher` describes, the learning rate falling to zero along a
    /// cosine.
    ///
    /// - Parameter progress: called with the finished share in [0, 1] every few batches; false
    ///   stops.
    /// - Throws: `Fault.invalid` when the layers or the data do not fit the plan, or training
    ///   diverged; `Fault.gone` when stopped; what reading and `progress` throw.
    package static func trained<Source: ExampleSource, Random: RandomSource>(
        plan: Plan, on source: inout Source, random: inout Random,
        progress: (Double) throws(Fault) -> Bool
    ) throws(Fault) -> Teacher {
        let shape = try StudentShape(teacher: plan.teacher.layers, data: plan.data)
        var training = plan.teacher.training
        training.schedule = .cosine
        var trainer = StudentTrainer(
            shape: shape, normalisation: Normalisation(plan: plan.data),
            parameters: initialParameters(shape, random: &random), training: training,
            arithmetic: .float32)
        _ = try trainer.run(
            CrossEntropy(classes: shape.classes), section: "teacher", on: &source, random: &random,
            progress: progress)
        return try Teacher(shape: shape, parameters: trainer.parameters, data: plan.data)
    }

    /// Logits [rows x classes] for raw features [rows x inputs].
    package mutating func logits(raw: [Float], rows: Int) -> [Float] {
        if rows > capacity {
            capacity = rows
            network = FloatNetwork(
                shape: model.shape, normalisation: model.normalisation, capacity: rows, seed: nil)
        }
        return model.outputs(raw: raw, rows: rows, network: &network)
    }

    /// The share of `source` whose class the teacher names.
    ///
    /// - Throws: `Fault.invalid` when the source does not fit; what reading throws.
    package func accuracy(on source: inout some ExampleSource) throws(Fault) -> Double {
        var teacher = self
        return try Learning.accuracy(on: &source, inputs: inputs, classes: classes) {
            teacher.logits(raw: $0.values, rows: $1)[...]
        }
    }
}

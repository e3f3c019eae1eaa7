import Federation
import Learning

/// The version that agents train from.
enum SimulatedModel: Sendable {
    /// What deployment serves: the int8 rounding of the master weights.
    case int8(QuantizedModel)
    /// The master weights themselves.
    case float32(FloatStudent, parameters: [Float])

    /// - Throws: `Fault.invalid` when `parameters` does not fit the plan or cannot be rounded.
    init(
        parameters: [Float], plan: Plan, arithmetic: StudentTrainer.Arithmetic
    ) throws(Fault) {
        let shape = try StudentShape(plan: plan)
        let normalisation = Normalisation(plan: plan.data)
        switch arithmetic {
        case .int8:
            self = .int8(
                try QuantizedModel(
                    parameters: parameters, shape: shape, normalisation: normalisation))
        case .float32:
            let student = try FloatStudent(
                shape: shape, normalisation: normalisation, parameters: parameters)
            self = .float32(student, parameters: parameters)
        }
    }

    /// The parameters that agents start from.
    var parameters: [Float] {
        switch self {
        case .int8(let model): model.dequantised()
        case .float32(_, let parameters): parameters
        }
    }

    /// As `QuantizedModel.measure`.
    ///
    /// - Throws: as there.
    func measure(
        _ objective: TrainingPlan.Objective, on examples: inout ExampleSubset
    ) throws(Fault) -> Double {
        switch self {
        case .int8(let model): try model.measure(objective, on: &examples)
        case .float32(let student, _): try student.measure(objective, on: &examples)
        }
    }
}

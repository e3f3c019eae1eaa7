import AgentSession
import Cryptography
import DataSets
import Federation
import Learning
import UpdateCodec

/// One assignment's work on this device: from the base model to an encoded update.
struct LocalTraining {
    private let assignment: RoundAssignment
    private let plan: Plan
    private let base: QuantizedModel
    private var trained: [Float] = []
    private var examples = 0

    /// - Parameters:
    ///   - plan: the plan that the assignment names.
    ///   - base: the verified base model.
    /// - Throws: `Fault.invalid` when the lattice does not fit the plan.
    init(_ assignment: RoundAssignment, plan: Plan, base: QuantizedModel) throws(Fault) {
        guard assignment.lattice.parameters == plan.parameterCount else {
            throw Fault(
                .invalid,
                "the round's lattice is for \(assignment.lattice.parameters) parameters, the plan"
                    + " has \(plan.parameterCount)")
        }
        self.assignment = assignment
        self.plan = plan
        self.base = base
    }

    /// Trains all epochs.
    ///
    /// - Parameter progress: called with the finished share; false stops.
    /// - Throws: `Fault.gone` when `progress` stopped it, otherwise what went wrong with the data.
    mutating func train(
        on data: inout DataSet, random: inout some RandomSource,
        progress: (Double) throws(Fault) -> Bool
    ) throws(Fault) -> TrainingReport {
        var trainer = try StudentTrainer(
            shape: StudentShape(plan: plan), model: base, training: plan.training)
        let report = try trainer.train(on: &data, random: &random, progress: progress)
        trained = trainer.parameters
        examples = data.count
        return report
    }

    /// Rounds the difference that training made to the round's lattice, once: each rounding reveals more.
    mutating func encode(
        deadline: MonotonicInstant, random: inout some RandomSource
    ) throws(Fault) -> (update: PendingUpdate, bytes: [UInt8]) {
        var delta: [Float] = []
        swap(&delta, &trained)
        delta.reserveCapacity(assignment.lattice.dimension)
        base.subtract(from: &delta)
        let encoded = try UpdateCodec.encode(
            delta: consume delta, lattice: assignment.lattice, random: &random)
        let bytes = packed(encoded.values)
        let update = PendingUpdate(
            plan: assignment.plan, at: assignment.at, baseVersion: assignment.base.version,
            latticeID: assignment.latticeID, submitToken: assignment.submitToken,
            examples: UInt64(min(examples, plan.round.maxExamples)),
            withinClip: encoded.withinClip, size: UInt64(bytes.count),
            digest: SHA256.digest(of: bytes), deadline: deadline)
        return (update, bytes)
    }
}

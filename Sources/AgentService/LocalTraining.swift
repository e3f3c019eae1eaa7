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
    /// What this device adds to its update; nil when the plan trusts the coordinator with it.
    private let noise: LocalNoise?
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
        noise = try LocalNoise(plan: plan, lattice: assignment.lattice)
        self.assignment = assignment
        self.plan = plan
        self.base = base
    }

    /// Why a device whose owner wants at least `localNoiseFloor` takes no part in `plan`; nil when
    /// it may.
    static func refusal(of plan: Plan, localNoiseFloor: Double) -> Fault? {
        let multiplier = plan.privacy?.localNoiseMultiplier ?? 0
        guard multiplier < localNoiseFloor else { return nil }
        return Fault(
            .forbidden,
            "the plan '\(plan.id)' has its agents add noise of multiplier \(multiplier), and this"
                + " device's floor is \(localNoiseFloor)",
            remedy: "the plan's author can raise local_noise_multiplier; the device's owner decides"
                + " on local_noise_floor in the agent's configuration")
    }

    /// Why a device whose owner gives training `memoryLimitMiB` takes no part in `plan`; nil when it may.
    static func refusal(of plan: Plan, examples: Int, memoryLimitMiB: Int?) -> Fault? {
        guard let memoryLimitMiB, let needed = plannedMiB(plan, examples: examples),
            needed > memoryLimitMiB
        else { return nil }
        return Fault(
            .exhausted,
            "training for the plan '\(plan.id)' allocates \(needed) MiB, and this device's limit is"
                + " \(memoryLimitMiB) MiB",
            remedy: "raise memory_mib in [limits] of the agent's configuration, or have the plan's"
                + " author set low_memory or smaller batches")
    }

    /// The MiB that a training session allocates at most; nil for a plan that cannot be trained.
    static func plannedMiB(_ plan: Plan, examples: Int) -> Int? {
        guard let shape = try? StudentShape(plan: plan),
            let bytes = try? StudentTrainer.plannedBytes(
                shape: shape, normalisation: Normalisation(plan: plan.data),
                training: plan.training, examples: examples)
        else { return nil }
        return (bytes + (1 << 20) - 1) >> 20
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

    /// Rounds the difference that training made to the round's lattice, and adds the device's own noise. Do it once: each
    /// rounding and each draw reveals more.
    ///
    /// Of what goes along with it, a private plan says nothing that it need not.
    mutating func encode(
        random: inout some RandomSource
    ) throws(Fault) -> (update: PendingUpdate, bytes: [UInt8], protection: SentUpdate.Protection) {
        var delta: [Float] = []
        swap(&delta, &trained)
        delta.reserveCapacity(assignment.lattice.dimension)
        base.subtract(from: &delta)
        let encoded = try UpdateCodec.encode(
            delta: consume delta, lattice: assignment.lattice, random: &random)
        let bytes = encoded.elements(noise: noise, random: &random).packed(on: assignment.lattice)
        let update = PendingUpdate(
            plan: assignment.plan, at: assignment.at, baseVersion: assignment.base.version,
            latticeID: assignment.latticeID, submitToken: assignment.submitToken,
            examples: UInt64(plan.disclosed(examples: min(examples, plan.round.maxExamples))),
            withinClip: plan.clipping.adaptive == nil || encoded.withinClip,
            size: UInt64(bytes.count), digest: SHA256.digest(of: bytes))
        let protection = SentUpdate.Protection(
            norm: Double(encoded.norm), clippingNorm: Double(assignment.lattice.clippingNorm),
            ownNoise: Double(noise?.sigma ?? 0) * Double(assignment.lattice.step),
            addedNoiseMultiplier: plan.privacy?.noiseMultiplier,
            targetEpsilon: plan.privacy?.target?.epsilon)
        return (update, bytes, protection)
    }
}

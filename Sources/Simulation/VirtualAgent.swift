import Aggregation
import Federation
import Learning
import UpdateCodec

/// An agent's part of a round, as a device does it.
struct VirtualAgent: Sendable {
    let plan: Plan
    /// The round's base model, and the parameters that it stands for.
    let base: SimulatedModel
    let start: [Float]
    let examples: ExampleSubset
    let arithmetic: StudentTrainer.Arithmetic

    /// What its update weighs in the round's sum.
    var weight: UInt64 {
        plan.updateWeight(examples: UInt64(min(examples.count, plan.round.maxExamples)))
    }

    /// What a device would submit: the trained change on `lattice`, with the noise that the plan has
    /// its agents add.
    ///
    /// - Throws: as `trained` and `UpdateCodec.encode`; `Fault.invalid` when that noise does not fit
    ///   the lattice.
    func update(
        on lattice: Lattice, random: inout AgentRandom
    ) throws(Fault) -> (elements: UpdateElements, withinClip: Bool) {
        let encoded = try UpdateCodec.encode(
            delta: try trained(room: lattice.dimension, random: &random), lattice: lattice,
            random: &random)
        let noise = try LocalNoise(plan: plan, lattice: lattice)
        return (encoded.elements(noise: noise, random: &random), encoded.withinClip)
    }

    /// The change that training on its examples makes to the parameters.
    ///
    /// - Parameter room: how many values the array is to have room for.
    /// - Throws: `Fault.invalid` when the examples do not fit the plan or training diverged.
    func trained(room: Int, random: inout AgentRandom) throws(Fault) -> [Float] {
        var trainer = try trainer()
        var examples = examples
        _ = try trainer.train(on: &examples, random: &random, progress: { _ in true })
        return trainer.parameters.withUnsafeBufferPointer { trained in
            start.withUnsafeBufferPointer { start in
                [Float](unsafeUninitializedCapacity: max(room, start.count)) { delta, count in
                    for index in 0..<start.count { delta[index] = trained[index] - start[index] }
                    count = start.count
                }
            }
        }
    }

    private func trainer() throws(Fault) -> StudentTrainer {
        let shape = try StudentShape(plan: plan)
        switch base {
        case .int8(let model):
            return try StudentTrainer(shape: shape, model: model, training: plan.training)
        case .float32(_, let parameters):
            return StudentTrainer(
                shape: shape, normalisation: Normalisation(plan: plan.data),
                parameters: parameters, training: plan.training, arithmetic: arithmetic)
        }
    }
}

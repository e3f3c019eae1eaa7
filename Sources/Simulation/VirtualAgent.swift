import Aggregation
import Federation
import Kernels
import Learning
import UpdateCodec

/// An agent's part of a round, as a device does it.
struct VirtualAgent: Sendable {
    let plan: Plan
    let shape: StudentShape
    /// What the round's base model stands for.
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
            from: start, to: try trained(random: &random), lattice: lattice, random: &random)
        let noise = try LocalNoise(plan: plan, lattice: lattice)
        return (encoded.elements(noise: noise, random: &random), encoded.withinClip)
    }

    /// The change that training on its examples makes to the parameters.
    ///
    /// - Throws: as `trained`.
    func change(random: inout AgentRandom) throws(Fault) -> [Float] {
        let trained = try trained(random: &random)
        return [Float](unsafeUninitializedCapacity: trained.count) { change, count in
            _ = CodecKernels.difference(trained, minus: start, into: change)
            count = trained.count
        }
    }

    /// What training on its examples makes of the parameters.
    ///
    /// - Throws: `Fault.invalid` when the examples do not fit the plan or training diverged.
    private func trained(random: inout AgentRandom) throws(Fault) -> [Float] {
        // All agents of a round begin with the same parameters: a device has them from its model
        // each time.
        var trainer = StudentTrainer(
            shape: shape, normalisation: Normalisation(plan: plan.data), parameters: start,
            training: plan.training, arithmetic: arithmetic)
        var examples = examples
        _ = try trainer.train(on: &examples, random: &random, progress: { _ in true })
        return trainer.parameters
    }
}

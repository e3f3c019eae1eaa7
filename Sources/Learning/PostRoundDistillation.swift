package import Federation

/// Distillation of a round's weights from the teacher, kept only if it helps.
///
/// A student that learned from agents may have passed its teacher, which then pulls it back. So
/// what comes out is used only if it is better in int8, on public examples that neither teacher
/// nor students ever learned from. These are not the test examples either: the accuracy that a
/// version is published with would flatter if anything were chosen by it.
///
/// It reads the released weights and the coordinator's public data and nothing of the agents', so
/// that it is post-processing: it costs no privacy, however often it is repeated.
package struct PostRoundDistillation: Sendable, Equatable {
    /// The share of the public data that is held out, once a plan wants any of this.
    package static let heldOutShare = 0.2

    /// What the round goes on with: the distilled parameters if they are better, otherwise those it
    /// came with, in every bit.
    package let parameters: [Float]
    package let trial: DistillationTrial

    /// Runs `plan.distillation.postRoundEpochs` epochs of the plan's distillation, the learning rate
    /// falling to zero along a cosine. Frozen layers stay as they are.
    ///
    /// The result follows from the arguments alone, so the step may be repeated after a crash.
    ///
    /// - Parameters:
    ///   - moved: the fp32 master weights after the server's step.
    ///   - arithmetic: int8 is what is deployed; in float32 the measure is not rounded either.
    ///   - training: what to learn from.
    ///   - heldOut: what decides.
    /// - Throws: `Fault.invalid` when nothing is held out, the data does not fit, `moved` cannot be
    ///   rounded or training diverged; what reading throws.
    package init(
        of moved: [Float], teacher: Teacher, plan: Plan,
        arithmetic: StudentTrainer.Arithmetic = .int8, on training: inout some ExampleSource,
        heldOut: inout some ExampleSource, random: inout some RandomSource
    ) throws(Fault) {
        try Self.requireHeldOut(heldOut)
        let shape = try StudentShape(plan: plan)
        let normalisation = Normalisation(plan: plan.data)
        let before = try heldOutAccuracy(
            moved, shape: shape, normalisation: normalisation, arithmetic: arithmetic,
            on: &heldOut)
        var epochs = plan.distillation.training
        epochs.epochs = plan.distillation.postRoundEpochs
        epochs.schedule = .cosine
        var trainer = StudentTrainer(
            shape: shape, normalisation: normalisation, parameters: moved, training: epochs,
            arithmetic: arithmetic)
        _ = try trainer.run(
            DistillationLoss(teacher: teacher, plan: plan.distillation), section: "distillation",
            on: &training, random: &random, progress: { (_) throws(Fault) in true })
        let after = try heldOutAccuracy(
            trainer.parameters, shape: shape, normalisation: normalisation, arithmetic: arithmetic,
            on: &heldOut)
        trial = DistillationTrial(accuracyBefore: before, accuracyAfter: after)
        parameters = trial.isAccepted ? trainer.parameters : moved
    }

    /// Checks that there is something to decide by.
    ///
    /// - Throws: `Fault.invalid` when `source` is empty.
    package static func requireHeldOut(_ source: some ExampleSource) throws(Fault) {
        guard source.count > 0 else {
            throw Fault(
                .invalid,
                "none of the public examples is held out to decide whether distillation helped",
                remedy: "give the coordinator more public data, or remove post_round_epochs")
        }
    }
}

private func heldOutAccuracy(
    _ parameters: [Float], shape: StudentShape, normalisation: Normalisation,
    arithmetic: StudentTrainer.Arithmetic, on source: inout some ExampleSource
) throws(Fault) -> Double {
    switch arithmetic {
    case .int8:
        let model = try QuantizedModel(
            parameters: parameters, shape: shape, normalisation: normalisation)
        return try accuracy(of: model, on: &source)
    case .float32:
        let student = try FloatStudent(
            shape: shape, normalisation: normalisation, parameters: parameters)
        return try student.accuracy(on: &source)
    }
}

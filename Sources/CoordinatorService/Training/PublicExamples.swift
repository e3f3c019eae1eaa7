package import DataSets
package import Federation
import Learning

/// The coordinator's own labelled examples for one plan.
package struct PublicExamples: Sendable {
    /// What teacher and students learn from.
    package var training: DataSet
    /// What decides whether distillation after a round helped; nil in a plan that does not want it, whose students learn
    /// from everything.
    package var heldOut: DataSet?

    /// Opens the plan's files in `directory`. An example stays in its part whatever is added.
    ///
    /// - Throws: `Fault` when they cannot be read or do not fit the plan, or when nothing is held out of what is needed to
    ///   decide.
    package init(directory: String, plan: Plan) throws(Fault) {
        let share = PostRoundDistillation.heldOutShare
        guard plan.distillation.postRoundEpochs > 0 else {
            training = try DataSet.open(directory: directory, plan: plan.data)
            return
        }
        let heldOut = try DataSet.open(directory: directory, plan: plan.data, part: .heldOut(share))
        try PostRoundDistillation.requireHeldOut(heldOut)
        self.heldOut = heldOut
        training = try DataSet.open(
            directory: directory, plan: plan.data, part: .training(heldOut: share))
    }
}

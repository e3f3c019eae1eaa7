/// What distillation after a round was measured by: the int8 accuracy, on public examples that nothing learned from, of
/// the round's weights and of those that were distilled from them.
package struct DistillationTrial: Sendable, Equatable {
    /// Of the weights the round made, in [0, 1].
    package let accuracyBefore: Double
    /// After distillation, in [0, 1].
    package let accuracyAfter: Double

    package init(accuracyBefore: Double, accuracyAfter: Double) {
        self.accuracyBefore = accuracyBefore
        self.accuracyAfter = accuracyAfter
    }

    /// Whether the distilled weights became the version's: only when they are better.
    package var isAccepted: Bool { accuracyAfter > accuracyBefore }
}

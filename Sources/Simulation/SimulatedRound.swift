package import Federation

/// What a round of a simulation did.
package struct SimulatedRound: Sendable, Equatable {
    /// From 1.
    package let number: Int
    /// Agents that took part, and those of them whose update counted.
    package let selected: Int
    package let reported: Int
    /// Updates that were not clipped, and the norm to which the others were.
    package let withinClip: Int
    package let clippingNorm: Float
    /// Why the first agent's update that is missing did not count.
    package let firstFault: Fault?
    /// On the test examples; nil without any, or when this round was not to be measured.
    package internal(set) var accuracy: Double?
    /// Spent so far; nil in a plan without privacy, or when this round was not to be measured.
    package let epsilon: Double?
    /// Of distillation after the round; nil when the plan does not want it.
    package let distillation: DistillationTrial?
    /// Whether a coordinator would not publish this version, since accuracy fell by more than the
    /// plan's `max_accuracy_drop` below that of the last version measured; the simulation goes on.
    package internal(set) var wouldBeRefused: Bool
}

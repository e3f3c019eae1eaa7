package import Federation
import Kernels

/// Moves the fp32 master weights by a round's average: FedAvg, or FedAvgM when the plan's momentum
/// is above 0.
///
/// With the average change m: v = b v - m; x = x - eta v (Hsu, Qi and Brown 2019, whose x -
/// x_average is -m).
package struct ServerOptimizer: Sendable {
    private let plan: ServerPlan
    /// The momentum's state, one value a parameter; belongs to a version like the master weights
    /// do.
    package private(set) var velocity: [Float]

    /// `velocity` is the parent version's, or empty for a plan's first round.
    package init(plan: ServerPlan, velocity: [Float]) {
        self.plan = plan
        self.velocity = velocity
    }

    /// One step; `average` has as many values as `master`.
    ///
    /// Each parameter's step is its own, so that a wide model's parameters may be moved some at a time, by an optimiser
    /// each.
    ///
    /// - Parameter first: the index of the first parameter, which a fault names.
    /// - Throws: `Fault.invalid` when a size differs or a value would not be finite; nothing has
    ///   changed then.
    package mutating func step(
        master: inout [Float], average: [Float], first: Int = 0
    ) throws(Fault) {
        guard average.count == master.count, velocity.isEmpty || velocity.count == master.count
        else {
            throw Fault(
                .invalid,
                "\(master.count) master weights, an average of \(average.count) and a "
                    + "velocity of \(velocity.count) do not fit")
        }
        let (moved, faster, areFinite) = ServerStep(
            momentum: plan.momentum, rate: plan.learningRate
        ).moved(master, velocity: velocity, along: average)
        guard areFinite else {
            let bad = moved.indices.first { !moved[$0].isFinite || !faster[$0].isFinite } ?? 0
            throw Fault(
                .invalid, "the server's step makes parameter \(first + bad) \(moved[bad])",
                remedy: "lower the server's learning rate, or the clipping norm")
        }
        master = moved
        velocity = faster
    }
}

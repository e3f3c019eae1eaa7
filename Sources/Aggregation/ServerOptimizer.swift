package import Federation

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
    /// - Throws: `Fault.invalid` when a size differs or a value would not be finite; nothing has
    ///   changed then.
    package mutating func step(master: inout [Float], average: [Float]) throws(Fault) {
        guard average.count == master.count, velocity.isEmpty || velocity.count == master.count
        else {
            throw Fault(
                .invalid,
                "\(master.count) master weights, an average of \(average.count) and a "
                    + "velocity of \(velocity.count) do not fit")
        }
        var moved = master
        var faster = velocity.isEmpty ? [Float](repeating: 0, count: master.count) : velocity
        for index in moved.indices {
            faster[index] = plan.momentum * faster[index] - average[index]
            moved[index] -= plan.learningRate * faster[index]
            guard moved[index].isFinite, faster[index].isFinite else {
                throw Fault(
                    .invalid, "the server's step makes parameter \(index) \(moved[index])",
                    remedy: "lower the server's learning rate, or the clipping norm")
            }
        }
        master = moved
        velocity = faster
    }
}

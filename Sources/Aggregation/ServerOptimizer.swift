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
        var faster: [Float] = []
        var areFinite = true
        let moved = [Float](unsafeUninitializedCapacity: master.count) { moved, count in
            faster = [Float](unsafeUninitializedCapacity: master.count) { faster, count in
                areFinite = move(master, to: moved, faster, by: average)
                count = master.count
            }
            count = master.count
        }
        guard areFinite else {
            let bad = moved.indices.first { !moved[$0].isFinite || !faster[$0].isFinite } ?? 0
            throw Fault(
                .invalid, "the server's step makes parameter \(first + bad) \(moved[bad])",
                remedy: "lower the server's learning rate, or the clipping norm")
        }
        master = moved
        velocity = faster
    }

    /// Writes what equally many weights and velocities become, without a branch a value.
    ///
    /// - Returns: whether all of them are finite.
    private func move(
        _ master: [Float], to weights: UnsafeMutableBufferPointer<Float>,
        _ velocities: UnsafeMutableBufferPointer<Float>, by average: [Float]
    ) -> Bool {
        let (momentum, rate) = (plan.momentum, plan.learningRate)
        // All bits of the exponent, which only infinities and what is no number have.
        let exponent: UInt32 = 0x7f80_0000
        var notFinite: UInt32 = 0
        master.withUnsafeBufferPointer { master in
            average.withUnsafeBufferPointer { average in
                velocity.withUnsafeBufferPointer { before in
                    for index in 0..<master.count {
                        let last = before.isEmpty ? 0 : before[index]
                        let velocity = momentum * last - average[index]
                        let weight = master[index] - rate * velocity
                        velocities[index] = velocity
                        weights[index] = weight
                        notFinite |= velocity.bitPattern & exponent == exponent ? 1 : 0
                        notFinite |= weight.bitPattern & exponent == exponent ? 1 : 0
                    }
                }
            }
        }
        return notFinite == 0
    }
}

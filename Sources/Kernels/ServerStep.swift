import CKernels

/// How a server moves its weights along a round's average change.
package struct ServerStep: Sendable {
    private let momentum: Float
    private let rate: Float

    package init(momentum: Float, rate: Float) {
        self.momentum = momentum
        self.rate = rate
    }

    /// What weights become, w - rate v, and their velocity, v = momentum * `velocity` - `average`.
    ///
    /// - Parameter velocity: empty for zeros; otherwise, like `average`, as many as `weights`.
    /// - Returns: both, and whether all of them are finite.
    package func moved(
        _ weights: [Float], velocity: [Float], along average: [Float]
    ) -> (weights: [Float], velocity: [Float], areFinite: Bool) {
        let count = weights.count
        precondition(average.count == count && (velocity.isEmpty || velocity.count == count))
        var areFinite = true
        var faster: [Float] = []
        let moved = [Float](unsafeUninitializedCapacity: count) { moved, filled in
            faster = [Float](unsafeUninitializedCapacity: count) { faster, filled in
                areFinite = move(weights, velocity, average, to: moved, faster)
                filled = count
            }
            filled = count
        }
        return (moved, faster, areFinite)
    }

    private func move(
        _ weights: [Float], _ velocity: [Float], _ average: [Float],
        to moved: UnsafeMutableBufferPointer<Float>, _ faster: UnsafeMutableBufferPointer<Float>
    ) -> Bool {
        weights.withUnsafeBufferPointer { weights in
            velocity.withUnsafeBufferPointer { velocity in
                average.withUnsafeBufferPointer { average in
                    var step = ck_momentum_step(
                        weights: weights.baseAddress,
                        velocities: velocity.isEmpty ? nil : velocity.baseAddress,
                        average: average.baseAddress, count: weights.count, momentum: momentum,
                        rate: rate)
                    return ck_step_with_momentum(
                        CPU.preferred, &step, moved.baseAddress, faster.baseAddress)
                }
            }
        }
    }
}

import Aggregation
import Federation
import UpdateCodec

/// What has come in of a round; of an exact sum the order of arrival leaves no trace.
struct Contributions: Sendable {
    private enum Sum: Sendable {
        case exact(ExactSum)
        case float(FloatSum)
    }
    private var sum: Sum
    /// Updates that were folded, and those of them that were not clipped.
    private(set) var count = 0
    private(set) var withinClip = 0
    var failures = FirstFault()
    /// Checked and counted, but not yet in the sum.
    private var pending: [CheckedUpdate] = []
    /// Bytes of updates that are folded together: what a processor's second cache holds besides the
    /// part of the sum that they are added to.
    private static let enough = 1 << 19

    init(_ sum: ExactSum) { self.sum = .exact(sum) }
    init(_ sum: FloatSum) { self.sum = .float(sum) }

    /// Adds an update that the exact sum's check has passed.
    ///
    /// - Throws: as `ExactSum.fold`.
    mutating func fold(
        _ update: CheckedUpdate, withinClip: Bool
    ) throws(UpdateRejectionError) {
        pending.append(update)
        count += 1
        self.withinClip += withinClip ? 1 : 0
        guard case .exact(let exact) = sum else { return }
        if pending.count * exact.lattice.dimension >= Self.enough { try foldPending() }
    }

    /// Adds what was only kept so far; after the last update.
    ///
    /// - Throws: as `ExactSum.fold`.
    mutating func foldPending() throws(UpdateRejectionError) {
        guard !pending.isEmpty else { return }
        guard case .exact(var exact) = sum else { preconditionFailure("the sum has no lattice") }
        // While `sum` holds the array too, adding to it would copy it.
        sum = .float(FloatSum(parameters: 0, clippingNorm: 0))
        defer { sum = .exact(exact) }
        try exact.fold(pending)
        pending.removeAll(keepingCapacity: true)
    }

    /// Adds an update to a sum of floats.
    mutating func fold(_ delta: [Float], weight: UInt64) {
        guard case .float(var float) = sum else { preconditionFailure("the sum has a lattice") }
        sum = .float(FloatSum(parameters: 0, clippingNorm: 0))
        withinClip += float.fold(delta, weight: weight) ? 1 : 0
        count += 1
        sum = .float(float)
    }

    /// The average change of the parameters, with the plan's noise, and C of the next round.
    ///
    /// - Throws: as `aggregate`.
    func released(
        plan: Plan, noise random: inout SeededRandom
    ) throws(Fault) -> (average: [Float], nextClippingNorm: Float) {
        switch sum {
        case .exact(let sum):
            let released = try aggregate(sum: sum, plan: plan, noise: &random)
            return (released.average, released.nextClippingNorm)
        case .float(let sum):
            let average = try sum.average(plan: plan, noise: &random)
            return (
                average,
                try nextClippingNorm(
                    after: sum.clippingNorm, plan: plan, withinClip: withinClip, count: count,
                    noise: &random)
            )
        }
    }
}

/// Of several failures the one with the lowest index, whichever came first.
struct FirstFault: Sendable {
    private var index = Int.max
    private(set) var fault: Fault?

    mutating func note(_ fault: Fault, at index: Int) {
        guard index < self.index else { return }
        self.index = index
        self.fault = fault
    }
}

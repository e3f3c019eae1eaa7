package import Federation
import Kernels
package import UpdateCodec

/// An update that may not be folded into a sum; the sum is unchanged and the round goes on.
package struct UpdateRejectionError: Error, Equatable {
    package let reason: UpdateRejection

    package init(reason: UpdateRejection) { self.reason = reason }
}

extension Plan {
    /// The most one update may weigh in a sum: 1 in a private plan, else the examples one agent may
    /// count for.
    package var maxUpdateWeight: UInt64 {
        privacy == nil ? UInt64(max(0, round.maxExamples)) : 1
    }

    /// What an update trained on `examples` weighs: 1 in a private plan, whose sensitivity must not
    /// depend on the data.
    package func updateWeight(examples: UInt64) -> UInt64 { privacy == nil ? examples : 1 }
}

/// An update that a sum has looked at, and that may be folded into it without a second look.
package struct CheckedUpdate: Sendable {
    fileprivate let elements: UpdateElements
    fileprivate let weight: UInt64
    fileprivate let withinClip: Bool
}

/// What an update must be to go into a sum. It holds nothing of the sum, so that one can be looked at while another is added.
package struct UpdateCheck: Sendable {
    fileprivate let lattice: Lattice
    fileprivate let maxWeight: UInt64

    /// Looks at an update that is to count `weight` times.
    ///
    /// - Parameter withinClip: what its agent says of it, whether it was not clipped.
    /// - Throws: `wrongDimension` when there are not D values, `normBound` when the lattice does
    ///   not admit them, `tooManyExamples` when `weight` exceeds the most one update may weigh,
    ///   `malformed` when it is 0.
    package func checked(
        _ elements: UpdateElements, weight: UInt64, withinClip: Bool
    ) throws(UpdateRejectionError) -> CheckedUpdate {
        guard elements.count == lattice.dimension else {
            throw UpdateRejectionError(reason: .wrongDimension)
        }
        guard weight > 0 else { throw UpdateRejectionError(reason: .malformed) }
        guard weight <= maxWeight else { throw UpdateRejectionError(reason: .tooManyExamples) }
        guard lattice.admits(elements) else { throw UpdateRejectionError(reason: .normBound) }
        return CheckedUpdate(elements: elements, weight: weight, withinClip: withinClip)
    }
}

/// The sum of a round's updates, each times its weight, in exact integers: the order of arrival
/// leaves no trace.
package struct ExactSum: Sendable {
    /// No sum leaves +-2^62, because |sum| <= the largest element * totalWeight and the total weight
    /// stops there; noise has as much room again.
    private var largestTotalWeight: UInt64 { (1 << 62) / UInt64(lattice.largestMagnitude) }

    /// The lattice all of the updates are on.
    package let lattice: Lattice
    /// Updates folded, and those of them that were not clipped.
    package private(set) var count = 0
    package private(set) var withinClip = 0
    /// The sum of their weights.
    package private(set) var totalWeight: UInt64 = 0
    /// D sums, in lattice steps.
    package private(set) var sums: [Int64]
    private let maxWeight: UInt64

    /// An empty sum on `lattice`; no update may weigh more than `maxWeight`
    /// (`Plan.maxUpdateWeight`).
    package init(lattice: Lattice, maxWeight: UInt64) {
        self.lattice = lattice
        self.maxWeight = maxWeight
        sums = [Int64](repeating: 0, count: lattice.dimension)
    }

    /// Looks at updates for this sum.
    package var check: UpdateCheck { UpdateCheck(lattice: lattice, maxWeight: maxWeight) }

    /// Looks at an update that is to count `weight` times.
    ///
    /// - Throws: as `UpdateCheck.checked`.
    package func checked(
        _ elements: UpdateElements, weight: UInt64, withinClip: Bool
    ) throws(UpdateRejectionError) -> CheckedUpdate {
        try check.checked(elements, weight: weight, withinClip: withinClip)
    }

    /// Adds an update that `checked` gave.
    ///
    /// - Throws: `tooManyExamples` when its weight exceeds what the sum still holds.
    package mutating func fold(_ update: CheckedUpdate) throws(UpdateRejectionError) {
        guard update.weight <= largestTotalWeight - totalWeight else {
            throw UpdateRejectionError(reason: .tooManyExamples)
        }
        switch update.elements {
        case .int8(let values):
            Accumulate.add(values, weight: Int64(update.weight), into: &sums)
        case .wide(let values):
            for (index, value) in values.enumerated() {
                sums[index] += Int64(update.weight) * value
            }
        }
        count += 1
        withinClip += update.withinClip ? 1 : 0
        totalWeight += update.weight
    }

    /// Checks an update of the int8 lattice and adds it.
    ///
    /// - Throws: as `checked` and `fold`.
    package mutating func fold(
        _ values: [Int8], weight: UInt64, withinClip: Bool = true
    ) throws(UpdateRejectionError) {
        try fold(try checked(.int8(values), weight: weight, withinClip: withinClip))
    }

    /// Adds noise, one integer a coordinate.
    package mutating func addNoise(_ noise: [Int64]) {
        precondition(noise.count == sums.count, "noise and sum differ in length")
        for (index, value) in noise.enumerated() { sums[index] += value }
    }
}

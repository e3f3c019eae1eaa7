package import Federation
import Kernels
import UpdateCodec

/// An update that may not be folded into a sum; the sum is unchanged and the round goes on.
package struct UpdateRejectionError: Error, Equatable {
    package let reason: UpdateRejection
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

/// The sum of a round's updates, each times its weight, in exact integers: the order of arrival
/// leaves no trace.
package struct ExactSum: Sendable {
    /// No sum leaves +-2^62, because |sum| <= 127 * totalWeight and the total weight stops here;
    /// noise has as much room again.
    private static let largestTotalWeight: UInt64 = (1 << 62) / 127

    /// The lattice all of the updates are on.
    package let lattice: Lattice
    /// Updates folded.
    package private(set) var count = 0
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

    /// Adds `weight` times `values`.
    ///
    /// - Throws: `wrongDimension` when there are not D values, `normBound` when the lattice does
    ///   not admit them, `tooManyExamples` when `weight` exceeds the most one update may weigh or
    ///   what the sum still holds, `malformed` when it is 0.
    package mutating func fold(
        _ values: [Int8], weight: UInt64
    ) throws(UpdateRejectionError) {
        guard values.count == lattice.dimension else {
            throw UpdateRejectionError(reason: .wrongDimension)
        }
        guard weight > 0 else { throw UpdateRejectionError(reason: .malformed) }
        guard weight <= maxWeight, weight <= ExactSum.largestTotalWeight - totalWeight else {
            throw UpdateRejectionError(reason: .tooManyExamples)
        }
        guard lattice.admits(values) else { throw UpdateRejectionError(reason: .normBound) }
        Accumulate.add(values, weight: Int64(weight), into: &sums)
        count += 1
        totalWeight += weight
    }

    /// Adds noise, one integer a coordinate.
    package mutating func addNoise(_ noise: [Int64]) {
        precondition(noise.count == sums.count, "noise and sum differ in length")
        for (index, value) in noise.enumerated() { sums[index] += value }
    }
}

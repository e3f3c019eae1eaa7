package import Federation
package import Privacy
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
    fileprivate enum Elements: Sendable {
        /// Of the int8 lattice, as they came.
        case packed([UInt8])
        case int8([Int8])
        case wide([Int64])
    }

    fileprivate let elements: Elements
    fileprivate let weight: UInt64
    fileprivate let withinClip: Bool

    /// Calls `body` with the values of the int8 lattice, if it is of that one.
    fileprivate func withInt8s(_ body: (UnsafeBufferPointer<Int8>) -> Void) {
        switch elements {
        case .packed(let bytes): bytes.withInt8s(body)
        case .int8(let values): values.withUnsafeBufferPointer(body)
        case .wide: break
        }
    }
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
        try check(count: elements.count, weight: weight)
        guard lattice.admits(elements) else { throw UpdateRejectionError(reason: .normBound) }
        let elements: CheckedUpdate.Elements =
            switch elements {
            case .int8(let values): .int8(values)
            case .wide(let values): .wide(values)
            }
        return CheckedUpdate(elements: elements, weight: weight, withinClip: withinClip)
    }

    /// Looks at an update as it came. One of the int8 lattice is not copied.
    ///
    /// - Throws: as above, and `malformed` when the bytes are no whole elements.
    package func checked(
        packed bytes: [UInt8], weight: UInt64, withinClip: Bool
    ) throws(UpdateRejectionError) -> CheckedUpdate {
        guard lattice.elementBits == 8 else {
            guard let elements = UpdateElements(packed: bytes, on: lattice) else {
                throw UpdateRejectionError(reason: .malformed)
            }
            return try checked(elements, weight: weight, withinClip: withinClip)
        }
        try check(count: bytes.count, weight: weight)
        guard bytes.withInt8s(lattice.admits) else {
            throw UpdateRejectionError(reason: .normBound)
        }
        return CheckedUpdate(elements: .packed(bytes), weight: weight, withinClip: withinClip)
    }

    private func check(count: Int, weight: UInt64) throws(UpdateRejectionError) {
        guard count == lattice.dimension else {
            throw UpdateRejectionError(reason: .wrongDimension)
        }
        guard weight > 0 else { throw UpdateRejectionError(reason: .malformed) }
        guard weight <= maxWeight else { throw UpdateRejectionError(reason: .tooManyExamples) }
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
    private(set) var blocks: SumBlocks
    /// The largest magnitude that noise can have added.
    private var noiseBound: Int64 = 0
    private let maxWeight: UInt64

    /// An empty sum on `lattice`; no update may weigh more than `maxWeight`
    /// (`Plan.maxUpdateWeight`).
    package init(lattice: Lattice, maxWeight: UInt64) {
        self.lattice = lattice
        self.maxWeight = maxWeight
        blocks = SumBlocks(count: lattice.dimension)
    }

    /// D sums, in lattice steps.
    package var sums: [Int64] { blocks.all }

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
        try fold([update])
    }

    /// Adds several, which is faster than one after another: the sum comes into the cache once.
    ///
    /// - Throws: as above; nothing has been added then.
    package mutating func fold(_ updates: [CheckedUpdate]) throws(UpdateRejectionError) {
        var total = totalWeight
        for update in updates {
            guard update.weight <= largestTotalWeight - total else {
                throw UpdateRejectionError(reason: .tooManyExamples)
            }
            total += update.weight
        }
        totalWeight = total
        count += updates.count
        withinClip += updates.count { $0.withinClip }
        blocks.makeRoom(for: lattice.largestMagnitude * Int64(total) + noiseBound)
        for block in blocks.indices {
            for update in updates {
                update.withInt8s { blocks.add($0, weight: Int64(update.weight), to: block) }
            }
        }
        for update in updates {
            guard case .wide(let values) = update.elements else { continue }
            blocks.add(values, weight: Int64(update.weight))
        }
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
        precondition(noise.count == blocks.count, "noise and sum differ in length")
        addNoise { samples, first in
            for index in samples.indices { samples[index] = noise[first + index] }
        }
    }

    /// Adds samples of `distribution`, in place: the same as if all were drawn at once.
    package mutating func addNoise(
        _ distribution: DiscreteGaussian, random: inout some RandomSource
    ) {
        var samples = distribution.stream(of: blocks.count)
        addNoise { run, _ in samples.fill(&run, random: &random) }
    }

    /// - Parameter draw: replaces the numbers it gets by noise; it also gets the index of the first of them.
    private mutating func addNoise(_ draw: (inout [Int64], Int) -> Void) {
        var noise: [Int64] = []
        var largest: Int64 = 0
        blocks.change { sums, first in
            if noise.count != sums.count { noise = [Int64](repeating: 0, count: sums.count) }
            draw(&noise, first)
            for index in sums.indices {
                sums[index] += noise[index]
                largest = max(largest, abs(noise[index]))
            }
        }
        noiseBound += largest
    }
}

extension [UInt8] {
    /// The same bytes as signed ones.
    fileprivate func withInt8s<Value>(_ body: (UnsafeBufferPointer<Int8>) -> Value) -> Value {
        withUnsafeBufferPointer { $0.withMemoryRebound(to: Int8.self, body) }
    }
}

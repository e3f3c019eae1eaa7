package import Federation
import Glibc
import Kernels

/// A change of the parameters, rounded to a round's lattice; what an agent keeps and submits.
package struct EncodedUpdate: Sendable, Equatable {
    /// D lattice coordinates, each in -127...127.
    package let values: [Int8]
    /// Whether the norm was within the clipping norm before clipping.
    package let withinClip: Bool
    /// The L2 norm before clipping, in parameter units.
    package let norm: Float
}

/// Parameters to lattice coordinates and back.
package enum UpdateCodec {
    /// How often one update is rounded before its encoding is called a defect: a rounding breaks
    /// the bound with probability at most e^-1/2, so all of them do with at most e^-50.
    private static let tries = 100

    /// Clips `delta` (d parameters) to the clipping norm, rotates it and rounds it stochastically,
    /// again and again until the integer norm bound holds.
    ///
    /// Each rounding is unbiased, so on average decoding gives the clipped `delta`. `random` must
    /// be the system's generator on a device, or others could tell how each coordinate was rounded.
    ///
    /// - Parameter delta: given up, its buffer is used; with capacity for the lattice's dimension no
    ///   other is made.
    /// - Throws: `Fault.invalid` when `delta` has another length than the lattice, or names its
    ///   first value that is not finite; `Fault.internal` when no rounding keeps the norm bound.
    package static func encode(
        delta: consuming [Float], lattice: Lattice, random: inout some RandomSource
    ) throws(Fault) -> EncodedUpdate {
        try check(lattice, parameters: delta.count)
        let norm = try euclideanNorm(of: delta, squares: CodecKernels.sumOfSquares(delta))
        var values = consume delta
        values.append(contentsOf: repeatElement(0, count: lattice.dimension - values.count))
        return try values.withUnsafeMutableBufferPointer { (values) throws(Fault) in
            try encode(values, norm: norm, lattice: lattice, random: &random)
        }
    }

    /// The same of the change that leads from `start` to `trained`, in memory of its own.
    ///
    /// - Throws: as above.
    package static func encode(
        from start: [Float], to trained: [Float], lattice: Lattice,
        random: inout some RandomSource
    ) throws(Fault) -> EncodedUpdate {
        try check(lattice, parameters: trained.count)
        return try AlignedFloats.with(count: lattice.dimension) { (change) throws(Fault) in
            let squares = CodecKernels.difference(trained, minus: start, into: change)
            change[trained.count...].update(repeating: 0)
            let norm = try euclideanNorm(of: change, squares: squares)
            return try encode(change, norm: norm, lattice: lattice, random: &random)
        }
    }

    /// - Parameter values: a change and zeros, D of them; they are overwritten.
    private static func encode(
        _ values: UnsafeMutableBufferPointer<Float>, norm: Double, lattice: Lattice,
        random: inout some RandomSource
    ) throws(Fault) -> EncodedUpdate {
        let clip = Double(lattice.clippingNorm)
        // Clipping comes before the rotation, and in steps, so that no finite input overflows on
        // the way.
        let factor = clippingFactor(norm: norm, clip: clip) / Double(lattice.step)
        CodecKernels.scale(values, by: factor)
        let rotation = Rotation(lattice)
        rotation.begin(values)

        let bound = lattice.squaredNormBound
        var rounding = LatticeRounding(dimension: lattice.dimension)
        for _ in 0..<tries {
            let (rounded, squares) = rounding.rounded(values, rotation, random: &random)
            if squares <= bound {
                return EncodedUpdate(values: rounded, withinClip: norm <= clip, norm: Float(norm))
            }
        }
        throw Fault(
            .internal, "no rounding of the update kept its norm bound in \(tries) tries",
            remedy: "report this with the plan's clipping norm and kappa")
    }

    /// min(1, `clip` / `norm`): what an update of this norm is multiplied by. 1 for a norm of 0.
    ///
    /// The product is at most `clip` (1 + 2^-52). That rounding may lengthen an update again is what
    /// the integer norm bound is for.
    package static func clippingFactor(norm: Double, clip: Double) -> Double {
        norm > clip ? clip / norm : 1
    }

    /// The average change of the parameters: `sum` (D of them) un-rotated, times step /
    /// `denominator`, the first d values.
    ///
    /// A sum may exceed 2^24, so it is scaled in Double, where it is exact below 2^53, and rounded
    /// to Float once, before the rotation; the rotation is the same additions in the same order
    /// everywhere. Equal sums thus give equal bytes on any CPU.
    ///
    /// - Throws: `Fault.invalid` when `sum` has another length than D, when `denominator` is not a
    ///   positive number, or when a value of the average is not finite.
    package static func decode(
        sum: [Int64], lattice: Lattice, denominator: Double
    ) throws(Fault) -> [Float] {
        guard sum.count == lattice.dimension else {
            throw Fault(
                .invalid, "a sum of \(sum.count) coordinates for a lattice of \(lattice.dimension)")
        }
        var rest = sum[...]
        return try decode(lattice: lattice, denominator: denominator) { run throws(Fault) in
            _ = run.update(fromContentsOf: rest.prefix(run.count))
            rest = rest.dropFirst(run.count)
        }
    }

    /// The same of a sum that need not be in memory as a whole.
    ///
    /// - Parameter next: writes as many of the sum's D coordinates as there is room for; they follow
    ///   those of the call before.
    /// - Throws: as above, and what `next` throws.
    package static func decode(
        lattice: Lattice, denominator: Double,
        sum next: (UnsafeMutableBufferPointer<Int64>) throws(Fault) -> Void
    ) throws(Fault) -> [Float] {
        var coordinates = [Int64](repeating: 0, count: min(runOfSum, lattice.dimension))
        return try decode(lattice: lattice, denominator: denominator) {
            (output, scale) throws(Fault) in
            try coordinates.withUnsafeMutableBufferPointer { (coordinates) throws(Fault) in
                for first in stride(from: 0, to: output.count, by: coordinates.count) {
                    let run = coordinates.prefix(output.count - first)
                    try next(UnsafeMutableBufferPointer(rebasing: run))
                    guard let start = output.baseAddress else { return }
                    CodecKernels.scale(
                        UnsafeBufferPointer(rebasing: run), by: scale, into: start + first)
                }
            }
        }
    }

    /// The same of a sum whose keeper scales it.
    ///
    /// - Parameter next: as above, but writes coordinates times the number that it gets, multiplied in
    ///   Double and rounded to Float once.
    /// - Throws: as above.
    package static func decode(
        lattice: Lattice, denominator: Double,
        scaled next: (UnsafeMutableBufferPointer<Float>, Double) throws(Fault) -> Void
    ) throws(Fault) -> [Float] {
        guard denominator > 0, denominator.isFinite else {
            throw Fault(.invalid, "a sum cannot be divided by \(denominator)")
        }
        let scale = Double(lattice.step) / denominator
        var values = try Rotation(lattice).inverse { (output) throws(Fault) in
            try next(output, scale)
        }
        values.removeLast(values.count - lattice.parameters)
        if !CodecKernels.areFinite(values),
            let index = values.firstIndex(where: { !$0.isFinite })
        {
            throw Fault(.invalid, "the average of parameter \(index) is \(values[index])")
        }
        return values
    }

    /// Coordinates of a sum that are read at a time: 128 KiB, of which the second-level cache holds
    /// several times as much.
    private static let runOfSum = 1 << 14

    private static func check(_ lattice: Lattice, parameters: Int) throws(Fault) {
        guard Lattice.elementWidths.contains(lattice.elementBits), lattice.modulus == 0 else {
            throw Fault(
                .invalid,
                "updates of \(lattice.elementBits) bits modulo \(lattice.modulus) are unsupported",
                remedy: "update this program to the coordinator's version")
        }
        guard lattice.parameters > 0, lattice.clippingNorm > 0, lattice.clippingNorm.isFinite,
            lattice.step > 0, lattice.step.isFinite, lattice.kappa > 0
        else { throw Fault(.invalid, "the round's lattice has an impossible norm, step or size") }
        guard parameters == lattice.parameters else {
            throw Fault(
                .invalid,
                "an update of \(parameters) parameters for a lattice of \(lattice.parameters)")
        }
    }

    /// The L2 norm of `values`, the sum of whose squares is `squares`.
    private static func euclideanNorm(
        of values: some Collection<Float>, squares: Double
    ) throws(Fault) -> Double {
        // The squares of finite float32 values cannot overflow a Double.
        guard squares.isFinite else {
            let bad = values.enumerated().first { !$0.element.isFinite }
            throw Fault(
                .invalid, "parameter \(bad?.offset ?? 0) of the update is \(bad?.element ?? 0)",
                remedy: "lower the learning rate if training diverged")
        }
        return squares.squareRoot()
    }
}

/// The lattice coordinates that `bytes` hold; whether a lattice admits them is for the caller to
/// check.
package func unpacked(_ bytes: [UInt8]) -> [Int8] { bytes.map { Int8(bitPattern: $0) } }

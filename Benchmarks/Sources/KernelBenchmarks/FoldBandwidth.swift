import Aggregation
import CLimits
import Federation
import UpdateCodec

/// How fast updates are added to a round's sum, with the calls that a coordinator makes, on vectors beyond every cache.
///
/// Counted is what must move: each byte of the update is read once, each sum read and written once. The limit is the faster
/// of memcpy and of a loop that only changes a buffer in place, in the same run; each of their bytes is counted twice, as it
/// is read and written.
struct FoldBandwidth {
    private static let parameters = 32 << 20
    private static let repetitions = 15

    /// Bytes a second of the memory.
    let limit: Double
    /// Bytes a second of adding updates of a private plan, which weigh 1, to sums of 16 bits.
    let narrow: Double
    /// Bytes a second of adding updates that weigh hundreds, to sums of 32 bits.
    let weighted: Double
    /// The same with the check of the norm, for which the update is read once more.
    let checked: Double

    init() throws {
        limit = max(Self.limit(limit_copy), Self.limit(limit_update))
        var lattice = Lattice(
            parameters: Self.parameters, clippingNorm: 1, step: 0, kappa: 6, rotationSeed: 7)
        lattice.step = 1e-3
        let bytes = (0..<lattice.dimension).map { UInt8(truncatingIfNeeded: $0 % 31 &- 15) }
        narrow = try Self.rate(bytes, weight: 1, on: lattice, bytes: 5)
        weighted = try Self.rate(bytes, weight: 600, on: lattice, bytes: 9)
        var sum = ExactSum(lattice: lattice, maxWeight: 600)
        checked = try Self.rate(lattice, bytes: 10) {
            try sum.fold(sum.check.checked(packed: bytes, weight: 600, withinClip: true))
        }
    }

    /// - Parameter move: reads and writes as many bytes as it is told.
    private static func limit(_ move: (Int) -> Void) -> Double {
        let bytes = 256 << 20
        return Measurement(operations: 2 * Double(bytes), repetitions: repetitions) {
            move(bytes)
        }.median * 1e9
    }

    private static func rate(
        _ update: [UInt8], weight: UInt64, on lattice: Lattice, bytes: Double
    ) throws -> Double {
        var sum = ExactSum(lattice: lattice, maxWeight: weight)
        let update = try sum.check.checked(packed: update, weight: weight, withinClip: true)
        return try rate(lattice, bytes: bytes) { try sum.fold(update) }
    }

    /// - Parameter bytes: that `fold` moves for each parameter.
    private static func rate(
        _ lattice: Lattice, bytes: Double, _ fold: () throws -> Void
    ) throws -> Double {
        // Once, for what would be thrown, and for the sums' final width.
        try fold()
        return Measurement(
            operations: bytes * Double(lattice.dimension), repetitions: repetitions
        ) { try? fold() }.median * 1e9
    }
}

import Federation
import Kernels

/// Stochastic rounding to the lattice: each value goes to one of its two neighbouring integers, up
/// with the probability of its fraction, after it has been limited to +-127.
///
/// A value is held to 2^-32 of a step: adding 32 random bits to that fixed-point number and
/// dropping the fraction rounds up exactly as often as the fraction says.
struct LatticeRounding {
    private let dimension: Int
    /// 64 KiB, the most that one request to OpenSSL's generator returns.
    private var words: [UInt32]

    init(dimension: Int) {
        self.dimension = dimension
        let count = min(1 << 14, dimension)
        words = [UInt32](unsafeUninitializedCapacity: count) { _, filled in
            // Before they are read, all of them are drawn.
            filled = count
        }
    }

    /// Rounds what `rotation` makes of `half`, the values as `Rotation.begin` leaves them; also
    /// returns the sum of the squares.
    mutating func rounded(
        _ half: UnsafeMutableBufferPointer<Float>, _ rotation: Rotation,
        random: inout some RandomSource
    ) -> (values: [Int8], squares: Int64) {
        var squares: Int64 = 0
        let values = [Int8](unsafeUninitializedCapacity: dimension) { values, count in
            guard let output = values.baseAddress else { return }
            rotation.finish(half) { run, first in
                for start in stride(from: 0, to: run.count, by: words.count) {
                    words.withUnsafeMutableBytes { random.fill($0) }
                    let part = run[start..<min(start + words.count, run.count)]
                    squares += CodecKernels.roundToLattice(
                        UnsafeBufferPointer(rebasing: part), random: words,
                        into: output + first + start)
                }
            }
            count = dimension
        }
        return (values, squares)
    }
}

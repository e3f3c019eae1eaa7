import Federation
import Kernels

/// The numbers of a `SeededRandom`, many of them faster: an agent rounds each coordinate of its update
/// with bits of its own.
struct AgentRandom: RandomSource, Sendable {
    private var random: SeededRandom

    init(_ random: SeededRandom) { self.random = random }

    mutating func next() -> UInt64 { random.next() }

    mutating func fill(_ bytes: UnsafeMutableRawBufferPointer) {
        let whole = bytes.count / 8
        SeededWords.fill(
            UnsafeMutableRawBufferPointer(rebasing: bytes[..<(whole * 8)]), after: random.state)
        random.skip(whole)
        random.fill(UnsafeMutableRawBufferPointer(rebasing: bytes[(whole * 8)...]))
    }
}

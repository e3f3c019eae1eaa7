/// A source of random bytes.
///
/// Deployment uses the operating system's cryptographic generator (`Cryptography.SystemRandom`); tests and simulations a
/// seeded one.
package protocol RandomSource {
    /// Overwrites every byte of `bytes` with random bits.
    mutating func fill(_ bytes: UnsafeMutableRawBufferPointer)
}

extension RandomSource {
    /// 64 random bits.
    package mutating func next() -> UInt64 {
        var word: UInt64 = 0
        withUnsafeMutableBytes(of: &word) { fill($0) }
        return word
    }

    /// A number uniform in [0, 1), from 53 random bits.
    package mutating func unitInterval() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// `count` random bytes.
    package mutating func bytes(_ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        bytes.withUnsafeMutableBytes { fill($0) }
        return bytes
    }
}

/// SplitMix64: a small seeded generator, the same on every machine.
///
/// For shuffles, initial weights, stochastic rounding in tests and the rotation's public signs; never for noise, coins or
/// keys.
package struct SeededRandom: RandomSource, RandomNumberGenerator, Sendable {
    /// The sum of the seed and one constant a number so far.
    package private(set) var state: UInt64
    private static let increment: UInt64 = 0x9E37_79B9_7F4A_7C15

    package init(seed: UInt64) { state = seed }

    /// Passes over `count` numbers.
    package mutating func skip(_ count: Int) { state &+= UInt64(count) &* Self.increment }

    package mutating func next() -> UInt64 {
        state &+= Self.increment
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }

    package mutating func fill(_ bytes: UnsafeMutableRawBufferPointer) {
        let whole = bytes.count & ~7
        // Out of memory that `bytes` might be, so that the state stays in a register.
        var random = self
        for offset in stride(from: 0, to: whole, by: 8) {
            bytes.storeBytes(of: random.next().littleEndian, toByteOffset: offset, as: UInt64.self)
        }
        self = random
        guard whole < bytes.count else { return }
        let word = next()
        for offset in whole..<bytes.count {
            bytes[offset] = UInt8(truncatingIfNeeded: word >> (8 * UInt64(offset - whole)))
        }
    }
}

/// A point on the monotonic clock, in nanoseconds since an arbitrary start; only differences mean something.
package struct MonotonicInstant: Hashable, Comparable, Sendable {
    package let nanoseconds: UInt64

    package init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }

    package static func < (left: MonotonicInstant, right: MonotonicInstant) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    /// The instant `seconds` later, at most the last there is; negative values, and what is no number, count as zero.
    package func advanced(bySeconds seconds: Double) -> MonotonicInstant {
        let wait = max(0, seconds) * 1e9
        let whole = wait < 0x1p64 ? UInt64(wait) : .max
        let (sum, isBeyond) = nanoseconds.addingReportingOverflow(whole)
        return MonotonicInstant(nanoseconds: isBeyond ? .max : sum)
    }

    /// Seconds from `earlier` to this instant, zero when it is not later.
    package func seconds(since earlier: MonotonicInstant) -> Double {
        nanoseconds > earlier.nanoseconds ? Double(nanoseconds - earlier.nanoseconds) / 1e9 : 0
    }
}

/// Where machines and shells read monotonic time; tests move a virtual one by hand.
package protocol MonotonicClock: Sendable {
    var now: MonotonicInstant { get }
}

/// Time as a service lives in it: deadlines and pauses by the monotonic clock, records by the wall clock, which may jump.
package protocol ServiceClock: MonotonicClock {
    /// Wall-clock milliseconds since 1970, for records that people read; never for deadlines.
    var unixMilliseconds: UInt64 { get }

    /// Returns after `seconds`, or earlier when the task is cancelled.
    func pause(seconds: Double) async
}

extension ServiceClock {
    /// Wall-clock seconds since 1970, for records that people read; never for deadlines.
    package var unixSeconds: UInt64 { unixMilliseconds / 1000 }
}

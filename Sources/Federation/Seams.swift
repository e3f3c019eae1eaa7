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
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }

    package mutating func fill(_ bytes: UnsafeMutableRawBufferPointer) {
        var offset = 0
        while offset < bytes.count {
            let word = next()
            for shift in 0..<min(8, bytes.count - offset) {
                bytes[offset + shift] = UInt8(truncatingIfNeeded: word >> (8 * UInt64(shift)))
            }
            offset += 8
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

    /// The instant `seconds` later; negative values count as zero.
    package func advanced(bySeconds seconds: Double) -> MonotonicInstant {
        MonotonicInstant(nanoseconds: nanoseconds &+ UInt64(max(0, seconds) * 1e9))
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

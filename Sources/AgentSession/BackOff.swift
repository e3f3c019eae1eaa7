package import Federation

/// Delays between attempts: full jitter under a bound that doubles from `first` to `cap`.
package struct BackOff: Sendable {
    /// The first bound, in seconds.
    package let first: Double
    /// The largest bound, in seconds.
    package let cap: Double
    private var failures = 0

    package init(first: Double, cap: Double) {
        self.first = first
        self.cap = cap
    }

    /// The delay before the next attempt, uniform in [0, bound), in seconds; the bound then doubles.
    package mutating func next(random: inout some RandomSource) -> Double {
        var bound = min(first, cap)
        for _ in 0..<failures where bound < cap { bound = min(cap, bound * 2) }
        failures += 1
        return bound * random.unitInterval()
    }

    /// A delay for a peer that said no: uniform in [cap / 2, cap), so that it is asked rarely yet not for ever refused.
    package func slow(random: inout some RandomSource) -> Double {
        cap / 2 * (1 + random.unitInterval())
    }

    /// The next attempt is a first one again.
    package mutating func reset() { failures = 0 }
}

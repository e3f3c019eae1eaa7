package import Federation

/// How often something may happen: at most `rate` times within any one second.
package struct TokenBucket: Sendable {
    /// A tenth of a second's share may come at once and the rest evenly, so that a full bucket and what flows into it
    /// within a second are `rate` together.
    private let capacity: Double
    private let flow: Double
    private var tokens: Double
    private var updated: MonotonicInstant

    /// A full bucket.
    package init(rate: Int, now: MonotonicInstant) {
        capacity = max(1, Double(rate) / 10)
        flow = max(1, Double(rate) - capacity)
        tokens = capacity
        updated = now
    }

    /// Takes one token if there is one.
    package mutating func take(now: MonotonicInstant) -> Bool {
        fill(now: now)
        guard tokens >= 1 else { return false }
        tokens -= 1
        return true
    }

    /// Whether nothing was taken that has not flowed back.
    package mutating func isFull(now: MonotonicInstant) -> Bool {
        fill(now: now)
        return tokens >= capacity
    }

    /// Seconds until there is a token; 0 when there is one.
    package mutating func secondsToNext(now: MonotonicInstant) -> Double {
        fill(now: now)
        return max(0, (1 - tokens) / flow)
    }

    private mutating func fill(now: MonotonicInstant) {
        tokens = min(capacity, tokens + max(0, now.seconds(since: updated)) * flow)
        updated = now
    }
}

import Glibc

/// A point in the future, on the clock that nobody can set.
package struct Deadline: Sendable {
    private let nanoseconds: Int64
    /// What was allowed in all, for messages.
    package let seconds: Double

    /// `seconds` from now; at most a year.
    package init(seconds: Double) {
        self.seconds = seconds
        nanoseconds = Deadline.now() + Int64(min(max(0, seconds), 31_536_000) * 1e9)
    }

    /// Milliseconds left, rounded up, for poll(2); 0 when it has passed.
    var remainingMilliseconds: Int32 {
        let left = max(0, nanoseconds - Deadline.now())
        return Int32(clamping: (left + 999_999) / 1_000_000)
    }

    private static func now() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

package import Federation
import Glibc
import Telemetry

/// The machine's monotonic clock; it also counts time spent suspended, since the coordinator's leases do.
package struct SystemClock: MonotonicClock {
    package init() {}

    package var now: MonotonicInstant {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return MonotonicInstant(
            nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
    }

    /// The wall clock, in seconds since 1970; anybody may set it.
    package var unixSeconds: UInt64 { UInt64(max(0, Glibc.time(nil))) }
}

/// `unixSeconds` as a date and time in UTC: `2026-03-01 12:30 UTC`.
func dateText(_ unixSeconds: Int64) -> String {
    utcText(unixSeconds, "%Y-%m-%d %H:%M UTC")
}

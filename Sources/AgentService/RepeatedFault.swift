package import Federation

/// A fault that may come again and again: it is said once, then once an hour, however often it comes in between.
package struct RepeatedFault: Sendable {
    package private(set) var fault: Fault?
    /// How often it came.
    package private(set) var count = 0
    /// When it came first, in seconds since 1970.
    package private(set) var sinceUnix: UInt64 = 0
    private var sayAgainAt = MonotonicInstant(nanoseconds: 0)
    private static let reminderSeconds = 3600.0

    package init() {}

    /// Notes that `fault` came.
    ///
    /// - Returns: whether people should be told.
    package mutating func add(
        _ fault: Fault, now: MonotonicInstant, unixSeconds: UInt64
    ) -> Bool {
        if fault != self.fault {
            self.fault = fault
            count = 0
            sinceUnix = unixSeconds
            sayAgainAt = now
        }
        count += 1
        guard now >= sayAgainAt else { return false }
        sayAgainAt = now.advanced(bySeconds: Self.reminderSeconds)
        return true
    }

    /// All is well again.
    ///
    /// - Returns: how often the fault came; 0 when there was none.
    package mutating func clear() -> Int {
        defer { self = RepeatedFault() }
        return count
    }
}

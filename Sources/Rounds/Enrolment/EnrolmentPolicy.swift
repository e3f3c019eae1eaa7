package import Federation

/// Which enrolment requests are worth a look at their token.
package enum EnrolmentPolicy {
    /// A device whose clock is further off would see its fresh certificate as expired or not yet valid.
    package static let clockToleranceSeconds: UInt64 = 86_400

    /// Checks a device's wall clock against the coordinator's.
    ///
    /// - Returns: the refusal, naming both clocks; nil when they agree within a day.
    package static func refusal(deviceUnix: UInt64, nowUnix: UInt64) -> Fault? {
        let apart = deviceUnix > nowUnix ? deviceUnix - nowUnix : nowUnix - deviceUnix
        guard apart > clockToleranceSeconds else { return nil }
        return Fault(
            .invalid,
            "the device's clock is \(apart / 3600) hours \(deviceUnix > nowUnix ? "ahead of" : "behind") the coordinator's",
            remedy: "set the device's clock and enrol again; the token has not been used")
    }
}

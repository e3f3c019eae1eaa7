package import Federation

/// When an agent without an assignment should come back: the pace of the fleet.
package struct PaceSteering: Sendable, Equatable {
    package let comeBackSeconds: Double

    package init(comeBackSeconds: Double) { self.comeBackSeconds = comeBackSeconds }

    /// Seconds to stay away, spread over half to one and a half times the configured pace, so that a fleet that was cut
    /// off at once does not come back at once.
    package func delay(random: inout some RandomSource) -> UInt32 {
        UInt32(max(1, (comeBackSeconds * (0.5 + random.unitInterval())).rounded()))
    }

    /// Seconds to hold a check-in open: what the agent offers, within what the coordinator allows.
    package static func hold(offered: UInt32, limit: Int) -> Double {
        Double(min(Int(offered), limit))
    }
}

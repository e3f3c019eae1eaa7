/// When a device's owner lets it take work: the `[participation]` table of agent.toml. What is nil is not asked.
package struct ParticipationRules: Sendable, Equatable {
    /// The highest load average over a minute.
    package var maxLoad: Double?
    /// The least memory that programs can still be given, in MiB.
    package var minMemoryMiB: Int?
    /// Whether only mains power will do.
    package var onlyOnMains = false
    /// The least charge of the battery while there is no mains power.
    package var minBatteryPercent: Int?
    /// Whether connections that are paid for by the byte are refused.
    package var refusesMetered = false
    /// The interfaces that count as metered: names, or beginnings of names with a `*` after them.
    package var meteredInterfaces: [String] = Self.standardMeteredInterfaces
    /// The times of day, local time, of which one must be now; none: any time will do.
    package var windows: [TimeWindow] = []
    /// The most rounds in 24 hours.
    package var roundsPerDay: Int?

    /// Modems and dial-up connections.
    package static let standardMeteredInterfaces = ["wwan*", "ppp*"]

    package init() {}
}

/// A time of day from one minute to before another; it may go past midnight.
package struct TimeWindow: Sendable, Hashable, CustomStringConvertible {
    /// Minutes from midnight, 0 to 1439.
    package let start: Int
    /// Minutes from midnight, 1 to 1440; before `start`, it is on the next day.
    package let end: Int

    package static let minutesPerDay = 1440

    /// Parses `22:00-06:00`; nil when it is no window, or one of no length.
    package init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let start = Self.minute(parts[0]), let end = Self.minute(parts[1]),
            start < Self.minutesPerDay, start != end
        else { return nil }
        self.start = start
        self.end = end == 0 ? Self.minutesPerDay : end
    }

    package func contains(minuteOfDay minute: Int) -> Bool {
        start < end ? start <= minute && minute < end : start <= minute || minute < end
    }

    package var description: String { "\(Self.clock(start))-\(Self.clock(end))" }

    /// `minute` of the day as `HH:MM`.
    package static func clock(_ minute: Int) -> String {
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(two(minute / 60)):\(two(minute % 60))"
    }

    /// The minute that `HH:MM` names, 24:00 included.
    private static func minute(_ text: Substring) -> Int? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2,
            parts.allSatisfy({ $0.utf8.count == 2 && $0.utf8.allSatisfy(isDigit) }),
            let hours = Int(parts[0]), let minutes = Int(parts[1]), minutes < 60
        else { return nil }
        let minute = hours * 60 + minutes
        return minute <= minutesPerDay ? minute : nil
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}

/// What training may take of a device: the `[limits]` table of agent.toml.
package struct TrainingLimits: Sendable, Equatable {
    /// How far the agent stands back when others want the processor, 0 to 19.
    package var nice = 0
    /// The share of one processor that training takes at most.
    package var cpuPercent = 100
    /// The most memory that training may allocate, in MiB; nil: as much as it needs.
    package var memoryMiB: Int?

    package init() {}
}

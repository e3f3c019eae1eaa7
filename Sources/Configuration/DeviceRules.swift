import Federation

// The tables of agent.toml in which a device's owner says when it works, and how much of the device that may take.

extension ParticipationRules {
    enum Key: String, SectionKey {
        case maxLoad = "max_load"
        case minMemoryMiB = "min_memory_mib"
        case onlyOnMains = "only_on_mains"
        case minBatteryPercent = "min_battery_percent"
        case metered
        case meteredInterfaces = "metered_interfaces"
        case windows
        case roundsPerDay = "rounds_per_day"
    }

    private static let mostItems = 32

    /// - Parameter section: nil means the defaults.
    init(_ section: Section<Key>?) throws(Fault) {
        self.init()
        guard let section else { return }
        if section.has(.maxLoad) {
            maxLoad = try section.number(.maxLoad, .from(0.01, to: 10_000))
        }
        if section.has(.minMemoryMiB) {
            minMemoryMiB = try section.integer(.minMemoryMiB, 1...(1 << 24))
        }
        onlyOnMains = try section.truth(.onlyOnMains, default: false)
        if section.has(.minBatteryPercent) {
            minBatteryPercent = try section.integer(.minBatteryPercent, 1...100)
        }
        refusesMetered =
            try section.word(.metered, ["allow", "refuse"], default: "allow") == "refuse"
        if section.has(.meteredInterfaces) {
            meteredInterfaces = try Self.interfaces(section)
        }
        if section.has(.windows) { windows = try Self.windows(section) }
        if section.has(.roundsPerDay) {
            roundsPerDay = try section.integer(.roundsPerDay, 1...10_000)
        }
    }

    private static func interfaces(_ section: Section<Key>) throws(Fault) -> [String] {
        let allowed = "the name of an interface, or the beginning of one and *"
        var interfaces: [String] = []
        let items = try section.items(
            .meteredInterfaces, 0...mostItems, "an array of at most \(mostItems) interfaces")
        for item in items {
            interfaces.append(
                try section.text(item, .meteredInterfaces, allowed) { name in
                    !name.isEmpty && name.utf8.count <= 16 && !name.dropLast().contains("*")
                        && name.utf8.allSatisfy { $0 > UInt8(ascii: " ") && $0 < 0x7f }
                })
        }
        return interfaces
    }

    private static func windows(_ section: Section<Key>) throws(Fault) -> [TimeWindow] {
        let allowed = "a time of day as \"22:00-06:00\""
        var windows: [TimeWindow] = []
        let items = try section.items(
            .windows, 0...mostItems, "an array of at most \(mostItems) times of day")
        for item in items {
            let text = try section.text(item, .windows, allowed) { TimeWindow($0) != nil }
            if let window = TimeWindow(text) { windows.append(window) }
        }
        return windows
    }
}

extension TrainingLimits {
    enum Key: String, SectionKey {
        case nice
        case cpuPercent = "cpu_percent"
        case memoryMiB = "memory_mib"
    }

    /// - Parameter section: nil means the defaults.
    init(_ section: Section<Key>?) throws(Fault) {
        self.init()
        guard let section else { return }
        nice = try section.integer(.nice, 0...19, default: nice)
        cpuPercent = try section.integer(.cpuPercent, 1...100, default: cpuPercent)
        if section.has(.memoryMiB) { memoryMiB = try section.integer(.memoryMiB, 1...(1 << 24)) }
    }
}

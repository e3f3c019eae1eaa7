package import Federation

/// What a device looks like at a moment, as far as its owner's rules go. What is nil cannot be told on this device.
package struct DeviceConditions: Sendable, Equatable {
    package enum Power: Sendable, Equatable {
        /// Mains power, or a device without a battery.
        case mains
        /// A battery that is not being charged, with this charge if it tells.
        case battery(percent: Int?)
    }

    /// The load average over a minute.
    package var load: Double?
    /// How much of it is the agent's own.
    package var ownLoad = 0.0
    /// What programs can still be given, in MiB.
    package var availableMemoryMiB: Int?
    /// What training allocates, in MiB; 0 while the plan is not known.
    package var plannedMemoryMiB = 0
    package var power = Power.mains
    /// The interface over which the default route goes; nil: there is none.
    package var interface: String?
    /// Local time.
    package var minuteOfDay = 0
    /// Rounds taken up in the last 24 hours.
    package var roundsInLastDay = 0

    package init() {}
}

/// One rule on this device: what it asks, what there is, and whether that will do.
package struct Eligibility: Sendable, Equatable {
    /// The rule's subject, for doctor and status.
    package let subject: String
    package let holds: Bool
    /// What there is, and what the rule asks.
    package let detail: String
    /// The keys of agent.toml that say so, for a remedy; empty where it is no rule of the configuration.
    package let keys: String

    /// Looks at every rule.
    ///
    /// - Parameter isTraining: whether the device is at work on a round: what training allocates is taken already, and the round
    ///   is counted.
    package static func examine(
        _ conditions: DeviceConditions, _ rules: ParticipationRules, isTraining: Bool = false
    ) -> [Eligibility] {
        [
            load(conditions, rules), memory(conditions, rules, isTraining: isTraining),
            power(conditions, rules), network(conditions, rules, isTraining: isTraining),
            timeOfDay(conditions, rules),
            rounds(conditions, rules, isTraining: isTraining),
        ]
    }

    /// Why the device takes no work now; nil when it does.
    package static func refusal(
        _ conditions: DeviceConditions, _ rules: ParticipationRules, isTraining: Bool = false
    ) -> Fault? {
        examine(conditions, rules, isTraining: isTraining).first { !$0.holds }?.fault
    }

    /// Why nothing large may go over the network now; nil when it may.
    package static func networkRefusal(
        _ conditions: DeviceConditions, _ rules: ParticipationRules
    ) -> Fault? {
        let finding = network(conditions, rules, isTraining: false)
        return finding.holds ? nil : finding.fault
    }

    /// The owner's pause as a rule that does not hold.
    ///
    /// - Parameter words: how long it lasts, and why.
    package static func paused(_ words: String) -> Eligibility {
        Eligibility(
            subject: "owner", holds: false, detail: "its owner has paused it \(words)", keys: "")
    }

    /// The rule as a fault.
    package var fault: Fault {
        Fault(
            .unavailable, "this device takes no work now: \(detail)",
            remedy: keys.isEmpty
                ? "wait, or run tributary-agent resume"
                : "wait, or change \(keys) in [participation] of the agent's configuration")
    }

    private static func load(
        _ conditions: DeviceConditions, _ rules: ParticipationRules
    ) -> Eligibility {
        let keys = "max_load"
        guard let load = conditions.load else {
            return unknown("load", "the load", asked: rules.maxLoad != nil, keys)
        }
        let own = conditions.ownLoad
        let limit = rules.maxLoad.map {
            ", at most \($0) is allowed" + (own > 0 ? " besides training" : "")
        }
        return Eligibility(
            subject: "load", holds: load <= (rules.maxLoad ?? .infinity) + own,
            detail: "the load is \(load)" + (limit ?? ", and no limit is set"), keys: keys)
    }

    private static func memory(
        _ conditions: DeviceConditions, _ rules: ParticipationRules, isTraining: Bool
    ) -> Eligibility {
        let keys = "min_memory_mib"
        guard let available = conditions.availableMemoryMiB else {
            return unknown(
                "memory", "how much memory is left", asked: rules.minMemoryMiB != nil, keys)
        }
        // What training allocates has to be there besides; once it is allocated it is no need of others.
        let planned = conditions.plannedMemoryMiB
        let own = planned == 0 ? "" : ", training \(isTraining ? "has" : "takes") \(planned) MiB"
        let limit = rules.minMemoryMiB.map {
            ", at least \($0) MiB must be" + (planned == 0 || isTraining ? "" : " left")
        }
        return Eligibility(
            subject: "memory",
            holds: available + (isTraining ? planned : -planned) >= rules.minMemoryMiB ?? .min,
            detail: "\(available) MiB of memory are available\(own)"
                + (limit ?? ", and no limit is set"),
            keys: keys)
    }

    private static func power(
        _ conditions: DeviceConditions, _ rules: ParticipationRules
    ) -> Eligibility {
        let keys = "only_on_mains and min_battery_percent"
        func finding(_ holds: Bool, _ detail: String) -> Eligibility {
            Eligibility(subject: "power", holds: holds, detail: detail, keys: keys)
        }
        guard case .battery(let percent) = conditions.power else {
            return finding(true, "it is on mains power, or has no battery")
        }
        let charge = percent.map { " at \($0) %" } ?? ""
        if rules.onlyOnMains {
            return finding(false, "it runs on its battery\(charge), and mains power is asked for")
        }
        guard let least = rules.minBatteryPercent else {
            return finding(true, "it runs on its battery\(charge), and no limit is set")
        }
        guard let percent else {
            return unknown("power", "the battery's charge", asked: true, keys)
        }
        return finding(
            percent >= least, "it runs on its battery\(charge), at least \(least) % are asked for")
    }

    private static func network(
        _ conditions: DeviceConditions, _ rules: ParticipationRules, isTraining: Bool
    ) -> Eligibility {
        let keys = "metered and metered_interfaces"
        guard let interface = conditions.interface else {
            return Eligibility(
                // Training needs no network, and outlasts one that is away for a moment.
                subject: "network", holds: isTraining || !rules.refusesMetered,
                detail: "there is no default route" + (rules.refusesMetered ? " to tell by" : ""),
                keys: keys)
        }
        let isMetered = rules.meteredInterfaces.contains { matches(interface, $0) }
        let kind =
            switch (isMetered, rules.refusesMetered) {
            case (false, _): "is not metered"
            case (true, false): "is metered, which is allowed"
            case (true, true): "is metered, which is refused"
            }
        return Eligibility(
            subject: "network", holds: !isMetered || !rules.refusesMetered,
            detail: "the default route's interface \(interface) \(kind)", keys: keys)
    }

    private static func timeOfDay(
        _ conditions: DeviceConditions, _ rules: ParticipationRules
    ) -> Eligibility {
        let now = "it is \(TimeWindow.clock(conditions.minuteOfDay)) local time"
        let windows = rules.windows.map(\.description).joined(separator: ", ")
        return Eligibility(
            subject: "time",
            holds: rules.windows.isEmpty
                || rules.windows.contains { $0.contains(minuteOfDay: conditions.minuteOfDay) },
            detail: rules.windows.isEmpty
                ? now + ", and no window is set" : now + ", it works in \(windows)",
            keys: "windows")
    }

    private static func rounds(
        _ conditions: DeviceConditions, _ rules: ParticipationRules, isTraining: Bool
    ) -> Eligibility {
        let count = conditions.roundsInLastDay
        let limit = rules.roundsPerDay.map { ", at most \($0) are allowed" }
        return Eligibility(
            subject: "rounds",
            holds: isTraining || count < rules.roundsPerDay ?? .max,
            detail: "\(count) rounds in the last 24 hours" + (limit ?? ", and no limit is set"),
            keys: "rounds_per_day")
    }

    /// A rule that asks for what this device cannot tell does not hold.
    private static func unknown(
        _ subject: String, _ what: String, asked: Bool, _ keys: String
    ) -> Eligibility {
        Eligibility(
            subject: subject, holds: !asked, detail: "this device does not tell \(what)", keys: keys
        )
    }

    /// Whether `name` is `pattern`, or begins with what is before its `*`.
    private static func matches(_ name: String, _ pattern: String) -> Bool {
        pattern.hasSuffix("*") ? name.hasPrefix(pattern.dropLast()) : name == pattern
    }
}

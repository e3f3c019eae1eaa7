import AgentSession
import Federation
import Testing

@Suite("Whether a device takes work")
struct EligibilityTests {
    private func conditions(
        _ change: (inout DeviceConditions) -> Void = { _ in }
    ) -> DeviceConditions {
        var conditions = DeviceConditions()
        conditions.load = 0.5
        conditions.availableMemoryMiB = 500
        conditions.interface = "eth0"
        conditions.minuteOfDay = 12 * 60
        change(&conditions)
        return conditions
    }

    private func rules(_ change: (inout ParticipationRules) -> Void) -> ParticipationRules {
        var rules = ParticipationRules()
        change(&rules)
        return rules
    }

    @Test("a device without rules takes work whatever it looks like, and says what that is")
    func noRules() {
        for conditions in [
            DeviceConditions(), conditions(),
            conditions {
                $0.load = 300
                $0.availableMemoryMiB = 0
                $0.power = .battery(percent: 1)
                $0.interface = "wwan0"
                $0.roundsInLastDay = 5_000
            },
        ] {
            let rules = ParticipationRules()
            #expect(Eligibility.refusal(conditions, rules) == nil)
            let findings = Eligibility.examine(conditions, rules)
            #expect(
                findings.map(\.subject) == ["load", "memory", "power", "network", "time", "rounds"])
            #expect(findings.allSatisfy { !$0.detail.isEmpty })
        }
    }

    /// A rule, a device on which it does not hold, and what is said of that.
    struct Refusal: Sendable {
        let key: String
        let detail: String
        var rule: @Sendable (inout ParticipationRules) -> Void
        var device: @Sendable (inout DeviceConditions) -> Void = { _ in }
    }

    static let refusals = [
        Refusal(key: "max_load", detail: "the load is 2.5, at most 2.0 is allowed") {
            $0.maxLoad = 2
        } device: {
            $0.load = 2.5
        },
        Refusal(
            key: "min_memory_mib",
            detail: "500 MiB of memory are available, at least 501 MiB must be"
        ) { $0.minMemoryMiB = 501 },
        Refusal(
            key: "only_on_mains", detail: "it runs on its battery at 99 %, and mains power is asked"
        ) {
            $0.onlyOnMains = true
        } device: {
            $0.power = .battery(percent: 99)
        },
        Refusal(
            key: "min_battery_percent",
            detail: "it runs on its battery at 49 %, at least 50 % are asked for"
        ) {
            $0.minBatteryPercent = 50
        } device: {
            $0.power = .battery(percent: 49)
        },
        Refusal(key: "metered_interfaces", detail: "interface wwan0 is metered, which is refused") {
            $0.refusesMetered = true
        } device: {
            $0.interface = "wwan0"
        },
        Refusal(key: "windows", detail: "it is 12:00 local time, it works in 22:00-06:00") {
            $0.windows = [TimeWindow("22:00-06:00")].compactMap { $0 }
        },
        Refusal(
            key: "rounds_per_day", detail: "3 rounds in the last 24 hours, at most 3 are allowed"
        ) {
            $0.roundsPerDay = 3
        } device: {
            $0.roundsInLastDay = 3
        },
    ]

    @Test(
        "a rule that does not hold is named with what there is and what is asked",
        arguments: refusals)
    func refused(_ refusal: Refusal) throws {
        let fault = try #require(
            Eligibility.refusal(conditions(refusal.device), rules(refusal.rule)))
        #expect(fault.code == .unavailable)
        #expect(fault.message.contains(refusal.detail), "\(fault)")
        #expect(fault.remedy.contains(refusal.key) && fault.remedy.contains("[participation]"))
    }

    @Test("each rule holds up to its limit")
    func limits() {
        let strict = rules {
            $0.maxLoad = 0.5
            $0.minMemoryMiB = 500
            $0.minBatteryPercent = 50
            $0.refusesMetered = true
            $0.windows = [TimeWindow("12:00-12:01")].compactMap { $0 }
            $0.roundsPerDay = 3
        }
        let exact = conditions {
            $0.power = .battery(percent: 50)
            $0.roundsInLastDay = 2
        }
        #expect(Eligibility.refusal(exact, strict) == nil)
        #expect(Eligibility.refusal(conditions(), rules { $0.onlyOnMains = true }) == nil)
    }

    @Test("what this device does not tell refuses only where it is asked for")
    func unknown() {
        let untold = conditions {
            $0.load = nil
            $0.availableMemoryMiB = nil
            $0.power = .battery(percent: nil)
        }
        #expect(Eligibility.refusal(untold, ParticipationRules()) == nil)
        for rule in [
            rules { $0.maxLoad = 100 }, rules { $0.minMemoryMiB = 1 },
            rules { $0.minBatteryPercent = 1 },
        ] {
            #expect(Eligibility.refusal(untold, rule)?.message.contains("does not tell") == true)
        }
    }

    @Test("training is no load of others, and its round is counted already")
    func whileTraining() {
        let rules = rules {
            $0.maxLoad = 1
            $0.roundsPerDay = 1
        }
        let now = conditions {
            $0.load = 2
            $0.ownLoad = 1
            $0.roundsInLastDay = 1
        }
        #expect(Eligibility.refusal(now, rules)?.message.contains("rounds") == true)
        #expect(Eligibility.refusal(now, rules, isTraining: true) == nil)
        let busy = conditions {
            $0.load = 2.1
            $0.ownLoad = 1
        }
        let refusal = Eligibility.refusal(busy, rules, isTraining: true)
        #expect(refusal?.message.contains("at most 1.0 is allowed besides training") == true)
    }

    @Test("a device that takes work for its memory need not give it up for what training takes")
    func memoryOfTraining() {
        let planned = conditions { $0.plannedMemoryMiB = 20 }
        #expect(Eligibility.refusal(planned, rules { $0.minMemoryMiB = 480 }) == nil)
        let refusal = Eligibility.refusal(planned, rules { $0.minMemoryMiB = 481 })
        #expect(
            refusal?.message.contains(
                "500 MiB of memory are available, training takes 20 MiB, at least 481 MiB must be"
                    + " left") == true)
        let taken = conditions {
            $0.availableMemoryMiB = 460
            $0.plannedMemoryMiB = 20
        }
        let strict = rules { $0.minMemoryMiB = 480 }
        #expect(Eligibility.refusal(taken, strict, isTraining: true) == nil)
        let others = conditions {
            $0.availableMemoryMiB = 459
            $0.plannedMemoryMiB = 20
        }
        #expect(Eligibility.refusal(others, strict, isTraining: true) != nil)
        let scarce = conditions {
            $0.availableMemoryMiB = 0
            $0.plannedMemoryMiB = 20
        }
        #expect(Eligibility.refusal(scarce, ParticipationRules()) == nil)
    }

    @Test("an interface is metered by its name or its beginning")
    func metered() {
        let rules = rules {
            $0.refusesMetered = true
            $0.meteredInterfaces = ["wwan*", "usb0"]
        }
        for (name, isMetered) in [
            ("wwan0", true), ("wwan", true), ("wwa", false), ("usb0", true), ("usb01", false),
            ("eth0", false),
        ] {
            let refusal = Eligibility.refusal(conditions { $0.interface = name }, rules)
            #expect((refusal != nil) == isMetered, "\(name)")
        }
    }

    @Test("without a default route nobody can tell that the network is not metered")
    func noRoute() {
        let offline = conditions { $0.interface = nil }
        let refusing = rules { $0.refusesMetered = true }
        let refusal = Eligibility.refusal(offline, refusing)
        #expect(refusal?.message.contains("there is no default route to tell by") == true)
        #expect(Eligibility.networkRefusal(offline, refusing) == refusal)
        #expect(Eligibility.refusal(offline, refusing, isTraining: true) == nil)
        #expect(Eligibility.refusal(offline, ParticipationRules()) == nil)
    }

    @Test("the network's rule alone is no matter of the others")
    func networkAlone() {
        let busy = conditions { $0.load = 300 }
        let rules = rules {
            $0.maxLoad = 1
            $0.refusesMetered = true
        }
        #expect(Eligibility.refusal(busy, rules) != nil)
        #expect(Eligibility.networkRefusal(busy, rules) == nil)
    }
}

import Configuration
import Federation
import Foundation
import Testing

@Suite struct AgentConfigurationTests {
    @Test("paths are relative to the file's own directory")
    func relativePaths() throws {
        let text = """
            [agent]
            state_directory = "state"
            log_level = "debug"
            [data.zebra]
            directory = "/srv/zebra"
            [data.apple]
            directory = "../apple"
            """
        let agent = try parse(text)
        #expect(agent.stateDirectory == "/etc/tributary/state")
        #expect(agent.logLevel == "debug")
        #expect(agent.data.map(\.plan.name) == ["apple", "zebra"])
        #expect(agent.data.map(\.directory) == ["/etc/tributary/../apple", "/srv/zebra"])
        let here = try AgentConfiguration.parse(Array(text.utf8), file: "agent.toml")
        #expect(here.stateDirectory == "state")
    }

    @Test(
        "the log's format and the port of the metrics are read, and refused with what may be written"
    )
    func watching() throws {
        let agent = try parse("[agent]\nlog_format = \"json\"\n[metrics]\nport = 7482")
        #expect(agent.logFormat == "json")
        #expect(agent.metricsPort == 7482)
        #expect(try parse("").metricsPort == nil)
        #expect(try parse("").logFormat == "text")
        for text in [
            "[metrics]", "[metrics]\nport = 65536", "[agent]\nlog_format = \"xml\"",
            "[metrics]\nlisten = \"0.0.0.0\"",
        ] {
            #expect(throws: Fault.self) { try parse(text) }
        }
    }

    @Test("the owner's rules and limits are read")
    func deviceRules() throws {
        let agent = try parse(
            """
            [participation]
            max_load = 1.5
            min_memory_mib = 200
            only_on_mains = true
            min_battery_percent = 40
            metered = "refuse"
            metered_interfaces = ["wwan*", "usb0"]
            windows = ["22:00-06:00", "12:00-13:00"]
            rounds_per_day = 24
            [limits]
            nice = 10
            cpu_percent = 25
            memory_mib = 64
            """)
        var rules = ParticipationRules()
        rules.maxLoad = 1.5
        rules.minMemoryMiB = 200
        rules.onlyOnMains = true
        rules.minBatteryPercent = 40
        rules.refusesMetered = true
        rules.meteredInterfaces = ["wwan*", "usb0"]
        rules.windows = ["22:00-06:00", "12:00-13:00"].compactMap(TimeWindow.init)
        rules.roundsPerDay = 24
        #expect(agent.participation == rules)
        var limits = TrainingLimits()
        limits.nice = 10
        limits.cpuPercent = 25
        limits.memoryMiB = 64
        #expect(agent.limits == limits)
        let none = try parse("[participation]\n[limits]\n")
        #expect(none.participation == ParticipationRules())
        #expect(none.limits == TrainingLimits())
    }

    @Test("an empty file means the defaults")
    func defaults() throws {
        let agent = try parse("")
        #expect(agent.stateDirectory == "/var/lib/tributary-agent")
        #expect(agent.logLevel == "info")
        #expect(agent.data.isEmpty)
    }

    @Test(
        "a mistake is refused with its line, its column and what may be written",
        arguments: [
            (
                "[agent]\nstate_dir = \"x\"",
                "2:1: unknown key 'state_dir' in [agent]; did you mean 'state_directory'?"
            ),
            (
                "[agnet]", "1:2: unknown key 'agnet' at the top level; did you mean 'agent'?"
            ),
            (
                "[agent]\nstate_directory = \"\"",
                #"2:19: state_directory in [agent] is ""; write the path of a directory"#
            ),
            (
                "[agent]\nlog_level = \"loud\"",
                #"2:13: log_level in [agent] is "loud"; write one of "trace", "debug", "info", "#
                    + #""notice", "warning", "error", "critical""#
            ),
            (
                "[data.Fashion]\ndirectory = \"x\"",
                "1:7: 'Fashion' in [data] is not a plan's name; write [data.NAME] with "
                    + "1 to 40 characters of a-z 0-9 -, beginning with a letter"
            ),
            (
                "[data.fashion]",
                "1:1: [data.fashion] has no directory; write the path of a directory"
            ),
            (
                "[data]\nfashion = \"x\"",
                "2:11: [data.fashion] is text; write it as a table"
            ),
            (
                "[participation]\nmax_load = 0",
                "2:12: max_load in [participation] is 0; write a number from 0.01 to 10000"
            ),
            (
                "[participation]\nmetered = \"no\"",
                #"2:11: metered in [participation] is "no"; write one of "allow", "refuse""#
            ),
            (
                "[participation]\nmetered_interfaces = [\"w*n\"]",
                #"2:23: metered_interfaces in [participation] is "w*n"; write the name of an "#
                    + "interface, or the beginning of one and *"
            ),
            (
                "[participation]\nwindows = [\"22:00-06:00\", \"22-6\"]",
                #"2:27: windows in [participation] is "22-6"; write a time of day as "#
                    + #""22:00-06:00""#
            ),
            (
                "[participation]\nwindows = \"22:00-06:00\"",
                "2:11: windows in [participation] is text; write an array of at most 32 times of day"
            ),
            (
                "[limits]\ncpu_percent = 0",
                "2:15: cpu_percent in [limits] is 0; write a whole number from 1 to 100"
            ),
            (
                "[limits]\nmemory = 3",
                "2:1: unknown key 'memory' in [limits]; did you mean 'memory_mib'?"
            ),
            ("data = 1", "1:8: [data] is a whole number; write [data.NAME] tables"),
            (
                "[data.fashion]\ndirectory = \"x\"\n\n[data.fashion]\ndirectory = \"y\"",
                "4:1: Error while parsing table header: cannot redefine existing table "
                    + "'data.fashion'; correct the TOML"
            ),
        ])
    func mistakes(text: String, message: String) {
        let fault = #expect(throws: Fault.self) { try parse(text) }
        #expect(fault?.description == "/etc/tributary/agent.toml:" + message)
        #expect(fault?.code == .invalid)
    }

    @Test("a file that cannot be read says why and what to do")
    func unreadableFile() throws {
        let missing = "/nonexistent/agent.toml"
        #expect(
            throws: Fault(
                .storage,
                "cannot read the configuration file \(missing): No such file or directory",
                remedy: "check the path, or create the file")
        ) { try AgentConfiguration.load(file: missing) }
        let directory = FileManager.default.temporaryDirectory.path
        #expect(
            throws: Fault(
                .storage, "cannot read the configuration file \(directory): Is a directory",
                remedy: "check the path")
        ) { try AgentConfiguration.load(file: directory) }
    }

    private func parse(_ text: String) throws -> AgentConfiguration {
        try AgentConfiguration.parse(Array(text.utf8), file: "/etc/tributary/agent.toml")
    }
}

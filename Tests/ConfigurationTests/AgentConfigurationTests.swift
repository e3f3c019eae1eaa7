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

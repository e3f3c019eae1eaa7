import AgentService
import Federation
import Testing

@Suite("The daemon's arguments")
struct DaemonArgumentsTests {
    @Test(
        "name a configuration, or mean the usual one",
        arguments: [
            ([], "/etc/tributary/agent.toml"), (["--config", "a.toml"], "a.toml"),
            (["--config=b=.toml"], "b=.toml"),
        ])
    func configuration(arguments: [String], file: String) throws {
        #expect(try DaemonArguments(arguments) == .work(configuration: file))
        #expect(DaemonArguments.usage.contains("(default: /etc/tributary/agent.toml)"))
    }

    @Test("ask for help or the version")
    func questions() throws {
        #expect(try DaemonArguments(["--help"]) == .help)
        #expect(try DaemonArguments(["-h"]) == .help)
        #expect(try DaemonArguments(["--version"]) == .version)
    }

    @Test(
        "that make no sense are refused, with the option that was probably meant",
        arguments: [
            (
                ["--confg", "a.toml"],
                "there is no option --confg; did you mean --config? `tributary-agentd --help` lists what there is"
            ),
            (
                ["--config", "a.toml", "--verison"],
                "there is no option --verison; did you mean --version? `tributary-agentd --help` lists what there is"
            ),
            (
                ["--foreground=yes"],
                "there is no option --foreground; `tributary-agentd --help` lists what there is"
            ),
            (["--config"], "--config names no file; give --config FILE"),
            (
                ["agent.toml"],
                "'agent.toml' makes no sense here; give --config FILE and nothing else"
            ),
            (
                ["--config", "a.toml", "b.toml"],
                "'--config a.toml b.toml' makes no sense here; give --config FILE and nothing else"
            ),
        ])
    func nonsense(arguments: [String], words: String) {
        let refused = fault { () throws(Fault) in _ = try DaemonArguments(arguments) }
        #expect(refused?.description == words)
    }
}

import AgentService
import ArgumentParser
import Configuration
import Federation

@main
struct AgentCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tributary-agent",
        abstract: "Sets up and examines this device's agent.",
        version: softwareVersion,
        subcommands: [Enroll.self, Status.self, Doctor.self, Predict.self])
}

/// The option that names the configuration, shared by the commands that need it.
struct ConfigurationOption: ParsableArguments {
    @Option(name: .customLong("config"), help: "The agent's configuration, agent.toml.")
    var file: String

    func load() throws(Fault) -> AgentConfiguration { try AgentConfiguration.load(file: file) }
}

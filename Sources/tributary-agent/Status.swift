import AgentService
import ArgumentParser
import Configuration
import Federation

struct Status: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Shows what this device does, holds and last sent, and to whom.",
        discussion: """
            What is held: the key, the plans with their data, which is only counted here, the models \
            and updates that wait. What was sent: when, to whom, how many bytes, the norm of the \
            change and the noise on it. Nothing of this report is told to anybody else.

            \(examples("status --config agent.toml", "status --config agent.toml --json"))
            """)

    @OptionGroup var config: ConfigurationOption
    @OptionGroup var output: OutputOptions

    func run() throws {
        try output.answering { () throws(Fault) in
            let configuration = try config.load()
            let directory = StateDirectory(path: configuration.stateDirectory)
            let report = try StatusReport(
                configuration,
                conditions: WorkConditions(configuration.participation, of: directory))
            output.show(report.json, report.text)
        }
    }
}

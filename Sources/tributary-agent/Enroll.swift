import AgentService
import ArgumentParser
import Configuration
import Federation

struct Enroll: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Turns an enrolment token into this device's certificate.",
        discussion: """
            The key is made on this device and never leaves it.

            \(examples(
                "enroll --config agent.toml --token 'tributary1;...'",
                "enroll --config agent.toml --token - < token",
                "enroll --config agent.toml --token - --force < token"))
            """)

    @OptionGroup var config: ConfigurationOption

    @Option(
        help: "The line that `tributary-coordinator agent token` printed; - reads standard input.")
    var token: String

    @Flag(help: "Replace the identity that this device has.")
    var force = false

    @OptionGroup var output: OutputOptions

    func run() throws {
        try output.answering { () throws(Fault) in
            let directory = StateDirectory(path: try config.load().stateDirectory)
            let text = token == "-" ? readLine() ?? "" : token
            let enrolment = try Enrolment.enrol(
                directory, token: text, force: force, clock: SystemClock())
            output.show(
                enrolment.json,
                "enrolled as \(enrolment.agent) with \(enrolment.coordinator); start tributary-agentd"
                    + " --config \(config.file)\n")
        }
    }
}

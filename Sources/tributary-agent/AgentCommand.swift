import AgentService
import ArgumentParser
import Configuration
import Console
import Federation
import Glibc

@main
struct AgentCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tributary-agent",
        abstract: "Sets up and examines this device's agent, and gives its owner the last word.",
        discussion: """
            Run as root, it acts as the user that the state directory belongs to.

            Exit status: 0 done, 1 not done or something found (the reason is on standard error), 64 \
            wrong usage. agent-config/json.md describes what --json prints.

            \(examples(
                "enroll --config agent.toml --token 'tributary1;...'",
                "status --config agent.toml",
                "pause --config agent.toml --for 2h",
                "doctor --config agent.toml"))
            """,
        version: softwareVersion,
        subcommands: [
            Enroll.self, Status.self, Pause.self, Resume.self, Leave.self, Doctor.self,
            Predict.self,
        ])

    static func main() {
        OutputStream.answerForPrinting()
        let arguments = Array(CommandLine.arguments.dropFirst())
        if let wrong = WrongUsage(AgentCommand.self, arguments) {
            wrong.end(status: ExitCode.validationFailure.rawValue, document: faultDocument)
        }
        main(arguments)
    }
}

/// Commands of this program to start from, for the end of a discussion.
func examples(_ lines: String...) -> String { helpExamples("tributary-agent", lines) }

/// Writes to standard error.
func tell(_ text: String) {
    let bytes = Array(text.utf8)
    _ = write(STDERR_FILENO, bytes, bytes.count)
}

/// The option that names the configuration, shared by the commands that need it.
struct ConfigurationOption: ParsableArguments {
    @Option(name: .customLong("config"), help: "The agent's configuration, agent.toml.")
    var file = DaemonArguments.usualConfiguration

    /// Reads the configuration, and lets go of root's rights: what these commands write the daemon has to read, and what they can
    /// read of the data should be what it can.
    func load() throws(Fault) -> AgentConfiguration {
        let configuration = try AgentConfiguration.load(file: file)
        try StateDirectory(path: configuration.stateDirectory).actAsOwner()
        return configuration
    }
}

/// What a command prints for people, or for programs.
struct OutputOptions: ParsableArguments {
    @Flag(name: .customLong("json"), help: "Print one JSON object.")
    var wantsJSON = false

    func show(_ json: String, _ text: String) {
        OutputStream.standard.write(wantsJSON ? json + "\n" : text)
    }

    /// As `answer(json:_:)`.
    func answering(_ work: () throws(Fault) -> Void) throws { try answer(json: wantsJSON, work) }

}

/// Ends with exit status 1, the fault and what to do next when `work` fails.
func answer(json: Bool, _ work: () throws(Fault) -> Void) throws {
    let fault: Fault
    do throws(Fault) { return try work() } catch { fault = error }
    tell("error: \(fault.message)\n" + (fault.remedy.isEmpty ? "" : "  \(fault.remedy)\n"))
    if json { OutputStream.standard.write(faultDocument(fault) + "\n") }
    throw ExitCode.failure
}

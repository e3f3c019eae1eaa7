import AgentService
import ArgumentParser
import Configuration
import Federation
import Glibc

struct Leave: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Takes this device out of its fleet for good.",
        discussion: """
            The coordinator revokes the device's certificate and notes in its log that it was revoked; a \
            running daemon ends; then the key, the certificate, plans, models, updates and records are \
            erased. Data is not touched, and the configuration stays. What the device contributed to \
            models that were published stays in them.

            --offline erases without telling the coordinator, for a device that cannot reach it. The \
            certificate then stays valid until it ends; the fleet's admin can revoke it.

            \(examples(
                "leave --config agent.toml",
                "leave --config agent.toml --yes --json",
                "leave --config agent.toml --offline"))
            """)

    @OptionGroup var config: ConfigurationOption

    @Flag(help: "Do not ask.")
    var yes = false

    @Flag(help: "Erase without telling the coordinator.")
    var offline = false

    @OptionGroup var output: OutputOptions

    func run() throws {
        try output.answering { () throws(Fault) in
            let leaving = Leaving(try config.load())
            if let identity = try leaving.identity(), !yes {
                try confirm(
                    "This takes \(identity.agent) out of the fleet \(identity.fleet) for good and"
                        + " erases its key, models and updates.")
            }
            let outcome = try leaving.perform(offline: offline)
            output.show(outcome.json, outcome.text)
        }
    }

    /// Goes on only when somebody at a terminal says yes.
    private func confirm(_ warning: String) throws(Fault) {
        guard isatty(STDIN_FILENO) == 1 else {
            throw Fault(
                .invalid, "nobody is there to confirm it", remedy: "say so with --yes")
        }
        tell("\(warning)\nType yes to go on: ")
        guard readLine() == "yes" else { throw Fault(.conflict, "nothing was changed") }
    }
}

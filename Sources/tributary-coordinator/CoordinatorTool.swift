import AdminConsole
import ArgumentParser
import Console
import Cryptography
import Federation

/// Runs a fleet's coordinator, and administers one over the network.
@main
struct CoordinatorTool: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tributary-coordinator",
        abstract: "Runs a fleet's coordinator, and administers one over the network.",
        discussion: """
            --dir names the coordinator's state directory, or for every command but init, admin, \
            serve, key, certificate, authority, backup and `audit verify` the folder of a credential \
            that `admin issue` wrote. restore, distill, simulate, runs and privacy need neither.

            Exit status: 0 done; 1 not done, or something was found: the reason and what to do are on \
            standard error; 2 (`audit verify`) it could not be checked; 64 wrong usage; 130 a watched \
            round goes on without you. coordinator-config/json.md describes what --json prints. \
            NO_COLOR keeps colours away.

            \(examples(
                "init --dir STATE --address fleet.example.org",
                "serve --dir STATE",
                "plan apply fashion.toml --dir STATE",
                "agent token --dir STATE",
                "round start fashion --rounds 15 --watch --dir STATE"))
            """,
        version: softwareVersion,
        subcommands: [
            InitCommand.self, AdminCommand.self, ServeCommand.self, PlanCommand.self,
            AgentCommand.self, RoundCommand.self, JobCommand.self, ModelCommand.self,
            StatusCommand.self, DoctorCommand.self,
            AuditCommand.self, KeyCommand.self, TrustCommand.self, CertificateCommand.self,
            AuthorityCommand.self, BackupCommand.self, RestoreCommand.self,
            SimulateCommand.self, RunsCommand.self, DistillCommand.self, PrivacyCommand.self,
        ])

    static func main() async {
        keepLibraryUntilTheEnd()
        OutputStream.answerForPrinting()
        let arguments = Array(CommandLine.arguments.dropFirst())
        if let wrong = WrongUsage(CoordinatorTool.self, arguments) {
            wrong.end(status: ExitCode.validationFailure.rawValue) { $0.json.text }
        }
        await main(arguments)
    }
}

/// Commands of this program to start from, for the end of a discussion.
func examples(_ lines: String...) -> String { helpExamples("tributary-coordinator", lines) }

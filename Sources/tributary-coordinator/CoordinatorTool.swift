import ArgumentParser
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
        await main(nil)
    }
}

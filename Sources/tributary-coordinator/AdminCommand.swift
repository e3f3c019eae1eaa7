import AdminConsole
import ArgumentParser
import CoordinatorService
import Federation

/// `admin`: who may administer the fleet.
struct AdminCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "admin", abstract: "Issue credentials for people.",
        subcommands: [AdminIssue.self])
}

/// What a person may do.
enum AdminRole: String, CaseIterable, ExpressibleByArgument {
    case admin, `operator`, auditor

    var role: Role {
        switch self {
        case .admin: .admin
        case .operator: .operator
        case .auditor: .auditor
        }
    }
}

struct AdminIssue: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "issue",
        abstract: "Issue a credential offline, from the state directory.",
        discussion: """
            Works without a running coordinator, so that a lost admin certificate is no disaster.
            """)

    @OptionGroup var common: CommonOptions

    @Option(help: "Whose it is: a-z, 0-9 and -.")
    var name: String

    @Option(help: "admin, operator (starts and cancels rounds) or auditor (reads).")
    var role = AdminRole.admin

    @Option(help: "The folder to write, which then works as --dir.")
    var output: String

    func execute() async throws {
        try await StateDirectory(path: common.directory)
            .issueCredential(name: name, role: role.role, output: output)
        show(
            .object([
                ("name", .string(name)), ("role", .string(role.rawValue)),
                ("dir", .string(output)),
            ]), "\(role.rawValue) '\(name)' may connect with --dir \(output)\n")
    }
}

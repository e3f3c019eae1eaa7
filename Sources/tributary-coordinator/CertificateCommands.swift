import AdminConsole
import ArgumentParser
import CoordinatorService

/// `certificate`: the coordinator's own.
struct CertificateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "certificate", abstract: "Renew the coordinator's own certificate.",
        discussion: examples("certificate renew-server --dir STATE"),
        subcommands: [CertificateRenewServer.self])
}

struct CertificateRenewServer: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "renew-server",
        abstract: "Issue a new server certificate for the addresses in coordinator.toml.",
        discussion: """
            Stop the coordinator first. It renews its certificate by itself at a start when less \
            than a third of its life is left; this command is for changed addresses and lost keys.

            \(examples("certificate renew-server --dir STATE"))
            """)

    @OptionGroup var common: CommonOptions

    @Flag(help: "Make a new key for it too.")
    var newKey = false

    func execute() async throws {
        showReport(
            try await StateDirectory(path: common.directory).renewServerCertificate(
                newKey: newKey))
    }
}

/// `authority`: the fleet's certificate authority.
struct AuthorityCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "authority",
        abstract: "Replace the fleet's certificate authority without enrolling devices again.",
        discussion: examples(
            "authority rotate --dir STATE",
            "authority retire --dir STATE"),
        subcommands: [AuthorityRotate.self, AuthorityRetire.self])
}

struct AuthorityRotate: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "rotate",
        abstract: "Add a new authority beside the old one; stop the coordinator first.",
        discussion: """
            From the next start devices renew their certificates with the new authority when they \
            check in, and `admin issue` uses it. Both are trusted until `authority retire`.

            \(examples("authority rotate --dir STATE"))
            """)

    @OptionGroup var common: CommonOptions

    func execute() async throws {
        showReport(try await StateDirectory(path: common.directory).rotateAuthority())
    }
}

struct AuthorityRetire: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "retire",
        abstract: "End the trust in the old authority; stop the coordinator first.",
        discussion: examples("authority retire --dir STATE"))

    @OptionGroup var common: CommonOptions

    @Flag(
        help:
            "Even if certificates of the old authority are in use, and leave their holders behind.")
    var force = false

    func execute() async throws {
        let (holders, report) = try await StateDirectory(path: common.directory)
            .retireAuthorities(leavesBehind: force)
        var text = report.map { $0 + "\n" }.joined()
        for agent in holders.agents { text += "must enrol again: \(agent)\n" }
        for person in holders.people { text += "needs a new credential: \(person)\n" }
        show(
            .object([
                ("report", .array(report.map(JSONValue.string))),
                ("agents", .array(holders.agents.map(JSONValue.string))),
                ("people", .array(holders.people.map(JSONValue.string))),
            ]), text)
    }
}

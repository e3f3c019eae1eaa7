import AdminConsole
import ArgumentParser
import Console
import CoordinatorService
import Cryptography
import Federation
import Registry

/// `admin`: who may administer the fleet.
struct AdminCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "admin", abstract: "Issue and revoke credentials for people.",
        discussion: examples(
            "admin issue --name alice --output alice-credential --dir STATE",
            "admin list --dir STATE"),
        subcommands: [AdminIssue.self, AdminList.self, AdminRevoke.self])
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
            Works with and without a running coordinator, so that a lost admin certificate is no \
            disaster. A credential of the same name that was issued before stops working at once.

            \(examples(
                "admin issue --name alice --output alice-credential --dir STATE",
                "admin issue --name eve --role auditor --output eve-credential --dir STATE"))
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

struct AdminList: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Show who was given a credential.",
        discussion: examples("admin list --dir STATE"))

    @OptionGroup var common: CommonOptions

    func execute() async throws {
        let people = try await StateDirectory(path: common.directory).people()
        var table = Table([
            ("NAME", .left), ("ROLE", .left), ("STATE", .left), ("ISSUED", .left),
            ("EXPIRES", .left), ("REASON", .left),
        ])
        for person in people {
            table.add([
                person.name, person.role.rawValue, person.isRevoked ? "revoked" : "active",
                date(person.issuedUnix), date(person.certificateExpiresUnix),
                person.revokedReason,
            ])
        }
        let document = people.map { person in
            JSONValue.object([
                ("name", .string(person.name)), ("role", .string(person.role.rawValue)),
                ("state", .string(person.isRevoked ? "revoked" : "active")),
                ("issued_unix", .number(person.issuedUnix)),
                ("expires_unix", .number(person.certificateExpiresUnix)),
                ("revoked_unix", person.revokedUnix.map(JSONValue.number) ?? .null),
                ("reason", .string(person.revokedReason)),
            ])
        }
        show(.array(document), table.text(on: OutputStream.standard.screen))
    }
}

struct AdminRevoke: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke",
        abstract: "End a person's access at once, offline, from the state directory.",
        discussion: """
            A running coordinator refuses the person's next request. A name that was revoked gets \
            no other credential. The last admin goes only with --force; `admin issue` then makes \
            another, as long as there is the state directory.

            \(examples(
                "admin revoke alice --reason 'has left' --dir STATE"))
            """)

    @OptionGroup var common: CommonOptions

    @Argument(help: "Whose access.")
    var name: String

    @Option(help: "Why; the log keeps it.")
    var reason: String

    @Flag(help: "Even if nobody is left who may administer the fleet.")
    var force = false

    func execute() async throws {
        let state = try StateDirectory(path: common.directory)
        try await state.revokeCredential(name: name, reason: reason, leavesNobody: force)
        show(
            .object([("name", .string(name)), ("state", .string("revoked"))]),
            "'\(name)' may not connect any more\n" + warning(of: state))
    }

    /// Commands that ask the coordinator use the state directory's own credential where --dir names that.
    private func warning(of state: StateDirectory) -> String {
        guard let own = try? AdminCredential(directory: state.path),
            own.certificate.identity?.id == name
        else { return "" }
        return """
            this was the credential in \(state.adminFolder), with which commands ask the coordinator
            next: mv \(state.adminFolder) \(state.adminFolder).revoked
                  tributary-coordinator admin issue --dir \(state.path) --name NAME \
            --output \(state.adminFolder)

            """
    }
}

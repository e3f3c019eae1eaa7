import AdminConsole
import ArgumentParser
import Wire

/// `agent`: the fleet's devices.
struct AgentCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "agent", abstract: "Admit, list, show and revoke devices.",
        discussion: examples(
            "agent token --dir DIR",
            "agent list --dir DIR"),
        subcommands: [
            AgentTokenCommand.self, AgentListCommand.self, AgentShowCommand.self,
            AgentRevokeCommand.self,
        ])
}

struct AgentTokenCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Make an enrolment token, one line to paste on a device.",
        discussion: examples(
            "agent token --dir DIR",
            "agent token --uses 50 --valid-hours 24 --dir DIR"))

    @OptionGroup var common: CommonOptions

    @Option(help: "How many devices may enrol with it.")
    var uses: UInt32 = 1

    @Option(
        name: .customLong("valid-hours"), help: "Hours until it expires; fractions are allowed.")
    var validHours = 24.0

    func validate() throws {
        guard uses > 0 else { throw ValidationError("--uses must be at least 1.") }
        guard validHours > 0, validHours <= 24 * 366 else {
            throw ValidationError("--valid-hours must be more than 0 and at most a year.")
        }
    }

    func execute() async throws {
        let seconds = UInt64((validHours * 3600).rounded(.up))
        try answer(.tokenCreate(TokenCreate(uses: uses, validSeconds: seconds)))
    }
}

struct AgentListCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List every device.",
        discussion: examples(
            "agent list --dir DIR",
            "agent list --dir DIR --json"))

    @OptionGroup var common: CommonOptions

    func execute() async throws { try answer(.agentList(AgentList())) }
}

struct AgentShowCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show one device.",
        discussion: examples("agent show agent-0123456789abcdef --dir DIR"))

    @OptionGroup var common: CommonOptions

    @Argument(help: "The device's id.")
    var id: String

    func execute() async throws { try answer(.agentShow(AgentShow(agent: id))) }
}

struct AgentRevokeCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "revoke", abstract: "End a device's membership for good.",
        discussion: examples(
            "agent revoke agent-0123456789abcdef --reason stolen --dir DIR"))

    @OptionGroup var common: CommonOptions

    @Argument(help: "The device's id.")
    var id: String

    @Option(help: "Why; it is kept in the audit log.")
    var reason = ""

    func execute() async throws { try answer(.agentRevoke(AgentRevoke(agent: id, reason: reason))) }
}

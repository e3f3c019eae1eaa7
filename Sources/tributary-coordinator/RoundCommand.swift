import AdminConsole
import ArgumentParser
import Federation
import Wire

/// `round`: training.
struct RoundCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "round", abstract: "Start, list, show and cancel rounds.",
        subcommands: [
            RoundStartCommand.self, RoundListCommand.self, RoundShowCommand.self,
            RoundCancelCommand.self,
        ])
}

struct RoundStartCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "start", abstract: "Run rounds of a plan, one after another.",
        discussion: """
            The rounds go on without this command, and across restarts of the coordinator. While \
            earlier jobs of the plan run, or it is paused, the job is queued. With an idempotency \
            key, starting again starts nothing twice, and --watch shows what the first start began.
            """)

    @OptionGroup var common: CommonOptions

    @Argument(help: "The plan's name.")
    var plan: String

    @Option(help: "How many rounds.")
    var rounds: UInt32 = 1

    @Flag(help: "Show the progress until the last round has ended.")
    var watch = false

    @Option(name: .customLong("idempotency-key"), help: "The same key starts the rounds once.")
    var idempotencyKey = ""

    func execute() async throws {
        var client = try AdminClient.connect(directory: common.directory)
        let start = RoundStart(plan: plan, rounds: rounds, idempotencyKey: idempotencyKey)
        let response = try client.performWhole(.roundStart(start))
        guard case .job(var job) = response else { throw unexpectedAnswer() }
        guard watch else { return show(response.json, response.text(width: nil)) }
        var display = ProgressDisplay(width: progressStream.width)
        job = try client.follow(job) { progressStream.write(display.update($0)) }
        guard job.state == "finished" else {
            throw Fault(
                .conflict,
                "\(job.roundsDone) of \(job.roundsWanted) rounds are done, then the job"
                    + " \(job.state): \(job.detail)",
                remedy: "`tributary-coordinator round list \(job.plan)` shows every round")
        }
        show(job.json, job.summary)
    }
}

struct RoundListCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the rounds of a plan, or of all.")

    @OptionGroup var common: CommonOptions

    @Argument(help: "The plan's name.")
    var plan: String?

    func execute() async throws { try answer(.roundList(RoundList(plan: plan ?? ""))) }
}

struct RoundShowCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show one round.")

    @OptionGroup var common: CommonOptions

    @Argument(help: "The round's number.")
    var number: UInt64

    func execute() async throws { try answer(.roundShow(RoundShow(round: number))) }
}

struct RoundCancelCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel", abstract: "Abandon a round, and the rest of its job.")

    @OptionGroup var common: CommonOptions

    @Argument(help: "The round's number.")
    var number: UInt64

    @Option(help: "Why; it is kept in the audit log.")
    var reason = ""

    func execute() async throws {
        try answer(.roundCancel(RoundCancel(round: number, reason: reason)))
    }
}

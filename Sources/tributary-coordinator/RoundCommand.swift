import AdminConsole
import ArgumentParser
import Federation
import Wire

/// `round`: training.
struct RoundCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "round", abstract: "Start, watch, list, show and cancel rounds.",
        discussion: examples(
            "round start fashion --rounds 15 --watch --dir DIR",
            "round list fashion --dir DIR"),
        subcommands: [
            RoundStartCommand.self, RoundWatchCommand.self, RoundListCommand.self,
            RoundShowCommand.self, RoundCancelCommand.self,
        ])
}

struct RoundStartCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "start", abstract: "Run rounds of a plan, one after another.",
        discussion: """
            The rounds go on without this command, and across restarts of the coordinator. While \
            earlier jobs of the plan run, or it is paused, the job is queued. With an idempotency \
            key, starting again starts nothing twice, and --watch shows what the first start began.

            On a terminal --watch shows the cohort as it fills, who is still out, the accuracy so far \
            and the privacy spent. Ctrl-C ends the watching alone, with exit status 130, and says how to \
            watch again.

            \(examples(
                "round start fashion --dir DIR",
                "round start fashion --rounds 15 --watch --dir DIR",
                "round start fashion --rounds 5 --idempotency-key nightly-12 --dir DIR"))
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
        guard case .job(let job) = response else { throw unexpectedAnswer() }
        guard watch else { return show(response.json, response.text(width: nil)) }
        try self.watch(job, &client)
    }
}

struct RoundWatchCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch", abstract: "Watch the rounds of a plan that run now.",
        discussion: """
            Shows the plan's job that is running, or else queued, until it has ended. Ctrl-C ends the \
            watching alone, with exit status 130; the rounds go on.

            \(examples("round watch fashion --dir DIR"))
            """)

    @OptionGroup var common: CommonOptions

    @Argument(help: "The plan's name.")
    var plan: String

    func execute() async throws {
        var client = try AdminClient.connect(directory: common.directory)
        let answer = try client.performWhole(.jobList(JobList(plan: plan, open: true)))
        guard case .jobs(let jobs) = answer else { throw unexpectedAnswer() }
        guard let open = jobs.items.first(where: { $0.state == "running" }) ?? jobs.items.first
        else {
            throw Fault(
                .notFound, "no rounds of \(plan) are running or queued",
                remedy: "`tributary-coordinator round start \(plan) --watch` starts some")
        }
        guard case .job(let job) = try client.performWhole(.jobWatch(JobWatch(job: open.job)))
        else { throw unexpectedAnswer() }
        try watch(job, &client)
    }
}

struct RoundListCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the rounds of a plan, or of all.",
        discussion: examples(
            "round list --dir DIR",
            "round list fashion --dir DIR --json"))

    @OptionGroup var common: CommonOptions

    @Argument(help: "The plan's name.")
    var plan: String?

    func execute() async throws { try answer(.roundList(RoundList(plan: plan ?? ""))) }
}

struct RoundShowCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show one round.",
        discussion: examples("round show 12 --dir DIR"))

    @OptionGroup var common: CommonOptions

    @Argument(help: "The round's number.")
    var number: UInt64

    func execute() async throws { try answer(.roundShow(RoundShow(round: number))) }
}

struct RoundCancelCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel", abstract: "Abandon a round, and the rest of its job.",
        discussion: examples("round cancel 12 --reason 'too slow' --dir DIR"))

    @OptionGroup var common: CommonOptions

    @Argument(help: "The round's number.")
    var number: UInt64

    @Option(help: "Why; it is kept in the audit log.")
    var reason = ""

    func execute() async throws {
        try answer(.roundCancel(RoundCancel(round: number, reason: reason)))
    }
}

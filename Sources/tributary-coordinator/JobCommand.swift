import AdminConsole
import ArgumentParser
import Federation
import Wire

/// `job`: rounds that were asked for, and those that schedules started.
struct JobCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "job", abstract: "List, show, watch and cancel jobs of rounds.",
        discussion: examples(
            "job list --open --dir DIR",
            "job watch 7 --dir DIR"),
        subcommands: [
            JobListCommand.self, JobShowCommand.self, JobWatchCommand.self, JobCancelCommand.self,
        ])
}

struct JobListCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the jobs of a plan, or of all.",
        discussion: examples(
            "job list fashion --dir DIR",
            "job list --open --dir DIR"))

    @OptionGroup var common: CommonOptions

    @Argument(help: "The plan's name.")
    var plan: String?

    @Flag(help: "Only those that run or are queued.")
    var open = false

    func execute() async throws { try answer(.jobList(JobList(plan: plan ?? "", open: open))) }
}

struct JobShowCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show one job.",
        discussion: examples("job show 7 --dir DIR"))

    @OptionGroup var common: CommonOptions

    @Argument(help: "The job's number.")
    var number: UInt64

    @Flag(help: "Show the progress until the last round has ended.")
    var watch = false

    func execute() async throws {
        var client = try AdminClient.connect(directory: common.directory)
        let response = try client.performWhole(.jobWatch(JobWatch(job: number)))
        guard case .job(let job) = response else { throw unexpectedAnswer() }
        guard watch else { return show(response.json, response.text(width: nil)) }
        try self.watch(job, &client)
    }
}

struct JobWatchCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch", abstract: "Watch one job until it has ended.",
        discussion: """
            Ctrl-C ends the watching alone, with exit status 130; the rounds go on.

            \(examples("job watch 7 --dir DIR"))
            """)

    @OptionGroup var common: CommonOptions

    @Argument(help: "The job's number.")
    var number: UInt64

    func execute() async throws {
        var client = try AdminClient.connect(directory: common.directory)
        let response = try client.performWhole(.jobWatch(JobWatch(job: number)))
        guard case .job(let job) = response else { throw unexpectedAnswer() }
        try watch(job, &client)
    }
}

struct JobCancelCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel", abstract: "End a job, and abandon its round if one is in flight.",
        discussion: """
            Privacy that the round has been charged stays charged.

            \(examples("job cancel 7 --reason 'wrong plan' --dir DIR"))
            """)

    @OptionGroup var common: CommonOptions

    @Argument(help: "The job's number.")
    var number: UInt64

    @Option(help: "Why; it is kept in the audit log.")
    var reason = ""

    func execute() async throws { try answer(.jobCancel(JobCancel(job: number, reason: reason))) }
}

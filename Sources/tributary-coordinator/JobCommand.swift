import AdminConsole
import ArgumentParser
import Federation
import Wire

/// `job`: rounds that were asked for, and those that schedules started.
struct JobCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "job", abstract: "List, show and cancel jobs of rounds.",
        subcommands: [JobListCommand.self, JobShowCommand.self, JobCancelCommand.self])
}

struct JobListCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the jobs of a plan, or of all.")

    @OptionGroup var common: CommonOptions

    @Argument(help: "The plan's name.")
    var plan: String?

    @Flag(help: "Only those that run or are queued.")
    var open = false

    func execute() async throws { try answer(.jobList(JobList(plan: plan ?? "", open: open))) }
}

struct JobShowCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show one job.")

    @OptionGroup var common: CommonOptions

    @Argument(help: "The job's number.")
    var number: UInt64

    @Flag(help: "Show the progress until the last round has ended.")
    var watch = false

    func execute() async throws {
        var client = try AdminClient.connect(directory: common.directory)
        let response = try client.performWhole(.jobWatch(JobWatch(job: number)))
        guard case .job(var job) = response else { throw unexpectedAnswer() }
        guard watch else { return show(response.json, response.text(width: nil)) }
        var display = ProgressDisplay(width: progressStream.width)
        job = try client.follow(job) { progressStream.write(display.update($0)) }
        show(job.json, job.summary)
    }
}

struct JobCancelCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel", abstract: "End a job, and abandon its round if one is in flight.",
        discussion: "Privacy that the round has been charged stays charged.")

    @OptionGroup var common: CommonOptions

    @Argument(help: "The job's number.")
    var number: UInt64

    @Option(help: "Why; it is kept in the audit log.")
    var reason = ""

    func execute() async throws { try answer(.jobCancel(JobCancel(job: number, reason: reason))) }
}

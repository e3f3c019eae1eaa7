import AdminConsole
import ArgumentParser
import Configuration
import Console
import Cryptography
import Federation
import Wire

/// `plan`: what the fleet trains.
struct PlanCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Apply, list, show, pause and resume plans.",
        discussion: examples(
            "plan apply fashion.toml --dir DIR",
            "plan show fashion --dir DIR"),
        subcommands: [
            PlanApplyCommand.self, PlanListCommand.self, PlanShowCommand.self,
            PlanPauseCommand.self, PlanResumeCommand.self,
        ])
}

struct PlanApplyCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply",
        abstract: "Register a plan and wait until its first model is ready.",
        discussion: """
            The coordinator trains a teacher on its public data and distils the first model \
            from it. Applying the same text again changes nothing.

            \(examples("plan apply fashion.toml --dir DIR"))
            """)

    @OptionGroup var common: CommonOptions

    @Argument(help: "The plan, a TOML file.")
    var file: String

    @Flag(name: .customLong("no-wait"), help: "Do not wait for the first model.")
    var doesNotWait = false

    func execute() async throws {
        let text = try CredentialFile.read(file)
        _ = try PlanFile.parse(text, file: file)
        var client = try AdminClient.connect(directory: common.directory)
        let response = try client.perform(.planApply(PlanApply(text: text)))
        guard case .plan(var plan) = response else { throw unexpectedAnswer() }
        if !doesNotWait {
            WatchedWork.leave(
                with: "\nthe coordinator goes on preparing it; see `tributary-coordinator plan show"
                    + " \(plan.plan) --dir \(common.directory)`\n")
            var display = ProgressDisplay(width: progressStream.width)
            plan = try client.follow(plan) { progressStream.write(display.update($0)) }
        }
        guard plan.state != "failed" else {
            throw Fault(
                .conflict, "the plan \(plan.plan) could not be prepared: \(plan.detail)",
                remedy: "mend that and apply the plan again")
        }
        let answer = AdminResponse.plan(plan)
        show(answer.json, answer.text(on: OutputStream.standard.screen))
    }
}

struct PlanListCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List every plan.",
        discussion: examples("plan list --dir DIR"))

    @OptionGroup var common: CommonOptions

    func execute() async throws { try answer(.planList(PlanList())) }
}

struct PlanShowCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show one plan.",
        discussion: examples("plan show fashion --dir DIR"))

    @OptionGroup var common: CommonOptions

    @Argument(help: "The plan's name.")
    var name: String

    func execute() async throws { try answer(.planShow(PlanShow(plan: name))) }
}

struct PlanPauseCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause", abstract: "Let no further round of a plan start.",
        discussion: """
            A round in flight goes on to its end. Jobs wait, and so does the plan's schedule, \
            until `plan resume`, across restarts too.

            \(examples("plan pause fashion --reason holidays --dir DIR"))
            """)

    @OptionGroup var common: CommonOptions

    @Argument(help: "The plan's name.")
    var name: String

    @Option(help: "Why; it is kept in the audit log.")
    var reason = ""

    func execute() async throws { try answer(.planPause(PlanPause(plan: name, reason: reason))) }
}

struct PlanResumeCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume", abstract: "End a plan's pause.",
        discussion: examples("plan resume fashion --dir DIR"))

    @OptionGroup var common: CommonOptions

    @Argument(help: "The plan's name.")
    var name: String

    func execute() async throws { try answer(.planResume(PlanResume(plan: name))) }
}

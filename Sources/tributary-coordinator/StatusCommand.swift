import AdminConsole
import ArgumentParser
import Wire

/// `status`: how the coordinator is, and what it has to do.
struct StatusCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Show the coordinator's state, load, rounds in flight and queue.",
        discussion: examples("status --dir DIR"))

    @OptionGroup var common: CommonOptions

    func execute() async throws { try answer(.statusShow(StatusShow())) }
}

import AdminConsole
import ArgumentParser
import CoordinatorService

/// `serve`: the daemon.
struct ServeCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Serve the fleet until told to stop (SIGTERM, SIGINT).")

    @OptionGroup var common: CommonOptions

    func execute() async throws {
        try await Coordinator.serve(directory: common.directory) { address in
            show(.object([("listening", .string(address))]), "listening on \(address)\n")
        }
    }
}

import AdminConsole
import ArgumentParser
import Console
import CoordinatorService
import Dashboard

/// `serve`: the daemon.
struct ServeCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Serve the fleet until told to stop (SIGTERM, SIGINT).",
        discussion: examples("serve --dir STATE"))

    @OptionGroup var common: CommonOptions

    func execute() async throws {
        try await Coordinator.serve(
            directory: common.directory,
            dashboard: { console, settings in DashboardServer(console, settings) }
        ) { address in
            // A fleet is served whether or not that can be read.
            let document = JSONValue.object([("listening", .string(address))])
            OutputStream.standard.offer(
                wantsJSON ? document.text + "\n" : "listening on \(address)\n")
        }
    }
}

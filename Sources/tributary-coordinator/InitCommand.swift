import AdminConsole
import ArgumentParser
import CoordinatorService

/// `init`: a new fleet.
struct InitCommand: ConsoleCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Make a new fleet: keys, certificates, registry, configuration.",
        discussion: examples(
            "init --dir STATE --address fleet.example.org --fleet plant"))

    @OptionGroup var common: CommonOptions

    @Option(
        name: .customLong("address"), parsing: .upToNextOption,
        help: "DNS names or IP addresses under which agents reach the coordinator.")
    var addresses: [String]

    @Option(help: "The TCP port.")
    var port = 7443

    @Option(name: .customLong("http-port"), help: "The TCP port of the log over HTTP; 0: any.")
    var httpPort = 7480

    @Option(name: .customLong("dashboard-port"), help: "The TCP port of the dashboard; 0: any.")
    var dashboardPort = 7481

    @Option(help: "The curve of the key that signs models: P-256 or P-384.")
    var curve = ModelCurve.p256

    @Option(help: "The fleet's name: a-z, 0-9 and -.")
    var fleet = "fleet"

    func execute() async throws {
        let directory = try await StateDirectory.initialise(
            path: common.directory, fleet: fleet, addresses: addresses, port: port,
            httpPort: httpPort, dashboardPort: dashboardPort, curve: curve.kind)
        show(
            .object([
                ("fleet", .string(fleet)), ("dir", .string(directory.path)),
                ("configuration", .string(directory.configurationFile)),
                ("admin_dir", .string(directory.adminFolder)),
            ]),
            """
            fleet '\(fleet)' is ready in \(directory.path)
            next: tributary-coordinator serve --dir \(directory.path)

            """)
    }
}

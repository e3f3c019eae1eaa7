package import Configuration
import Federation
import Kernels
package import Logging
import Registry
package import ServiceLifecycle
import Telemetry
import UnixSignals

/// The daemon: opens the state directory, serves, and stops in order on SIGTERM or SIGINT.
package enum Coordinator {
    /// Makes what serves the dashboard of a fleet beside the daemon.
    package typealias DashboardMaker = @Sendable (FleetConsole, DashboardSettings) -> any Service

    /// What a dashboard is told of its coordinator's configuration.
    package struct DashboardSettings: Sendable {
        package let table: DashboardTable
        /// The host names and IP addresses of this coordinator.
        package let addresses: [String]
        package let log: Logger
    }

    /// Serves the fleet in `directory` until the process is told to stop.
    ///
    /// - Parameters:
    ///   - randomness: where rotation seeds and noise come from; anything but the system's is for replaying a round.
    ///   - dashboard: makes the service of its `[dashboard]`; nil: there is none, whatever the table says.
    ///   - ready: called once with the address when agents can connect.
    /// - Throws: `Fault` when the directory, its registry or the port cannot be used, or another daemon serves it.
    package static func serve(
        directory path: String, randomness: RoundRandomness = .system,
        dashboard: DashboardMaker? = nil, ready: @escaping @Sendable (String) -> Void
    ) async throws {
        let directory = try StateDirectory(path: path)
        let lock = try directory.lock()
        defer { StateDirectory.unlock(lock) }
        var custody = try KeyCustody(directory: directory)
        let configuration = custody.configuration
        let level = Logger.Level(rawValue: configuration.logLevel) ?? .info
        let format = LogFormat(rawValue: configuration.logFormat) ?? .text
        let log = Logger(label: "tributary-coordinator") { _ in
            StderrLog(level: level, format: format)
        }
        try directory.updateOwnAddress()
        let keys = try await custody.settle()
        for line in custody.report { log.notice("\(line)") }
        let fleet = Fleet(
            keys: keys, registry: custody.registry, configuration: configuration,
            surroundings: .system.with(randomness), log: log)
        await fleet.watchStorage()
        try await fleet.start()
        var services: [any Service] = []
        if let http = configuration.http {
            let server = try await LogServer(
                directory: directory.logDirectory, configuration: http, log: log)
            await fleet.servesLog(at: server.address)
            services.append(server)
        }
        if let table = configuration.dashboard, let dashboard {
            let console = FleetConsole(fleet, directory: directory, tellsCounts: table.isLoopback)
            await fleet.dashboardStands(.success("starting on \(table.listen):\(table.port)"))
            let settings = DashboardSettings(
                table: table, addresses: configuration.addresses, log: log)
            services.append(dashboard(console, settings))
        }
        let supervisor = Supervisor(fleet: fleet)
        services.append(
            CoordinatorServer(fleet: fleet, log: log) { address in
                supervisor.ready(address)
                ready(address)
            })
        services.append(supervisor)
        let group = ServiceGroup(
            services: services,
            gracefulShutdownSignals: [.sigterm, .sigint], logger: log)
        try await group.run()
    }
}

import Configuration
import Federation
import Kernels
import Logging
import Registry
import ServiceLifecycle
import UnixSignals

/// The daemon: opens the state directory, serves, and stops in order on SIGTERM or SIGINT.
package enum Coordinator {
    /// Serves the fleet in `directory` until the process is told to stop.
    ///
    /// - Parameters:
    ///   - randomness: where rotation seeds and noise come from; anything but the system's is for replaying a round.
    ///   - ready: called once with the address when agents can connect.
    /// - Throws: `Fault` when the directory, its registry or the port cannot be used, or another daemon serves it.
    package static func serve(
        directory path: String, randomness: RoundRandomness = .system,
        ready: @escaping @Sendable (String) -> Void
    ) async throws {
        let directory = try StateDirectory(path: path)
        let lock = try directory.lock()
        defer { StateDirectory.unlock(lock) }
        var custody = try KeyCustody(directory: directory)
        let configuration = custody.configuration
        var log = Logger(label: "tributary-coordinator")
        log.logLevel = Logger.Level(rawValue: configuration.logLevel) ?? .info
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
        services.append(CoordinatorServer(fleet: fleet, log: log, ready: ready))
        let group = ServiceGroup(
            services: services,
            gracefulShutdownSignals: [.sigterm, .sigint], logger: log)
        try await group.run()
    }
}

import Configuration
import Federation
import Glibc
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
        defer { close(lock) }
        let configuration = try directory.configuration()
        var log = Logger(label: "tributary-coordinator")
        log.logLevel = Logger.Level(rawValue: configuration.logLevel) ?? .info
        let registry = try Registry.open(directory: path)
        let fleet = Fleet(
            keys: try FleetKeys(directory: directory), registry: registry,
            configuration: configuration, randomness: randomness, log: log)
        try await fleet.start()
        let group = ServiceGroup(
            services: [CoordinatorServer(fleet: fleet, log: log, ready: ready)],
            gracefulShutdownSignals: [.sigterm, .sigint], logger: log)
        try await group.run()
    }
}

import Configuration
package import Cryptography
package import Federation
import Logging
package import Provenance
package import Registry
package import Wire

/// A coordinator without sockets, for the fault simulation: what a connection asks, the daemon's own code answers.
package struct SimulatedCoordinator: Sendable {
    private let fleet: Fleet

    /// The keys and the configuration of a fleet, loaded once for any number of coordinators.
    package struct Fixture: Sendable {
        fileprivate let keys: FleetKeys
        fileprivate let configuration: CoordinatorConfiguration
        /// The registry of the directory they are from.
        package let registry: Registry

        /// - Throws: `Fault` when `directory` holds no fleet, or another process serves it.
        package init(_ directory: StateDirectory) async throws(Fault) {
            var custody = try KeyCustody(directory: directory)
            keys = try await custody.settle()
            configuration = custody.configuration
            registry = custody.registry
        }

        /// Signs the fleet's log.
        package var log: LogSigner { keys.log }
    }

    /// - Parameter level: of what the coordinator says on standard error; one of swift-log's.
    package init(
        _ fixture: Fixture, registry: Registry, surroundings: Surroundings,
        logLevel level: String = "critical"
    ) {
        var log = Logger(label: "simulation")
        log.logLevel = Logger.Level(rawValue: level) ?? .critical
        fleet = Fleet(
            keys: fixture.keys, registry: registry, configuration: fixture.configuration,
            surroundings: surroundings, log: log)
    }

    /// Takes up what the registry holds.
    package func start() async throws(Fault) { try await fleet.start() }

    /// Ends every task of the coordinator.
    package func stop() async { await fleet.stop() }

    /// What one connection asks, and what it hears.
    package struct Conversation {
        private var session: Session

        /// - Parameters:
        ///   - certificate: what the peer showed; nil: none.
        ///   - isConnected: whether it can still hear an answer.
        /// - Throws: `Fault.unauthenticated` when the certificate is of no member of the fleet.
        package init(
            with coordinator: SimulatedCoordinator, showing certificate: Certificate?,
            isConnected: @escaping @Sendable () -> Bool
        ) throws(Fault) {
            session = try Session(
                fleet: coordinator.fleet, certificate: certificate, isConnected: isConnected)
        }

        /// The answer to `message`; nil when it has none.
        package mutating func answer(_ message: Message) async -> Message? {
            await session.answer(message)
        }
    }
}

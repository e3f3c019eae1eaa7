import Federation
import ServiceLifecycle
import Telemetry

/// Tells the service manager, systemd for one, that agents can connect, that the fleet's actor answers, and that the
/// daemon stops. Where nobody listens, nothing is sent.
struct Supervisor: Service {
    let fleet: Fleet
    private let notifier = SystemdNotifier()

    init(fleet: Fleet) { self.fleet = fleet }

    /// Agents can connect to `address`.
    func ready(_ address: String) {
        notifier.status("serving agents at \(address)")
        notifier.ready()
    }

    /// Gives signs of life until the process is told to stop.
    func run() async throws {
        do {
            try await cancelWhenGracefulShutdown {
                while true {
                    // Everything that agents and people ask goes by way of the actor: if it is stuck, so is this.
                    _ = await fleet.port
                    notifier.alive()
                    try await Task.sleep(for: .seconds(notifier.longestWaitSeconds))
                }
            }
        } catch is CancellationError {
            // An orderly stop ends it this way.
        }
        notifier.stopping()
    }
}

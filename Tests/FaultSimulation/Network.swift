import Cryptography
import Federation

/// The network between the devices and the coordinator.
final class Network: Sendable {
    /// After so many seconds without a way through, a connection is given up, as TCP does.
    static let patienceSeconds = 30.0

    let world: World
    nonisolated(unsafe) var hazards: Hazards
    /// Until when nothing passes between a peer, by its name, and the coordinator.
    nonisolated(unsafe) private var partitions: [String: Double] = [:]
    /// Takes new connections; nil: nobody listens.
    nonisolated(unsafe) var listener: ((Connection) -> Void)?

    init(world: World, hazards: Hazards) {
        self.world = world
        self.hazards = hazards
    }

    /// Nothing passes to or from `peer` for so long.
    func cutOff(_ peer: String, seconds: Double) {
        world.note("\(peer) is cut off")
        partitions[peer] = max(partitions[peer] ?? 0, world.seconds + seconds)
    }

    /// Every way is open again.
    func heal() { partitions = [:] }

    /// Seconds until bytes that `peer` sends now, or is sent now, are there.
    func transit(_ peer: String) -> Double {
        let delay = world.draw(from: hazards.delay.least, to: hazards.delay.most)
        return max(0, (partitions[peer] ?? 0) - world.seconds) + delay
    }

    /// Opens a connection for `peer`; `opened` gets it, or nil.
    func connect(
        _ peer: String, showing certificate: Certificate, opened: @escaping (Connection?) -> Void
    ) {
        let transit = transit(peer)
        guard transit < Self.patienceSeconds / 2 else {
            return world.after(Self.patienceSeconds / 2) { opened(nil) }
        }
        world.after(2 * transit) { [self] in
            guard let listener, !world.happens(hazards.cut) else { return opened(nil) }
            let connection = Connection(in: self, of: peer, showing: certificate)
            listener(connection)
            opened(connection)
        }
    }
}

import Cryptography
import Federation
import Wire

/// One TCP connection: each direction delivers what was sent, in order, late, and up to where it broke.
///
/// Frames cannot get lost singly or be exchanged on it. But one side can hear of a break long before the other, so a
/// peer's words on an old connection may arrive after those on its next: late, doubled and out of order.
final class Connection: Sendable {
    /// One end of it.
    private struct End {
        var decoder = FrameDecoder()
        /// When the last bytes sent to it arrive.
        var lastArrival = 0.0
        /// It closed, or has heard that the other closed.
        var isClosed = false
    }

    enum Side { case device, coordinator }

    let certificate: Certificate
    let peer: String
    private let network: Network
    private let world: World
    nonisolated(unsafe) private var device = End()
    nonisolated(unsafe) private var coordinator = End()
    /// Bytes that are sent from now on vanish.
    nonisolated(unsafe) private var isBroken = false
    /// Tells the device of messages, and of the end: nil.
    nonisolated(unsafe) var toDevice: ((Result<Message, Fault>?) -> Void)?
    /// What the coordinator has not looked at yet.
    nonisolated(unsafe) private var inbox: [Result<Message, Fault>] = []
    nonisolated(unsafe) private var reader: CheckedContinuation<Result<Message, Fault>?, Never>?

    init(in network: Network, of peer: String, showing certificate: Certificate) {
        self.network = network
        world = network.world
        self.peer = peer
        self.certificate = certificate
    }

    /// Whether the coordinator believes that the device can hear it.
    var isOpenForCoordinator: Bool { !coordinator.isClosed }

    // MARK: Sending

    func send(_ message: Message, from side: Side) {
        let frame: [UInt8]
        do throws(Fault) { frame = try message.encoded() } catch {
            frame = (try? Message.failure(Failure(error)).encoded()) ?? []
        }
        send(frame, from: side)
    }

    /// Sends bytes that need not be a message.
    func send(_ bytes: [UInt8], from side: Side) {
        guard !isClosed(side), !isBroken else { return }
        guard !world.happens(network.hazards.cut) else {
            deliver(Array(bytes.prefix(world.draw(0...bytes.count))), to: side.other)
            return snap()
        }
        deliver(bytes, to: side.other)
    }

    private func deliver(_ bytes: [UInt8], to side: Side) {
        let transit = network.transit(peer)
        guard transit < Network.patienceSeconds else { return snap() }
        let last = side == .device ? device.lastArrival : coordinator.lastArrival
        let arrival = max(last, world.seconds + transit)
        if side == .device {
            device.lastArrival = arrival
        } else {
            coordinator.lastArrival = arrival
        }
        world.after(arrival - world.seconds) { [self] in arrive(bytes, at: side) }
    }

    private func arrive(_ bytes: [UInt8], at side: Side) {
        guard !isClosed(side) else { return }
        if side == .device {
            device.decoder.append(bytes)
        } else {
            coordinator.decoder.append(bytes)
        }
        while !isClosed(side) {
            do throws(Fault) {
                let message =
                    side == .device ? try device.decoder.next() : try coordinator.decoder.next()
                guard let message else { return }
                receive(.success(message), at: side)
            } catch {
                return receive(.failure(error), at: side)
            }
        }
    }

    private func receive(_ message: Result<Message, Fault>, at side: Side) {
        if side == .device {
            toDevice?(message)
        } else if let reader {
            self.reader = nil
            reader.resume(returning: message)
        } else {
            inbox.append(message)
        }
    }

    // MARK: Ending

    /// `side` closes it; the other hears of that after everything that was sent.
    func close(by side: Side) {
        guard !isClosed(side) else { return }
        end(side)
        guard !isBroken else { return }
        isBroken = true
        tell(side.other)
    }

    /// It breaks: neither can be heard any more, and perhaps only one of them learns of it.
    func snap() {
        guard !isBroken else { return }
        isBroken = true
        if !world.happens(network.hazards.halfOpen) { tell(.coordinator) }
        if !world.happens(network.hazards.halfOpen) { tell(.device) }
    }

    /// The process on `side` was killed; its machine says so to the other, if it is still there.
    func kill(_ side: Side) {
        isBroken = true
        end(side)
        if !world.happens(network.hazards.halfOpen) { tell(side.other) }
    }

    private func tell(_ side: Side) {
        let last = side == .device ? device.lastArrival : coordinator.lastArrival
        let transit = network.transit(peer)
        guard transit < Network.patienceSeconds else { return }
        world.after(max(last - world.seconds, transit)) { [self] in end(side) }
    }

    private func end(_ side: Side) {
        guard !isClosed(side) else { return }
        if side == .device {
            device.isClosed = true
            let toDevice = self.toDevice
            self.toDevice = nil
            toDevice?(nil)
        } else {
            coordinator.isClosed = true
            let reader = self.reader
            self.reader = nil
            reader?.resume(returning: nil)
        }
    }

    private func isClosed(_ side: Side) -> Bool {
        side == .device ? device.isClosed : coordinator.isClosed
    }

    // MARK: The coordinator's reading

    /// The next message; nil at the end.
    func next() async -> Result<Message, Fault>? {
        await withCheckedContinuation { continuation in
            if !inbox.isEmpty {
                continuation.resume(returning: inbox.removeFirst())
            } else if coordinator.isClosed {
                continuation.resume(returning: nil)
            } else {
                reader = continuation
            }
        }
    }
}

extension Connection.Side {
    var other: Self { self == .device ? .coordinator : .device }
}

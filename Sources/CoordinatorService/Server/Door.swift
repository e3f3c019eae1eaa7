import Configuration
import Federation
import Glibc
import Logging
import NIOCore
import Rounds
import Synchronization

/// Lets peers in: `Admission` and `BufferShare` with the real clock, for connections on any event loop.
final class Door: Sendable {
    /// Beyond the agents' places, for those whose certificate has not been seen yet, and for people.
    static let reserve = 128
    /// Of them, for peers without a certificate: the others are kept for those that show one.
    private static let strangers = 64
    /// Refusals are told in the log at most this often, in seconds.
    private static let complaintSeconds = 10.0

    private struct Visit {
        let channel: any Channel
        /// Its handshake may begin; nil once it has.
        var admitted: EventLoopPromise<Void>?
    }

    private struct State {
        var admission: Admission
        var share: BufferShare
        var visits: [UInt64: Visit] = [:]
        var waiters: [UInt64: @Sendable () -> Void] = [:]
        var nextID: UInt64 = 1
        /// Until when a turn is already due.
        var isTurnScheduled = false
        /// Accepting waits for a free place.
        var resume: (@Sendable () -> Void)?
        var refused: UInt64 = 0
        /// Handshakes that ended, well and not.
        var handshakes: (completed: UInt64, failed: UInt64) = (0, 0)
        /// Of them, those that the log has been told of.
        var told: UInt64 = 0
        var complained: MonotonicInstant?
        var isClosed = false

        /// What makes accepting go on, when it waits for a place and there is one.
        mutating func takeResume() -> (@Sendable () -> Void)? {
            admission.isFull ? nil : resume.take()
        }
    }

    private let state: Mutex<State>
    private let clock: any ServiceClock
    private let log: Logger
    private let loop: any EventLoop

    init(limits: CoordinatorLimits, clock: any ServiceClock, loop: any EventLoop, log: Logger) {
        self.clock = clock
        self.loop = loop
        self.log = log
        let admission = Admission(
            limits: Admission.Limits(
                agents: limits.connections, perAddress: limits.connectionsPerAddress,
                reserve: Self.reserve, strangers: Self.strangers,
                handshakesPerSecond: limits.handshakesPerSecond,
                handshakesPerSecondPerAddress: limits.handshakesPerSecondPerAddress,
                waitSeconds: Double(limits.handshakeSeconds)), now: clock.now)
        state = Mutex(
            State(
                admission: admission, share: BufferShare(capacity: limits.buffersMiB << 20)))
    }

    /// Connections open now, and since the start those turned away, and the handshakes that ended.
    var load: LoadReport {
        state.withLock { state in
            var load = LoadReport()
            load.connections = state.admission.count
            load.shed = state.refused
            load.handshakes = state.handshakes.completed
            load.handshakesFailed = state.handshakes.failed
            return load
        }
    }

    /// A TLS handshake ended.
    func handshakeEnded(well: Bool) {
        state.withLock { state in
            if well { state.handshakes.completed += 1 } else { state.handshakes.failed += 1 }
        }
    }

    // MARK: Arriving

    /// Whether another connection may be accepted now; else `resume` is called when one may.
    func mayAccept(else resume: @escaping @Sendable () -> Void) -> Bool {
        state.withLock { state in
            guard state.admission.isFull else { return true }
            state.resume = resume
            return false
        }
    }

    /// `channel` was accepted. The future succeeds, with the connection's number, when its handshake may begin, and fails
    /// when it is not wanted.
    func admit(_ channel: any Channel) -> EventLoopFuture<UInt64> {
        let address = Self.origin(of: channel.remoteAddress)
        let promise = channel.eventLoop.makePromise(of: Void.self)
        let now = clock.now
        let id: UInt64? = state.withLock { state in
            let id = state.nextID
            state.nextID += 1
            guard !state.isClosed, state.admission.arrived(id, from: address, now: now) else {
                state.refused += 1
                return nil
            }
            state.visits[id] = Visit(channel: channel, admitted: promise)
            return id
        }
        guard let id else {
            promise.fail(Fault(.exhausted, "too many connections from \(address)"))
            complain(now: now)
            return promise.futureResult.map { 0 }
        }
        channel.closeFuture.whenComplete { [self] _ in left(id) }
        takeTurns()
        return promise.futureResult.map { id }
    }

    /// What counts as one address: an IPv4 address, or the network of an IPv6 one, which is a subscriber's to fill.
    static func origin(of address: SocketAddress?) -> String {
        let text = address?.ipAddress ?? "unknown"
        guard case .v6? = address else { return text }
        var network = [UInt8](repeating: 0, count: 16)
        guard inet_pton(AF_INET6, text, &network) == 1 else { return text }
        // An IPv4 address on a socket for both.
        let isMapped = network.starts(with: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff])
        return isMapped
            ? network.suffix(4).map(String.init).joined(separator: ".")
            : hexadecimal(Array(network.prefix(8)))
    }

    /// Begins the handshakes whose turn it is, and sees to the next ones.
    private func takeTurns() {
        let now = clock.now
        var begin: [EventLoopPromise<Void>] = []
        var close: [any Channel] = []
        var wait: Double?
        state.withLock { state in
            let turn = state.admission.turn(now: now)
            for id in turn.begin {
                if let promise = state.visits[id]?.admitted { begin.append(promise) }
                state.visits[id]?.admitted = nil
            }
            close = turn.close.compactMap { state.visits[$0]?.channel }
            if let again = turn.again, !state.isTurnScheduled {
                state.isTurnScheduled = true
                wait = again.seconds(since: now)
            }
        }
        for promise in begin { promise.succeed() }
        for channel in close { channel.close(promise: nil) }
        guard let wait else { return }
        loop.scheduleTask(in: .microseconds(Int64(max(0.001, wait) * 1e6))) { [self] in
            state.withLock { $0.isTurnScheduled = false }
            takeTurns()
        }
    }

    private func left(_ id: UInt64) {
        let now = clock.now
        let (resume, waiting) = state.withLock { state in
            state.admission.left(id, now: now)
            let waiting = state.visits.removeValue(forKey: id)?.admitted
            return (state.takeResume(), waiting)
        }
        waiting?.fail(ChannelError.ioOnClosedChannel)
        release(id)
        resume?()
    }

    // MARK: Being known

    /// The connection is an agent's. Returns whether it may stay.
    func isAgent(_ id: UInt64) -> Bool { stays { $0.isAgent(id) } }

    /// The connection's peer has no certificate. Returns whether it may stay, to enrol.
    func isStranger(_ id: UInt64) -> Bool { stays { $0.isStranger(id) } }

    private func stays(_ isLetIn: (inout Admission) -> Bool) -> Bool {
        let stays = state.withLock { state in
            let stays = isLetIn(&state.admission)
            if !stays { state.refused += 1 }
            return stays
        }
        if !stays { complain(now: clock.now) }
        return stays
    }

    /// The connection is a person's.
    func isPerson(_ id: UInt64) {
        let resume = state.withLock { state in
            state.admission.isPerson(id)
            return state.takeResume()
        }
        resume?()
    }

    private func complain(now: MonotonicInstant) {
        let (count, connections): (UInt64, Int) = state.withLock { state in
            if let last = state.complained, now.seconds(since: last) < Self.complaintSeconds {
                return (0, 0)
            }
            state.complained = now
            defer { state.told = state.refused }
            return (state.refused - state.told, state.admission.count)
        }
        guard count > 0 else { return }
        log.warning(
            "connections refused",
            metadata: [
                "count": "\(count)", "connected": "\(connections)",
                "why": "[limits] of coordinator.toml",
            ])
    }

    // MARK: Memory

    /// Asks for `bytes` of the memory that large messages share, for one of `owner`'s connections. Returns whether they are
    /// there; else `then` is called, on some event loop, when they are.
    func reserve(
        _ id: UInt64, of owner: String, bytes: Int, then: @escaping @Sendable () -> Void
    ) -> Bool {
        state.withLock { state in
            if state.share.wants(id, of: owner, bytes: bytes) { return true }
            state.waiters[id] = then
            return false
        }
    }

    /// Gives back what `reserve` gave.
    func release(_ id: UInt64) {
        let served = state.withLock { state in
            state.waiters[id] = nil
            return state.share.released(id).compactMap { state.waiters.removeValue(forKey: $0) }
        }
        for then in served { then() }
    }

    // MARK: Closing

    /// Closes every connection; none is admitted any more.
    func close() {
        let channels = state.withLock { state in
            state.isClosed = true
            return state.visits.values.map(\.channel)
        }
        for channel in channels { channel.close(promise: nil) }
    }
}

/// On the listening socket: accepts only while there are places.
final class AcceptGate: ChannelOutboundHandler, Sendable {
    typealias OutboundIn = Never

    private let door: Door

    init(_ door: Door) { self.door = door }

    func read(context: ChannelHandlerContext) {
        let this = NIOLoopBound(context, eventLoop: context.eventLoop)
        let loop = context.eventLoop
        let mayAccept = door.mayAccept {
            loop.execute { this.value.read() }
        }
        if mayAccept { context.read() }
    }
}

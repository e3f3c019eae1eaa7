import Cryptography
import Federation
import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import Synchronization

/// Many virtual devices, and what became of them.
final class Crowd: Sendable {
    /// What is counted.
    enum Happening: Int, CaseIterable, Sendable {
        case connected, disconnected, checkedIn, assigned, accepted, putOff, tooLate, received, sent
    }

    /// What every device submits: zeros, which any lattice admits.
    struct Update: Sendable {
        let bytes: [UInt8]
        let digest: Digest
    }

    private struct State {
        var counts = [UInt64](repeating: 0, count: Happening.allCases.count)
        var notes: [String: Int] = [:]
        var failures: [Int] = []
        var isOver = false
        var update: Update?
        /// When each handshake ended.
        var handshakes: [ContinuousClock.Instant] = []
    }

    let downloads: Bool
    private let plan: String
    private let address: NetworkAddress
    private let contexts: [NIOSSLContext]
    private let group: MultiThreadedEventLoopGroup
    private let state: Mutex<State>

    /// - Parameters:
    ///   - downloads: whether a device fetches the model it is to train from.
    init(
        _ identities: [KeptIdentity], authorities: [NIOSSLCertificate], address: NetworkAddress,
        plan: String, downloads: Bool
    ) throws {
        self.address = address
        self.plan = plan
        self.downloads = downloads
        group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        contexts = try identities.map { try $0.context(authorities) }
        var state = State()
        state.failures = [Int](repeating: 0, count: identities.count)
        self.state = Mutex(state)
    }

    // MARK: Counting

    func count(_ happening: Happening, _ amount: UInt64 = 1) {
        state.withLock {
            $0.counts[happening.rawValue] += amount
            if happening == .connected { $0.handshakes.append(.now) }
        }
    }

    subscript(_ happening: Happening) -> UInt64 {
        state.withLock { $0.counts[happening.rawValue] }
    }

    /// Devices that are connected now.
    var present: Int { Int(self[.connected]) - Int(self[.disconnected]) }

    func note(_ what: String) { state.withLock { $0.notes[what, default: 0] += 1 } }

    /// What went wrong, and how often.
    var notes: [String: Int] { state.withLock { $0.notes } }

    /// The most handshakes that ended within any one second since `start`.
    func busiestSecond(since start: ContinuousClock.Instant) -> Int {
        let ends = state.withLock { $0.handshakes }.filter { $0 >= start }.sorted()
        var most = 0
        var first = 0
        for (index, end) in ends.enumerated() {
            while ends[first] <= end - .seconds(1) { first += 1 }
            most = max(most, index - first + 1)
        }
        return most
    }

    func update(bytes: Int) -> Update {
        state.withLock { state in
            if let update = state.update, update.bytes.count == bytes { return update }
            let zeros = [UInt8](repeating: 0, count: bytes)
            let update = Update(bytes: zeros, digest: SHA256.digest(of: zeros))
            state.update = update
            return update
        }
    }

    // MARK: Connecting

    /// Connects every device, at most `rate` new ones a second.
    func connect(rate: Int) async throws {
        let start = ContinuousClock.now
        for index in contexts.indices {
            let due = start + .seconds(Double(index) / Double(rate))
            if due > .now { try await Task.sleep(until: due, clock: .continuous) }
            connect(index)
        }
    }

    private func connect(_ index: Int) {
        let loop = group.next()
        let bootstrap = ClientBootstrap(group: loop)
            .connectTimeout(.seconds(15))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { [self] channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers([
                        try NIOSSLClientHandler(context: contexts[index], serverHostname: nil),
                        Device(index, of: self, plan: plan),
                    ])
                }
            }
        bootstrap.connect(host: address.host, port: Int(address.port)).whenFailure { [self] error in
            note("cannot connect: \(error)")
            reconnect(index)
        }
    }

    /// Comes back as an agent does: after a random delay, under a bound that doubles from half a second to a minute.
    func reconnect(_ index: Int) {
        let bound: Double? = state.withLock { state in
            guard !state.isOver else { return nil }
            state.failures[index] += 1
            return min(60, 0.5 * Double(1 << min(10, state.failures[index] - 1)))
        }
        guard let bound else { return }
        group.next().scheduleTask(in: .nanoseconds(Int64(Double.random(in: 0..<bound) * 1e9))) {
            self.connect(index)
        }
    }

    /// Every device's next delay is a first one again.
    func forgetFailures() {
        state.withLock { state in
            for index in state.failures.indices { state.failures[index] = 0 }
        }
    }

    func disperse() async throws {
        state.withLock { $0.isOver = true }
        try await group.shutdownGracefully()
    }
}

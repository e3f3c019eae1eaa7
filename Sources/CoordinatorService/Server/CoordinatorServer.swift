import Configuration
import Cryptography
import Federation
import Glibc
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import Rounds
import ServiceLifecycle
import Wire

/// The one port: TLS 1.3, enrolment without a client certificate, everything else with one.
struct CoordinatorServer: Service {
    /// Connections that the operating system keeps while none is accepted.
    private static let backlog: Int32 = 1024
    /// The most that is read from a connection at a time.
    private static let readBytes = 32 << 10
    /// A peer that vanished without a word, such as a device that lost its network, is noticed after this many seconds of
    /// silence and a few more.
    private static let keepAliveSeconds = 60
    private static let keepAliveInterval = 15
    private static let keepAliveProbes = 4
    /// How often `status` learns the numbers of connections.
    private static let reportSeconds = 1.0

    let fleet: Fleet
    let log: Logger
    let ready: @Sendable (String) -> Void

    /// Serves until the process is told to stop.
    func run() async throws {
        Heap.giveBackFreedMemory()
        let context = try tlsContext(fleet.keys)
        let limits = openFileLimits(fleet.configuration.limits, log: log)
        let group = MultiThreadedEventLoopGroup.singleton
        let door = Door(limits: limits, clock: fleet.clock, loop: group.next(), log: log)
        let listener = try await bind(context, limits, door)
        let bound = listener.localAddress
        let address = NetworkAddress(
            host: bound?.ipAddress ?? fleet.configuration.listen,
            port: UInt16(clamping: bound?.port ?? fleet.configuration.port))
        await fleet.listens(on: address.port)
        ready(address.description)
        log.info("listening", metadata: ["address": "\(address)"])
        do {
            try await cancelWhenGracefulShutdown { try await report(door, limits) }
        } catch is CancellationError {
            // An orderly stop ends it this way.
        }
        try? await listener.close()
        door.close()
        await fleet.stop()
    }

    /// Tells the fleet how many are connected, until the daemon stops.
    private func report(_ door: Door, _ limits: CoordinatorLimits) async throws {
        while true {
            var load = door.load
            load.connectionLimit = limits.connections
            await fleet.serves(load)
            try await Task.sleep(for: .seconds(Self.reportSeconds))
        }
    }

    private func bind(
        _ context: NIOSSLContext, _ limits: CoordinatorLimits, _ door: Door
    ) async throws -> any Channel {
        let configuration = fleet.configuration
        do {
            return try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .serverChannelOption(.backlog, value: Self.backlog)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .serverChannelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandlers([
                            AcceptBackoffHandler(), AcceptGate(door),
                        ])
                    }
                }
                .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                // What it read with stays with a connection: one buffer, and TLS another for what that holds.
                .childChannelOption(
                    .recvAllocator,
                    value: AdaptiveRecvByteBufferAllocator(
                        minimum: 512, initial: 2048, maximum: Self.readBytes)
                )
                .childChannelOption(.maxMessagesPerRead, value: 1)
                .childChannelOption(.socketOption(.so_keepalive), value: 1)
                .childChannelOption(Self.tcp(TCP_KEEPIDLE), value: Self.keepAliveSeconds)
                .childChannelOption(Self.tcp(TCP_KEEPINTVL), value: Self.keepAliveInterval)
                .childChannelOption(Self.tcp(TCP_KEEPCNT), value: Self.keepAliveProbes)
                .childChannelInitializer { channel in
                    // Not registered for events until its turn, so nothing of it is read before.
                    door.admit(channel).flatMapThrowing { id in
                        try channel.pipeline.syncOperations.addHandlers([
                            NIOSSLServerHandler(context: context),
                            ConnectionHandler(
                                id, fleet: fleet, limits: limits, door: door, log: log),
                        ])
                    }
                }
                .bind(host: configuration.listen, port: configuration.port).get()
        } catch {
            throw listenFault(
                error, host: configuration.listen, port: configuration.port,
                remedy:
                    "stop what uses the port, or set another port in coordinator.toml and issue new tokens"
            )
        }
    }

    private static func tcp(_ name: CInt) -> ChannelOptions.Types.SocketOption {
        ChannelOptions.Types.SocketOption(
            level: .tcp, name: .init(rawValue: name))
    }
}

extension Fleet {
    /// The server has this much to do, besides uploads, which are known here.
    fileprivate func serves(_ load: LoadReport) {
        var load = load
        load.uploads = slots.count
        load.uploadBytes = UInt64(slots.bytes)
        load.uploadByteLimit = UInt64(configuration.limits.uploadsInFlightMiB) << 20
        carries(load)
    }
}

/// Takes as many open files as the operating system grants; `limits` with no more connections than they are enough for.
private func openFileLimits(_ limits: CoordinatorLimits, log: Logger) -> CoordinatorLimits {
    /// For the registry, blobs and the log's readers, and for those who are yet unknown.
    let others = 192 + Door.reserve
    var files = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &files) == 0 else { return limits }
    if files.rlim_cur < files.rlim_max {
        files.rlim_cur = files.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &files)
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &files)
    }
    let enough = max(1, Int(clamping: files.rlim_cur) - others)
    guard enough < limits.connections else { return limits }
    log.warning(
        "fewer connections than configured",
        metadata: [
            "connections": "\(enough)",
            "why": "this process may open \(files.rlim_cur) files (LimitNOFILE in its unit)",
        ])
    var limits = limits
    limits.connections = enough
    limits.connectionsPerAddress = min(limits.connectionsPerAddress, enough)
    return limits
}

/// TLS 1.3 only; a client certificate is optional, for enrolment, and must be of one of the fleet's authorities when there
/// is one: while the authority is being replaced there are two.
private func tlsContext(_ keys: FleetKeys) throws -> NIOSSLContext {
    var configuration = TLSConfiguration.makeServerConfiguration(
        certificateChain: try keys.serverChain.map {
            .certificate(try NIOSSLCertificate(bytes: $0.der, format: .der))
        },
        privateKey: .privateKey(try NIOSSLPrivateKey(file: keys.serverKeyFile, format: .pem)))
    configuration.minimumTLSVersion = .tlsv13
    configuration.applicationProtocols = [applicationProtocol]
    configuration.certificateVerification = .optionalVerification
    configuration.trustRoots = .certificates(
        try keys.trustedAuthorities.map { try NIOSSLCertificate(bytes: $0.der, format: .der) })
    return try NIOSSLContext(configuration: configuration)
}

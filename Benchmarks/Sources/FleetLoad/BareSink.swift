import Cryptography
import Federation
import NIOCore
import NIOPosix
import NIOSSL
import NIOTLS
import Synchronization

/// What TLS alone reaches on this machine: connections with certificates on both sides, a thread a side, and a server that
/// throws away what it gets.
struct BareSink {
    /// Bytes of one write, as large as an update.
    let writeBytes: Int
    let server: NIOSSLContext
    let client: NIOSSLContext

    /// - Parameter coordinator: whose server certificate it shows.
    init(
        writeBytes: Int, certificatesOf coordinator: CoordinatorProcess, client: KeptIdentity
    ) throws {
        self.writeBytes = writeBytes
        self.client = try client.context(coordinator.authorities)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMFile(
                coordinator.state + "/certificates/server.crt"
            ).map { .certificate($0) },
            privateKey: .privateKey(
                try NIOSSLPrivateKey(
                    file: coordinator.state + "/keys/server.key", format: .pem)))
        configuration.minimumTLSVersion = .tlsv13
        configuration.applicationProtocols = [applicationProtocol]
        configuration.certificateVerification = .noHostnameVerification
        configuration.trustRoots = .certificates(try coordinator.authorities)
        server = try NIOSSLContext(configuration: configuration)
    }

    /// Bytes a second, over `seconds`.
    ///
    /// - Parameters:
    ///   - connections: that write at the same time.
    ///   - window: writes of each that are under way at a time.
    func rate(connections: Int, window: Int, seconds: Double) async throws -> Double {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        let received = Received()
        let listener = try await ServerBootstrap(group: group)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelInitializer { [server] channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers([
                        NIOSSLServerHandler(context: server), Sink(received),
                    ])
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        guard let address = listener.localAddress else {
            throw Fault(.unavailable, "the sink has no address")
        }
        let bootstrap = ClientBootstrap(group: group)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelInitializer { [client, writeBytes] channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers([
                        try NIOSSLClientHandler(context: client, serverHostname: nil),
                        Flood(writeBytes: writeBytes, window: window),
                    ])
                }
            }
        for _ in 0..<connections { _ = try await bootstrap.connect(to: address).get() }
        while received.bytes == 0 { try await Task.sleep(for: .milliseconds(1)) }
        let before = received.bytes
        let start = ContinuousClock.now
        try await Task.sleep(for: .seconds(seconds))
        let bytes = received.bytes - before
        let elapsed = Double((ContinuousClock.now - start) / .microseconds(1)) / 1e6
        // Which closes the connections all at once.
        try await group.shutdownGracefully()
        return Double(bytes) / elapsed
    }
}

/// How much has come.
private final class Received: Sendable {
    private let count = Atomic(0)

    var bytes: Int { count.load(ordering: .relaxed) }

    func add(_ bytes: Int) { count.wrappingAdd(bytes, ordering: .relaxed) }
}

private final class Sink: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let received: Received

    init(_ received: Received) { self.received = received }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        received.add(unwrapInboundIn(data).readableBytes)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}

/// Writes the same bytes as fast as they leave.
private final class Flood: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let bytes: ByteBuffer
    private let window: Int

    init(writeBytes: Int, window: Int) {
        bytes = ByteBuffer(repeating: 0x55, count: writeBytes)
        self.window = window
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case .handshakeCompleted? = event as? TLSUserEvent else { return }
        for _ in 0..<window { write(context) }
    }

    private func write(_ context: ChannelHandlerContext) {
        let this = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        context.writeAndFlush(wrapOutboundOut(bytes)).whenSuccess {
            let (flood, context) = this.value
            // Later: where the socket takes all at once, this is called from within the write, and again, and again.
            context.eventLoop.assumeIsolated().execute { flood.write(context) }
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }
}

import Configuration
import Cryptography
import Federation
import Logging
import NIOCore
import NIOPosix
import NIOSSL
import ServiceLifecycle
import Wire

/// The one port: TLS 1.3, enrolment without a client certificate, everything else with one.
struct CoordinatorServer: Service {
    private typealias Connection = NIOAsyncChannel<Result<Message, Fault>, Message>

    /// A connection that says nothing for this long is closed; a check-in is held at most half as long.
    private static let idleSeconds: Int64 = 600

    let fleet: Fleet
    let log: Logger
    let ready: @Sendable (String) -> Void

    /// Serves until the process is told to stop.
    func run() async throws {
        let context = try tlsContext(fleet.keys)
        let listener = try await bind(context)
        let bound = listener.channel.localAddress
        let address = NetworkAddress(
            host: bound?.ipAddress ?? fleet.configuration.listen,
            port: UInt16(clamping: bound?.port ?? fleet.configuration.port))
        await fleet.listens(on: address.port)
        ready(address.description)
        log.info("listening", metadata: ["address": "\(address)"])
        do {
            try await cancelWhenGracefulShutdown {
                try await accept(from: listener)
            }
        } catch is CancellationError {
            // An orderly stop ends the loop this way.
        }
        await fleet.stop()
    }

    private func accept(from listener: NIOAsyncChannel<Connection, Never>) async throws {
        try await listener.executeThenClose { connections in
            try await withThrowingDiscardingTaskGroup { group in
                for try await connection in connections {
                    group.addTask { await serve(connection) }
                }
            }
        }
    }

    private func bind(
        _ context: NIOSSLContext
    ) async throws -> NIOAsyncChannel<Connection, Never> {
        let configuration = fleet.configuration
        do {
            return try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                .serverChannelOption(.backlog, value: 1024)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                .bind(host: configuration.listen, port: configuration.port) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let pipeline = channel.pipeline.syncOperations
                        try pipeline.addHandler(NIOSSLServerHandler(context: context))
                        try pipeline.addHandler(
                            IdleStateHandler(allTimeout: .seconds(Self.idleSeconds)))
                        try pipeline.addHandler(MessageHandler())
                        return try Connection(wrappingChannelSynchronously: channel)
                    }
                }
        } catch {
            throw listenFault(
                error, host: configuration.listen, port: configuration.port,
                remedy:
                    "stop what uses the port, or set another port in coordinator.toml and issue new tokens"
            )
        }
    }

    /// One connection from first message to last; whatever happens on it ends only this connection.
    private func serve(_ connection: Connection) async {
        // Asked now: a closed connection no longer knows it.
        let peer = connection.channel.remoteAddress?.ipAddress ?? "unknown"
        do {
            try await connection.executeThenClose { inbound, outbound in
                var session: Session?
                for try await incoming in inbound {
                    do throws(Fault) {
                        let message = try incoming.get()
                        var speaker: Session
                        if let known = session {
                            speaker = known
                        } else {
                            speaker = try await identify(connection.channel)
                        }
                        let answer = await speaker.answer(message)
                        session = speaker
                        if let answer { try await send(answer, on: outbound) }
                    } catch {
                        var failure = Failure(error)
                        failure.closing = true
                        try await outbound.write(.failure(failure))
                        return
                    }
                }
            }
        } catch is CancellationError {
            // The daemon stops.
        } catch NIOSSLError.uncleanShutdown {
            // A peer that was cut off, or that leaves without a word: nothing is lost.
        } catch let error as NIOSSLError where error.isHandshakeFailure {
            log.info(
                "no TLS handshake",
                metadata: [
                    "peer": "\(peer)",
                    "why": "it speaks no TLS 1.3, or its certificate is not of this fleet",
                ])
        } catch {
            log.info("connection broke", metadata: ["peer": "\(peer)", "why": "\(error)"])
        }
    }

    private func send(
        _ message: Message, on outbound: NIOAsyncChannelOutboundWriter<Message>
    ) async throws(Fault) {
        do {
            try await outbound.write(message)
        } catch {
            throw Fault(.unavailable, "the connection broke: \(error)")
        }
    }

    /// Reads who speaks from the certificate that TLS verified.
    private func identify(_ channel: any Channel) async throws(Fault) -> Session {
        do {
            let certificate = try await channel.nioSSL_peerCertificate().get()
            return try Session(
                fleet: fleet,
                certificate: try certificate.map { try Certificate(der: $0.toDERBytes()) },
                isConnected: { channel.isActive })
        } catch let fault as Fault {
            throw fault
        } catch {
            throw Fault(.unauthenticated, "the peer's certificate cannot be read: \(error)")
        }
    }
}

extension NIOSSLError {
    fileprivate var isHandshakeFailure: Bool {
        if case .handshakeFailed = self { true } else { false }
    }
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

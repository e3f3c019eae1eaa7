import Configuration
import Federation
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import ServiceLifecycle

/// The log for everybody, over HTTP: its checkpoint and its tiles, read-only.
///
/// What it serves is signed or hashed into what is signed, so it needs no TLS.
struct LogServer: Service {
    private typealias Connection = NIOAsyncChannel<LogRequest, LogAnswer>

    /// Clients at once; the next ones wait until one leaves.
    private static let mostConnections = 64
    /// For sending a request and taking the answer, idle time before it included.
    private static let requestSeconds: Int64 = 20
    /// Bytes of a request's path: the longest of a tile has fewer than 64.
    private static let longestURI = 256

    /// Where it listens.
    let address: NetworkAddress
    private let listener: NIOAsyncChannel<Connection, Never>
    private let files: LogFiles
    private let log: Logger

    /// Binds the address; `run` serves.
    ///
    /// - Parameter directory: the log's.
    /// - Throws: `unavailable` when the address cannot be bound.
    init(
        directory: String, configuration: CoordinatorConfiguration.HTTP, log: Logger
    ) async throws(Fault) {
        files = LogFiles(directory: directory)
        self.log = log
        do {
            listener = try await Self.bind(configuration)
        } catch {
            throw listenFault(
                error, host: configuration.listen, port: configuration.port,
                remedy: "stop what uses the port, or set another one in [http] of coordinator.toml")
        }
        let bound = listener.channel.localAddress
        address = NetworkAddress(
            host: bound?.ipAddress ?? configuration.listen,
            port: UInt16(clamping: bound?.port ?? configuration.port))
    }

    private static func bind(
        _ configuration: CoordinatorConfiguration.HTTP
    ) async throws -> NIOAsyncChannel<Connection, Never> {
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = 8 << 10
        limits.maxHeaderListSize = 16 << 10
        limits.maxHeaderFieldCount = 64
        let limitConfiguration = limits
        return try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.backlog, value: 256)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .bind(host: configuration.listen, port: configuration.port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers([
                        HTTPResponseEncoder(),
                        ByteToMessageHandler(
                            HTTPRequestDecoder(
                                leftOverBytesStrategy: .dropBytes,
                                limitConfiguration: limitConfiguration)),
                        HTTPServerPipelineHandler(), HTTPServerProtocolErrorHandler(),
                        LogConnection(seconds: requestSeconds),
                    ])
                    return try Connection(wrappingChannelSynchronously: channel)
                }
            }
    }

    /// Serves until the process is told to stop.
    func run() async throws {
        log.info("the log is served", metadata: ["address": "http://\(address)/checkpoint"])
        do {
            try await cancelWhenGracefulShutdown { try await accept() }
        } catch is CancellationError {
            // An orderly stop ends the loop this way.
        }
    }

    private func accept() async throws {
        try await listener.executeThenClose { connections in
            try await withThrowingTaskGroup(of: Void.self) { group in
                var running = 0
                for try await connection in connections {
                    if running == Self.mostConnections {
                        try await group.next()
                        running -= 1
                    }
                    group.addTask { await serve(connection) }
                    running += 1
                }
            }
        }
    }

    private func serve(_ connection: Connection) async {
        do {
            try await connection.executeThenClose { requests, answers in
                for try await request in requests { try await answers.write(answer(to: request)) }
            }
        } catch {
            log.debug("a reader of the log left", metadata: ["why": "\(error)"])
        }
    }

    private func answer(to request: LogRequest) -> LogAnswer {
        guard request.method == .GET || request.method == .HEAD else {
            var refusal = LogAnswer(.methodNotAllowed, "the log can be read, with GET and HEAD")
            refusal.headers.add(name: "Allow", value: "GET, HEAD")
            return refusal
        }
        guard !request.hasBody else {
            return LogAnswer(.badRequest, "a request to read the log has no body")
        }
        guard request.uri.utf8.count <= Self.longestURI else {
            return LogAnswer(.uriTooLong, "no file of a log has a path this long")
        }
        do throws(Fault) {
            guard request.uri.first == "/",
                let file = try files.file(at: String(request.uri.dropFirst()))
            else {
                return LogAnswer(
                    .notFound,
                    "the log has no such file: it has /checkpoint, /tile/LEVEL/INDEX and /tile/entries/INDEX"
                )
            }
            return LogAnswer(file)
        } catch {
            log.error("cannot read the log", metadata: ["why": "\(error)"])
            return LogAnswer(.internalServerError, "the log cannot be read")
        }
    }
}

extension LogAnswer {
    fileprivate init(_ status: HTTPResponseStatus, _ why: String) {
        self.init(
            status: status, headers: ["Content-Type": "text/plain; charset=utf-8"],
            body: Array("\(why)\n".utf8))
    }

    fileprivate init(_ file: LogFiles.File) {
        let headers: HTTPHeaders =
            file.isFixed
            ? [
                "Content-Type": "application/octet-stream",
                "Cache-Control": "public, max-age=31536000, immutable",
            ]
            : ["Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-cache"]
        self.init(headers: headers, body: file.bytes)
    }
}

import Configuration
package import CoordinatorService
import Federation
import Foundation
import Hummingbird
import HummingbirdCore
import HummingbirdTLS
import Logging
import NIOCore
import RunRecords
import ServiceLifecycle

/// Serves the dashboard beside a coordinator. When it cannot, the coordinator goes on without it and says why.
package struct DashboardServer: Service {
    /// Browsers and scrapers at once; the next ones wait until one leaves.
    private static let mostConnections = 128
    /// A connection that asks for nothing is closed after so many seconds.
    private static let idleSeconds: Int64 = 60

    private let console: FleetConsole
    private let settings: Coordinator.DashboardSettings

    package init(_ console: FleetConsole, _ settings: Coordinator.DashboardSettings) {
        self.console = console
        self.settings = settings
    }

    /// Serves until the process is told to stop.
    package func run() async throws {
        do {
            try await serve()
        } catch is CancellationError {
            // An orderly stop ends it this way.
        } catch {
            let fault = self.fault(error)
            settings.log.warning("there is no dashboard", metadata: ["why": "\(fault)"])
            await console.dashboard(.failure(fault))
            // A service that ends would end the others.
            try? await gracefulShutdown()
        }
    }

    private func serve() async throws {
        let table = settings.table
        let routes = try self.routes()
        var log = settings.log
        // What it logs of each connection is of no use to whoever runs a coordinator.
        log.logLevel = max(log.logLevel, .warning)
        let http = HTTPServerBuilder.http1(
            configuration: HTTP1Channel.Configuration(
                idleTimeout: .seconds(Self.idleSeconds),
                httpDecoderConfiguration: .init(
                    maxHeaderFieldSize: 8 << 10, maxHeaderListSize: 16 << 10,
                    maxHeaderFieldCount: 64)))
        let server = table.isLoopback ? http : try .tls(http, tlsConfiguration: tls())
        let application = Application(
            router: routes.router(), server: server,
            configuration: ApplicationConfiguration(
                address: .hostname(table.listen, port: table.port),
                availableConnectionsDelegate: MaximumAvailableConnections(
                    Self.mostConnections, logger: log)),
            onServerRunning: { channel in await announce(channel.localAddress?.port) },
            logger: log)
        try await application.run()
    }

    private func routes() throws(Fault) -> DashboardRoutes {
        let table = settings.table
        let now: @Sendable () -> UInt64 = { UInt64(max(0, Date().timeIntervalSince1970)) }
        let token = try table.tokenFile.map { file throws(Fault) in try ReaderToken(file: file) }
        let site = try Site(
            fleet: console, runs: RunDirectory.standard(ProcessInfo.processInfo.environment),
            asksForToken: token != nil, now: now)
        let hosts = HostRule(listen: table.listen, addresses: settings.addresses)
        return DashboardRoutes(
            site: site, gate: Gate(hosts: hosts, token: token, now: now),
            isSecure: !table.isLoopback)
    }

    /// The coordinator's own certificate: whoever trusts the fleet's authority trusts the dashboard.
    private func tls() throws -> TLSConfiguration {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: try console.certificates.map {
                .certificate(try NIOSSLCertificate(bytes: $0, format: .der))
            },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: console.keyFile, format: .pem)))
        configuration.minimumTLSVersion = .tlsv13
        configuration.applicationProtocols = ["http/1.1"]
        return configuration
    }

    private func announce(_ port: Int?) async {
        let table = settings.table
        // Whoever listens on every interface is reached by a name of its own.
        let isAnywhere = ["0.0.0.0", "::"].contains(table.listen)
        let host = isAnywhere ? settings.addresses.first ?? table.listen : table.listen
        let address = NetworkAddress(
            host: host, port: UInt16(clamping: port ?? table.port))
        let url = "\(table.isLoopback ? "http" : "https")://\(address)/"
        settings.log.info("the dashboard is served", metadata: ["address": "\(url)"])
        await console.dashboard(.success(url))
    }

    private func fault(_ error: any Error) -> Fault {
        if let fault = error as? Fault { return fault }
        return listenFault(
            error, host: settings.table.listen, port: settings.table.port,
            remedy: "stop what uses the port, or set another one in [dashboard] of coordinator.toml"
        )
    }
}

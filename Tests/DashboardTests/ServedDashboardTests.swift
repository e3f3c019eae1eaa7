import Configuration
import CoordinatorService
import Cryptography
import Dashboard
import Federation
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOSSL
import Testing
import Wire

/// The dashboard of a real coordinator in this process, over sockets.
@Suite("A dashboard that is served", .timeLimit(.minutes(5)))
struct ServedDashboardTests {
    /// A coordinator whose [dashboard] says `table`, while `body` runs.
    private func withCoordinator(
        _ table: String, token: String = "",
        _ body: @escaping @Sendable (_ console: FleetConsole, _ folder: URL) async throws -> Void
    ) async throws {
        let folder = FileManager.default.temporaryDirectory
            .appending(path: "tributary-dashboard-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let state = try await StateDirectory.initialise(
            path: folder.appending(path: "state").path, fleet: "lab", addresses: ["127.0.0.1"],
            port: 7443)
        let configuration = """
            [server]
            listen = "127.0.0.1"
            port = 0
            addresses = ["127.0.0.1"]
            [log]
            level = "critical"
            [storage]
            min_free_mib = 0
            [dashboard]
            \(table.replacing("FOLDER", with: folder.path))
            """
        try configuration.write(
            toFile: state.configurationFile, atomically: true, encoding: .utf8)
        if !token.isEmpty {
            try CredentialFile.create(
                folder.appending(path: "token").path, Array(token.utf8),
                mode: CredentialFile.secretMode)
        }
        let (consoles, announce) = AsyncStream.makeStream(of: FleetConsole.self)
        let serving = Task {
            defer { announce.finish() }
            try await Coordinator.serve(
                directory: state.path,
                dashboard: { console, settings in
                    announce.yield(console)
                    return DashboardServer(console, settings)
                }
            ) { _ in }
        }
        do {
            var iterator = consoles.makeAsyncIterator()
            guard let console = await iterator.next() else { return try await serving.value }
            try await body(console, folder)
        } catch {
            serving.cancel()
            _ = await serving.result
            throw error
        }
        serving.cancel()
        _ = await serving.result
    }

    /// What doctor says of the dashboard, once it knows.
    private func finding(_ console: FleetConsole) async throws -> DoctorLine {
        while true {
            guard case .doctor(let report) = try await console.ask(.doctorRun(DoctorRun())) else {
                throw Fault(.internal, "no report")
            }
            let line = try #require(report.items.first { $0.check == "dashboard" })
            if !line.detail.hasPrefix("starting") { return line }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private func get(
        _ address: String, _ client: TestClient, as host: String = "127.0.0.1",
        headers: HTTPFields = [:]
    ) async throws -> TestClient.Response {
        try await client.execute(
            TestClient.Request(address, method: .get, authority: host, headers: headers))
    }

    /// Other tests run at the same time, and the machine may be small.
    private static let longestAnswer = Duration.seconds(120)
    private static let patience = TestClient.Configuration(timeout: longestAnswer)

    private func port(_ line: DoctorLine) throws -> Int {
        let url = try #require(URL(string: line.detail))
        return try #require(url.port)
    }

    @Test("doctor tells the address, and every page of a new fleet is linked from its first")
    func crawl() async throws {
        try await withCoordinator("port = 0") { console, _ in
            let line = try await finding(console)
            #expect(line.ok && line.detail.hasPrefix("http://127.0.0.1:"))
            try await TestClient.withClient(
                host: "127.0.0.1", port: try port(line), configuration: Self.patience
            ) { client in
                var seen: Set<String> = []
                var waiting = ["/"]
                while let address = waiting.popLast(), seen.count < 60 {
                    guard seen.insert(address).inserted else { continue }
                    let response = try await get(address, client)
                    #expect(response.status == .ok, "\(address)")
                    let page = response.body.map { String(buffer: $0) } ?? ""
                    waiting += page.matches(of: /href="(\/[^"#]*)/)
                        .map { String($0.1).replacing("&amp;", with: "&") }
                }
                for address in [
                    "/agents", "/rounds", "/models", "/privacy", "/runs", "/log", "/log/0",
                    "/log/0/proof", "/metrics",
                ] { #expect(seen.contains(address), "\(address)") }
            }
        }
    }

    @Test("a leaf comes with a proof that verifies, and metrics are there")
    func proof() async throws {
        try await withCoordinator("port = 0") { console, _ in
            let line = try await finding(console)
            try await TestClient.withClient(
                host: "127.0.0.1", port: try port(line), configuration: Self.patience
            ) { client in
                let leaf = try await get("/log/0", client, as: "localhost:1")
                let page = String(buffer: try #require(leaf.body))
                #expect(page.contains("Proven.") && page.contains("fleetCreated"))
                let metrics = try await get("/metrics", client)
                #expect(metrics.headers[.contentType]?.hasPrefix("text/plain") == true)
                let text = String(buffer: try #require(metrics.body))
                #expect(text.contains("# TYPE tributary_"))
            }
        }
    }

    @Test("a request under another host's name gets nothing")
    func rebinding() async throws {
        try await withCoordinator("port = 0") { console, _ in
            let line = try await finding(console)
            try await TestClient.withClient(
                host: "127.0.0.1", port: try port(line), configuration: Self.patience
            ) { client in
                for name in ["evil.test", "127.0.0.1.evil.test:7481"] {
                    for address in ["/", "/metrics", "/style.css"] {
                        let response = try await get(address, client, as: name)
                        #expect(response.status.code == 421)
                        let page = response.body.map { String(buffer: $0) }
                        #expect(page?.contains("/log") == false)
                    }
                }
            }
        }
    }

    @Test(
        "off this machine it speaks TLS with the coordinator's certificate and asks for the token")
    func overTLS() async throws {
        let token = "0123456789abcdef0123456789abcdef"
        let table = "listen = \"0.0.0.0\"\nport = 0\ntoken_file = \"FOLDER/token\""
        try await withCoordinator(table, token: token) { console, folder in
            let line = try await finding(console)
            #expect(line.ok && line.detail.hasPrefix("https://127.0.0.1:"), "\(line.detail)")
            var tls = TLSConfiguration.makeClientConfiguration()
            let authority = folder.appending(path: "state/certificates/fleet-ca.crt").path
            tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(authority))
            // The test client asks for a name, and the certificate has none but an address.
            tls.certificateVerification = .noHostnameVerification
            let lenient = TestClient.Configuration(
                tlsConfiguration: tls, timeout: Self.longestAnswer, serverName: "localhost")
            try await TestClient.withClient(
                host: "127.0.0.1", port: try port(line), configuration: lenient
            ) { client in
                let shut = try await get("/agents", client)
                #expect(shut.status == .unauthorized)
                let open = try await get(
                    "/agents", client, headers: [.authorization: "Bearer \(token)"])
                #expect(open.status == .ok)
            }
        }
    }

    @Test("without a token that can be read there is no dashboard; doctor says what to do")
    func noToken() async throws {
        let table = "listen = \"0.0.0.0\"\nport = 0\ntoken_file = \"FOLDER/none\""
        try await withCoordinator(table) { console, _ in
            let line = try await finding(console)
            #expect(!line.ok && line.detail.contains("none"))
            _ = try await console.census()
        }
    }

    @Test("a taken port stops no coordinator; doctor says what to do")
    func takenPort() async throws {
        try await withCoordinator("port = 0") { first, _ in
            let taken = try port(try await finding(first))
            try await withCoordinator("port = \(taken)") { second, _ in
                let line = try await finding(second)
                #expect(!line.ok)
                #expect(line.detail.contains("cannot listen on 127.0.0.1:\(taken)"))
                #expect(line.detail.contains("[dashboard]"))
                // It serves: it answers what it is asked.
                _ = try await second.census()
            }
        }
    }

    @Test("nothing that changes something can be asked for")
    func readOnly() async throws {
        try await withCoordinator("port = 0") { console, _ in
            for request: AdminRequest in [
                .planApply(PlanApply()), .tokenCreate(TokenCreate()), .agentRevoke(AgentRevoke()),
                .roundStart(RoundStart()), .roundCancel(RoundCancel()), .jobCancel(JobCancel()),
                .planPause(PlanPause()), .planResume(PlanResume()),
                .modelRepublish(ModelRepublish()),
            ] {
                let fault = await #expect(throws: Fault.self) { _ = try await console.ask(request) }
                #expect(fault?.code == .forbidden)
            }
        }
    }
}

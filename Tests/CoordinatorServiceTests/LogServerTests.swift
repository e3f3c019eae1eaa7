import CoordinatorService
import Cryptography
import Dispatch
import Federation
import Foundation
import Provenance
import Registry
import Testing
import Wire

@Suite("The log over HTTP", .timeLimit(.minutes(10)))
struct LogServerTests {
    /// A coordinator whose log a client can read, and whose log directory can be written to.
    private func withServer(
        _ body: (_ client: LogClient, _ log: LogFolder, _ fleet: FleetUnderTest) async throws ->
            Void
    ) async throws {
        try await FleetUnderTest.inTurn { directory in
            try await FleetUnderTest.initialise(directory)
            let file = directory.file("state/coordinator.toml")
            let text = try String(contentsOfFile: file, encoding: .utf8)
            try directory.write("state/coordinator.toml", text + "\n[http]\nport = 0\n")
            try await FleetUnderTest.serve(directory) { fleet in
                let report = try await fleet.admin().ask(.doctorRun(DoctorRun()))
                guard case .doctor(let found) = report,
                    let line = found.items.first(where: { $0.check == "log over HTTP" }),
                    let url = URL(string: line.detail), let port = url.port
                else { throw Fault(.internal, "doctor does not name the log's address") }
                #expect(line.ok && url.host() == "127.0.0.1" && url.path() == "/checkpoint")
                let client = LogClient(port: UInt16(clamping: port))
                try await body(client, LogFolder(path: fleet.state.path + "/log"), fleet)
            }
        }
    }

    @Test("the checkpoint is the registry's newest, and is not to be kept")
    func checkpoint() async throws {
        try await withServer { client, log, fleet in
            let admin = try await fleet.admin()
            _ = try await admin.token()
            let record = try await admin.ask(.auditCheckpoint(AuditCheckpoint()))
            let answer = try await client.get("/checkpoint")
            #expect(answer.status == 200)
            #expect(answer.headers["cache-control"] == "no-cache")
            #expect(answer.headers["content-type"] == "text/plain; charset=utf-8")
            #expect(record == .checkpoint(CheckpointRecord(note: answer.body)))
            #expect(answer.body == (try log.read("checkpoint")))
        }
    }

    @Test("every file of the log is served as it lies on disk, for ever")
    func everyFile() async throws {
        try await withServer { client, log, fleet in
            let admin = try await fleet.admin()
            for _ in 0..<3 { _ = try await admin.token() }
            let names = try log.names().filter { $0.hasPrefix("tile/") }
            #expect(names.count >= 2)
            for name in names {
                let answer = try await client.get("/\(name)")
                #expect(answer.status == 200, "\(name)")
                #expect(answer.body == (try log.read(name)), "\(name)")
                #expect(answer.headers["content-type"] == "application/octet-stream")
                #expect(answer.headers["cache-control"]?.contains("immutable") == true)
            }
        }
    }

    @Test(
        "whoever reads checkpoint and tiles alone can verify a log of 260 leaves, and each older one"
    )
    func wholeLog() async throws {
        try await withServer { client, _, fleet in
            let registry = try fleet.registry()
            for number in 0..<255 {
                _ = try await registry.record(
                    FleetEvent(.roundsRequested, [("job", .number(UInt64(number)))]), nowUnix: 5)
            }
            let key = try TrustSet(
                document: try CredentialFile.read(fleet.state.trustSetFile)
            ).log
            let newest = try SignedCheckpoint(
                note: try await client.get("/checkpoint").body, key: key
            ).checkpoint
            #expect(newest.size >= 260)
            var files: [String: [UInt8]] = [:]
            for path in Tiles.paths(growingFrom: 0, to: newest.size) {
                files[path.text] = try await client.get("/\(path.text)").body
            }
            var log = TileLog(source: FetchedFiles(files: files), checkpoint: newest)
            try log.verifyAll()
            // A tile of a width that has passed still proves the log of then.
            for size in [1, 100, 255, 256, 257] as [UInt64] {
                let root = try LogTree.root(size: size) { node throws(Fault) in
                    try log.node(node)
                }
                let older = Checkpoint(origin: newest.origin, size: size, root: root)
                var files: [String: [UInt8]] = [:]
                for path in Tiles.paths(growingFrom: 0, to: size) {
                    files[path.text] = try await client.get("/\(path.text)").body
                }
                var then = TileLog(source: FetchedFiles(files: files), checkpoint: older)
                try then.verifyAll()
            }
        }
    }

    @Test("a partial tile of any width is cut from a wider one, partial or full")
    func partialTiles() async throws {
        try await withServer { client, log, _ in
            let hashes = (0..<256 * 32).map { UInt8(truncatingIfNeeded: $0 / 32) }
            let leaves = (0..<256).map { [UInt8](repeating: UInt8($0), count: 2 * $0) }
            let bundle = leaves.map { [UInt8($0.count >> 8), UInt8($0.count & 255)] + $0 }
            try log.write("tile/0/x001/234", hashes)
            try log.write("tile/1/007.p/9", Array(hashes.prefix(9 * 32)))
            try log.write("tile/entries/x001/234", bundle.flatMap { $0 })
            try log.write("tile/entries/007.p/200", bundle.prefix(200).flatMap { $0 })
            for width in [1, 2, 9, 100, 200, 255] {
                #expect(
                    try await client.get("/tile/0/x001/234.p/\(width)").body
                        == Array(hashes.prefix(width * 32)))
                for name in ["x001/234", "007"] where name != "007" || width <= 200 {
                    #expect(
                        try await client.get("/tile/entries/\(name).p/\(width)").body
                            == bundle.prefix(width).flatMap { $0 })
                }
            }
            #expect(try await client.get("/tile/1/007.p/8").body == Array(hashes.prefix(8 * 32)))
            for name in ["tile/1/007.p/10", "tile/1/007", "tile/entries/007.p/201"] {
                #expect(try await client.get("/\(name)").status == 404, "\(name)")
            }
            // Damaged files are shorter than their names say.
            try log.write("tile/0/008", Array(hashes.prefix(31)))
            try log.write("tile/entries/008", [0, 5, 1])
            #expect(try await client.get("/tile/0/008.p/1").status == 404)
            #expect(try await client.get("/tile/entries/008.p/1").status == 404)
        }
    }

    @Test(
        "what is no file of a log is not found, whatever lies there",
        arguments: [
            "/", "", "/checkpoint/", "/Checkpoint", "//checkpoint", "/checkpoint?x",
            "/../trust-set.json",
            "/tile/../../trust-set.json", "/tile/0/../../../keys/log.key", "/%2e%2e/trust-set.json",
            "/tile/0/000.p/0", "/tile/0/000.p/256", "/tile/0/0", "/tile/00/000", "/tile/8/000",
            "/tile/0/999", "/tile/entries/", "/tile/data/000", "/draft", "/tile/0/000.p",
        ])
    func notFound(path: String) async throws {
        try await withServer { client, _, _ in
            let answer = try await client.get(path.isEmpty ? "*" : path)
            #expect(answer.status == 404)
            #expect(answer.headers["content-type"] == "text/plain; charset=utf-8")
            #expect(answer.text.hasPrefix("the log has no such file"))
        }
    }

    @Test("HEAD has the headers of GET and no body; other methods and bodies are refused")
    func methods() async throws {
        try await withServer { client, log, _ in
            let size = try log.read("checkpoint").count
            let head = try await client.ask("HEAD /checkpoint HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(head.status == 200 && head.body.isEmpty)
            #expect(head.headers["content-length"] == "\(size)")
            for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
                let answer = try await client.ask(
                    "\(method) /checkpoint HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n")
                #expect(answer.status == 405, "\(method)")
                #expect(answer.headers["allow"] == "GET, HEAD")
            }
            let body = try await client.ask(
                "GET /checkpoint HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc")
            #expect(body.status == 400)
            #expect(body.headers["connection"] == "close")
        }
    }

    @Test("a path too long, headers too long and what is no HTTP are refused")
    func limits() async throws {
        try await withServer { client, _, _ in
            let long = String(repeating: "0", count: 300)
            let tooLong = try await client.get("/tile/0/\(long)")
            #expect(tooLong.status == 414)
            let requests = [
                "GET /checkpoint HTTP/1.1\r\nX: \(String(repeating: "y", count: 9000))\r\n\r\n",
                "GET /checkpoint HTTP/1.1\r\n"
                    + String(repeating: "A: b\r\n", count: 100) + "\r\n",
                "\u{16}\u{3}\u{1} hello\r\n\r\n", "GET\r\n\r\n",
            ]
            for request in requests {
                let answer = try await client.ask(request)
                #expect(answer.status == 400)
            }
            let next = try await client.get("/checkpoint")
            #expect(next.status == 200)
        }
    }

    @Test("a connection is kept for the next request, and closed when the client says so")
    func keepAlive() async throws {
        try await withServer { client, log, _ in
            let request = "GET /checkpoint HTTP/1.1\r\nHost: x\r\n\r\n"
            let answers = try await client.exchange(request + request + request)
            let text = String(decoding: answers, as: UTF8.self)
            #expect(text.components(separatedBy: "HTTP/1.1 200 OK").count == 4)
            let closing = "GET /checkpoint HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
            let one = String(
                decoding: try await client.exchange(closing + request), as: UTF8.self)
            #expect(one.components(separatedBy: "HTTP/1.1 200 OK").count == 2)
            let old = try await client.ask("GET /checkpoint HTTP/1.0\r\n\r\n")
            #expect(old.status == 200)
            #expect(old.body == (try log.read("checkpoint")))
        }
    }

    @Test("without [http] there is none, and doctor says so")
    func off() async throws {
        try await FleetUnderTest.run { fleet in
            guard
                case .doctor(let report) = try await fleet.admin().ask(.doctorRun(DoctorRun()))
            else { throw Fault(.internal, "not a report") }
            let line = report.items.first { $0.check == "log over HTTP" }
            #expect(line?.ok == true && line?.detail.hasPrefix("off") == true)
        }
    }

    @Test("a port in use stops the daemon with the way out")
    func portInUse() async throws {
        try await withServer { client, _, _ in
            try await FleetUnderTest.inTurn { directory in
                try await FleetUnderTest.initialise(directory)
                let file = directory.file("state/coordinator.toml")
                let text = try String(contentsOfFile: file, encoding: .utf8)
                try directory.write(
                    "state/coordinator.toml", text + "\n[http]\nport = \(client.port)\n")
                let fault = await refusal {
                    try await Coordinator.serve(directory: directory.file("state")) { _ in }
                }
                #expect(fault?.code == .unavailable)
                #expect(fault?.message.contains("127.0.0.1:\(client.port)") == true)
                #expect(fault?.remedy.contains("[http]") == true)
            }
        }
    }
}

/// A coordinator's log directory, seen by a test.
private struct LogFolder {
    let path: String

    func read(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(filePath: "\(path)/\(name)")))
    }

    func write(_ name: String, _ bytes: [UInt8]) throws {
        let file = URL(filePath: "\(path)/\(name)")
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: file)
    }

    /// Every file in it.
    func names() throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: path).filter {
            var isDirectory = ObjCBool(false)
            _ = FileManager.default.fileExists(atPath: "\(path)/\($0)", isDirectory: &isDirectory)
            return !isDirectory.boolValue
        }
    }
}

/// Files that were fetched before.
private struct FetchedFiles: LogSource {
    let files: [String: [UInt8]]

    func read(_ path: String) -> [UInt8]? { files[path] }
}

/// A client that sends what it is told and reads until the server closes.
private struct LogClient {
    let port: UInt16

    struct Answer {
        var status = 0
        var headers: [String: String] = [:]
        var body: [UInt8] = []

        var text: String { String(decoding: body, as: UTF8.self) }
    }

    func exchange(_ text: String) async throws -> [UInt8] {
        try await onThread(DispatchQueue(label: "tributary.tests.http")) { () throws(Fault) in
            try plainExchange(port: port, Array(text.utf8))
        }
    }

    func get(_ path: String) async throws -> Answer {
        try await ask("GET \(path) HTTP/1.1\r\nHost: log\r\n\r\n")
    }

    /// The only answer to a request.
    func ask(_ request: String) async throws -> Answer {
        let bytes = try await exchange(request)
        let end = try #require(bytes.firstRange(of: Array("\r\n\r\n".utf8)), "no answer")
        let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self)
            .components(separatedBy: "\r\n")
        var answer = Answer()
        answer.status = Int(lines[0].split(separator: " ")[1]) ?? 0
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            answer.headers[parts[0].lowercased()] =
                parts.last?.trimmingCharacters(in: .whitespaces)
        }
        answer.body = Array(bytes[end.upperBound...])
        return answer
    }
}

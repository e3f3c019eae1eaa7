import Cryptography
import Federation
import Foundation
import Provenance
import ProvenanceSamples
import Testing
import Verification

@Suite("A log on a web server")
struct HTTPLogSourceTests {
    /// Reads `/log/checkpoint` of a server that gives `answer` to everything.
    private func read(_ answer: [UInt8]) throws -> [UInt8]? {
        let server = try WebServer { _ in answer }
        defer { server.stop() }
        var source = try HTTPLogSource(url: "http://127.0.0.1:\(server.port)/log", seconds: 5)
        let found = try source.read("checkpoint")
        #expect(server.requested == ["/log/checkpoint"])
        return found
    }

    private func fault(_ answer: [UInt8]) throws -> Fault? {
        do {
            _ = try read(answer)
            return nil
        } catch let fault as Fault { return fault }
    }

    @Test("is read whole, in chunks of any size, and up to the end of the connection")
    func framings() throws {
        let body = (0..<200_000).map { UInt8(truncatingIfNeeded: $0) }
        #expect(try read(WebServer.whole(body)) == body)
        #expect(try read(WebServer.untilEnd(body)) == body)
        #expect(try read(WebServer.whole([])) == [])
        #expect(try read(WebServer.chunked([], size: 1)) == [])
        for size in [70, 4096, 150_000] {
            #expect(try read(WebServer.chunked(body, size: size)) == body)
        }
        #expect(try read(WebServer.missing) == nil)
    }

    @Test(
        "that answers with anything else is a fault that says so",
        arguments: [
            ("HTTP/1.1 301 Moved\r\nLocation: http://x/\r\n\r\n", "redirects"),
            ("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", "status 500"),
            ("SSH-2.0-x\r\n\r\n", "does not speak HTTP"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", "too large"),
            ("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "too large"),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "transfer encoding"),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "no length"),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", "no length"),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabcd\r\n", "as it says"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", "too early"),
            ("", "too early"),
        ])
    func badAnswers(answer: String, words: String) throws {
        let fault = try #require(try fault(Array(answer.utf8)))
        #expect(fault.code == .unavailable)
        #expect(fault.message.contains(words), "\(fault)")
        #expect(fault.message.contains("/log/checkpoint"))
    }

    @Test("that sends a head without end, or a body that is larger than any tile, is cut off")
    func tooMuch() throws {
        let head = Array("HTTP/1.1 200 OK\r\nX: ".utf8) + [UInt8](repeating: 65, count: 40_000)
        #expect(try fault(head)?.message.contains("head is too long") == true)
        let body = [UInt8](repeating: 65, count: DirectorySource.largestBytes + 100_000)
        #expect(try fault(WebServer.untilEnd(body))?.message.contains("too large") == true)
    }

    @Test("that stays silent is given up")
    func silence() throws {
        let server = try WebServer { _ in
            usleep(400_000)
            return []
        }
        defer { server.stop() }
        var source = try HTTPLogSource(url: "http://127.0.0.1:\(server.port)", seconds: 0.1)
        let fault = #expect(throws: Fault.self) { try source.read("checkpoint") }
        #expect(fault?.code == .unavailable)
    }

    @Test(
        "is named by an http:// URL only",
        arguments: [
            "https://example.org/log", "ftp://x/", "http:///x", "http://user@host/",
            "http://host/a b", "http://host/?a=b", "http://host:0/", "http://host:99999/",
        ])
    func badURLs(url: String) throws {
        let fault = #expect(throws: Fault.self) { try HTTPLogSource(url: url) }
        #expect(fault?.code == .invalid)
        #expect(fault?.remedy.isEmpty == false)
        if url.hasPrefix("https") { #expect(fault?.remedy.contains("curl") == true) }
    }

    @Test("is verified like one in a directory, with a model in it")
    func verified() throws {
        let fleet = try LoggedFleet()
        for _ in 0..<2 { try fleet.addVersion() }
        try fleet.exportModel(1)
        var files = try fleet.log.files()
        files["checkpoint"] = try fleet.checkpoint().note
        let served = files
        let server = try WebServer { path in
            served[String(path.dropFirst())].map { WebServer.chunked($0, size: 100) }
                ?? WebServer.missing
        }
        defer { server.stop() }
        let url = "http://127.0.0.1:\(server.port)/"
        #expect(try fleet.logVerification(at: url).verdict == .verified)
        #expect(try fleet.verification(of: 1, log: url).verdict == .verified)
        let gone = try fleet.logVerification(at: url + "elsewhere")
        #expect(gone.verdict == .couldNotCheck)
    }
}

import Cryptography
package import Federation
import Provenance

/// A log on a web server, read over plain HTTP/1.1: a log proves itself, and nothing secret is
/// asked for. Each file is a request and a connection of its own.
package struct HTTPLogSource: LogSource {
    private let peer: NetworkAddress
    /// What comes before a file's path, ending in `/`.
    private let prefix: String
    /// What a request may take in all.
    private let seconds: Double

    /// - Parameters:
    ///   - url: `http://HOST[:PORT][/PREFIX]`.
    ///   - seconds: what a request may take in all.
    /// - Throws: `Fault.invalid` for another kind of URL.
    package init(url: String, seconds: Double = 30) throws(Fault) {
        let scheme = "http://"
        guard url.hasPrefix(scheme) else {
            throw Fault(
                .invalid, "a log is read over http:// only: \(url)",
                remedy: "it authenticates itself, so plain HTTP is enough; where only https:// is"
                    + " offered, fetch `checkpoint` and `tile` into a directory with curl")
        }
        let rest = url.dropFirst(scheme.count)
        let host = rest.prefix { $0 != "/" }
        var path = String(rest[host.endIndex...])
        if !path.hasSuffix("/") { path += "/" }
        guard !host.isEmpty, !host.contains("@"),
            rest.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "?") })
        else {
            throw Fault(.invalid, "this is not a log's URL: \(url)", remedy: "http://HOST:PORT/")
        }
        let hasPort = host.last != "]" && host.contains(":")
        peer = try NetworkAddress(parsing: hasPort ? String(host) : "\(host):80")
        prefix = path
        self.seconds = seconds
    }

    package mutating func read(_ path: String) throws(Fault) -> [UInt8]? {
        let deadline = Deadline(seconds: seconds)
        let socket = try TCPSocket.connect(to: peer, deadline: deadline)
        let request =
            "GET \(prefix)\(path) HTTP/1.1\r\nHost: \(peer)\r\nConnection: close\r\n\r\n"
        try send(Array(request.utf8), to: socket, deadline)
        var answer = HTTPAnswer(largestBody: DirectorySource.largestBytes)
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while !answer.isComplete {
            switch buffer.withUnsafeMutableBytes({ socket.receive(into: $0, deadline) }) {
            case .bytes(let count):
                try about(path) { () throws(Fault) in
                    try answer.append(buffer[..<count])
                }
            case .end: try about(path) { () throws(Fault) in try answer.end() }
            case .timedOut: throw broken("it did not answer in \(Int(seconds)) s")
            case .failed: throw broken("the connection broke")
            }
        }
        return try about(path) { () throws(Fault) in try answer.body() }
    }

    private func send(
        _ bytes: [UInt8], to socket: borrowing TCPSocket, _ deadline: Deadline
    ) throws(Fault) {
        var sent = 0
        while sent < bytes.count {
            switch bytes[sent...].withUnsafeBytes({ socket.send($0, deadline) }) {
            case .bytes(let count): sent += count
            case .timedOut: throw broken("it took no request in \(Int(seconds)) s")
            case .end, .failed: throw broken("the connection broke")
            }
        }
    }

    private func about<Result>(
        _ path: String, _ body: () throws(Fault) -> Result
    ) throws(Fault) -> Result {
        do { return try body() } catch {
            throw Fault(
                error.code, "http://\(peer)\(prefix)\(path): \(error.message)",
                remedy: error.remedy)
        }
    }

    private func broken(_ why: String) -> Fault {
        Fault(
            .unavailable, "cannot read the log at http://\(peer)\(prefix): \(why)",
            remedy: "check that the server runs, and try again")
    }
}

import Cryptography
import Federation
import Glibc
import Telemetry

/// A port of this machine's loopback where a scraper may read metrics: one thread, asleep until somebody asks, that answers
/// one request at a time.
enum MetricsPort {
    /// A client that does not ask, or does not listen, for so long is hung up on, in seconds.
    private static let patienceSeconds = 5.0
    private static let stackBytes = 256 << 10

    /// What the thread takes with it.
    private final class Work: Sendable {
        let listener: Int32
        let text: @Sendable () -> String

        init(listener: Int32, text: @escaping @Sendable () -> String) {
            self.listener = listener
            self.text = text
        }
    }

    /// Listens, and answers until the process ends.
    ///
    /// - Parameters:
    ///   - port: 0 takes a free one.
    ///   - text: makes the answer anew each time, on the thread that answers.
    /// - Returns: the port.
    /// - Throws: `unavailable` when it is taken.
    static func serve(
        port: Int, text: @escaping @Sendable () -> String
    ) throws(Fault) -> Int {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard listener >= 0 else { throw fault(port, errno) }
        do throws(Fault) {
            let bound = try bind(listener, port)
            try start(Work(listener: listener, text: text), port: port)
            return bound
        } catch {
            close(listener)
            throw error
        }
    }

    private static func bind(_ listener: Int32, _ port: Int) throws(Fault) -> Int {
        var on: Int32 = 1
        var size = socklen_t(MemoryLayout<Int32>.size)
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, size)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        address.sin_port = UInt16(clamping: port).bigEndian
        size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.bind(listener, $0, size) == 0 && listen(listener, 8) == 0
                    && getsockname(listener, $0, &size) == 0
            }
        }
        guard isBound else { throw fault(port, errno) }
        return Int(UInt16(bigEndian: address.sin_port))
    }

    private static func fault(_ port: Int, _ code: Int32) -> Fault {
        Fault(
            .unavailable, "metrics cannot be served on 127.0.0.1:\(port): \(systemError(code))",
            remedy: "stop what uses the port, or set another one in [metrics]")
    }

    private static func start(_ work: Work, port: Int) throws(Fault) {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, stackBytes)
        // Signals are for the thread that works: this one is born with all of them blocked.
        var everything = sigset_t()
        var before = sigset_t()
        sigfillset(&everything)
        pthread_sigmask(SIG_SETMASK, &everything, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        var thread = pthread_t()
        let context = Unmanaged.passRetained(work)
        let failure = pthread_create(
            &thread, &attributes,
            { context in
                guard let context else { return nil }
                MetricsPort.answer(Unmanaged<Work>.fromOpaque(context).takeRetainedValue())
            }, context.toOpaque())
        guard failure == 0 else {
            context.release()
            throw fault(port, failure)
        }
        pthread_detach(thread)
    }

    private static func answer(_ work: Work) -> Never {
        while true {
            let client = accept(work.listener, nil, nil)
            guard client >= 0 else {
                // Without a descriptor to spare, trying again at once would only keep the processor busy.
                if errno != EINTR, errno != ECONNABORTED { sleep(1) }
                continue
            }
            serve(client, work.text)
            close(client)
        }
    }

    private static func serve(_ client: Int32, _ text: () -> String) {
        let clock = SystemClock()
        let end = clock.now.advanced(bySeconds: patienceSeconds)
        var timeout = timeval(tv_sec: 1, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &timeout, size)
        setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &timeout, size)
        var request = MetricsRequest()
        var piece = [UInt8](repeating: 0, count: 1024)
        while !request.isComplete {
            let count = recv(client, &piece, piece.count, 0)
            if count < 0, errno == EINTR || errno == EAGAIN, clock.now < end { continue }
            guard count > 0, clock.now < end else { return }
            request.append(piece[..<count])
        }
        let answer = request.answer(text)
        var sent = 0
        while sent < answer.count, clock.now < end {
            let count = answer[sent...].withUnsafeBytes {
                send(client, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR || errno == EAGAIN { continue }
            guard count > 0 else { return }
            sent += count
        }
        // What a client has sent besides must not break the answer off.
        shutdown(client, Int32(SHUT_WR))
        _ = recv(client, &piece, piece.count, 0)
    }
}

/// A request for the metrics, as it arrives, and the answer to it. Any bytes are safe to pass.
package struct MetricsRequest {
    private static let longestHead = 8 << 10
    private static let path = "/metrics"

    private var head: [UInt8] = []

    package init() {}

    /// Whether enough has come to answer.
    package var isComplete: Bool {
        head.count > Self.longestHead || hasEnded
    }

    private var hasEnded: Bool { head.suffix(4).elementsEqual("\r\n\r\n".utf8) }

    /// Takes the next bytes.
    package mutating func append(_ bytes: ArraySlice<UInt8>) {
        for byte in bytes where !isComplete { head.append(byte) }
    }

    /// The answer, ready to be sent.
    ///
    /// - Parameter text: makes the metrics, when they are what is asked for.
    package func answer(_ text: () -> String) -> [UInt8] {
        guard hasEnded else { return Self.refusal("431 Request Header Fields Too Large", "") }
        // By bytes: to Swift a carriage return and a line feed are one character.
        let lines = head.split(separator: UInt8(ascii: "\r")).map { line in
            String(decoding: line.drop { $0 == UInt8(ascii: "\n") }, as: UTF8.self)
        }
        let words = (lines.first ?? "").split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 3, words[2].hasPrefix("HTTP/1.") else {
            return Self.refusal("400 Bad Request", "this is no HTTP/1.1")
        }
        guard lines.dropFirst().contains(where: Self.namesLoopback) else {
            // Otherwise a page elsewhere could have the browser of who uses this device read here.
            return Self.refusal("421 Misdirected Request", "ask for 127.0.0.1 or localhost")
        }
        guard words[0] == "GET" else {
            return Self.refusal("405 Method Not Allowed", "metrics can be read, with GET")
        }
        guard words[1] == Self.path else {
            return Self.refusal("404 Not Found", "there is only \(Self.path)")
        }
        return Self.answer("200 OK", MetricFamily.contentType, text())
    }

    private static func namesLoopback(_ line: String) -> Bool {
        let parts = line.split(separator: ":", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "host" else { return false }
        let host = parts[1].filter { $0 != " " && $0 != "\t" }.split(separator: ":")[...]
        return (1...2).contains(host.count)
            && ["127.0.0.1", "localhost"].contains(host[0].lowercased())
    }

    private static func refusal(_ status: String, _ why: String) -> [UInt8] {
        answer(status, "text/plain; charset=utf-8", why + "\n")
    }

    private static func answer(_ status: String, _ type: String, _ body: String) -> [UInt8] {
        let body = Array(body.utf8)
        let allow = status.hasPrefix("405") ? "Allow: GET\r\n" : ""
        return Array(
            ("HTTP/1.1 \(status)\r\nContent-Type: \(type)\r\nContent-Length: \(body.count)\r\n"
                + "\(allow)Connection: close\r\n\r\n").utf8) + body
    }
}

package import Federation
import Provenance

/// An answer to a GET as it arrives: status line, head, and a body of stated length, in chunks, or
/// up to the end of the connection. Any bytes are safe to pass; nothing larger than allowed is kept.
package struct HTTPAnswer {
    private enum Framing {
        case length(Int)
        case chunks
        case untilEnd
    }

    private let largestBody: Int
    private var received: [UInt8] = []
    /// How many bytes of `received` are dealt with.
    private var taken = 0
    /// The status, once the head is there, and how the body is framed.
    private var head: (status: Int, framing: Framing)?
    private var content: [UInt8] = []
    /// Whether the whole body is there.
    package private(set) var isComplete = false

    private static let largestHead = 16 << 10
    private static let longestChunkLine = 256

    /// - Parameter largestBody: most bytes of a body that is kept.
    package init(largestBody: Int) { self.largestBody = largestBody }

    /// Takes the next bytes.
    ///
    /// - Throws: `Fault.unavailable` when they are no answer, or too many.
    package mutating func append(_ bytes: ArraySlice<UInt8>) throws(Fault) {
        guard !isComplete else { return }
        received.removeFirst(taken)
        taken = 0
        received += bytes
        if head == nil { try readHead() }
        guard let head else { return }
        switch head.framing {
        case .length(let length):
            try take(received.count - taken)
            if content.count >= length {
                content.removeLast(content.count - length)
                isComplete = true
            }
        case .untilEnd: try take(received.count - taken)
        case .chunks: while try readChunk() {}
        }
    }

    /// The connection ended.
    package mutating func end() throws(Fault) {
        guard let head, case .untilEnd = head.framing else {
            throw HTTPAnswer.bad("the answer ended too early")
        }
        isComplete = true
    }

    /// The body; nil when there is no such file.
    ///
    /// - Throws: `Fault.unavailable` for any status but 200 and 404.
    package func body() throws(Fault) -> [UInt8]? {
        switch head?.status {
        case 200?: return content
        case 404?: return nil
        case .some(let status) where (300..<400).contains(status):
            throw HTTPAnswer.bad("the server redirects elsewhere, which is not followed")
        default: throw HTTPAnswer.bad("the server answers with status \(head?.status ?? 0)")
        }
    }

    private mutating func readHead() throws(Fault) {
        let end = Array("\r\n\r\n".utf8)
        guard let range = received.prefix(HTTPAnswer.largestHead).firstRange(of: end) else {
            guard received.count < HTTPAnswer.largestHead else {
                throw HTTPAnswer.bad("the answer's head is too long")
            }
            return
        }
        let text = String(decoding: received[..<range.lowerBound], as: UTF8.self)
        taken = range.upperBound
        var lines = text.unicodeScalars.split(separator: "\r\n".unicodeScalars).map(String.init)
        let status = lines.isEmpty ? [] : lines.removeFirst().split(separator: " ")
        guard status.count >= 2, status[0] == "HTTP/1.1" || status[0] == "HTTP/1.0",
            status[1].utf8.count == 3, let number = Int(status[1])
        else { throw HTTPAnswer.bad("the server does not speak HTTP/1.1") }
        head = (number, try framing(of: lines))
    }

    private func framing(of lines: [String]) throws(Fault) -> Framing {
        var framing = Framing.untilEnd
        for line in lines {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            let value = parts[1].filter { $0 != " " && $0 != "\t" }.lowercased()
            switch parts[0].lowercased() {
            case "transfer-encoding":
                guard value == "chunked" else {
                    throw HTTPAnswer.bad("the transfer encoding is not understood")
                }
                return .chunks
            case "content-length":
                guard let length = Int(value), (0...largestBody).contains(length) else {
                    throw HTTPAnswer.bad("the answer is too large")
                }
                framing = .length(length)
            default: break
            }
        }
        return framing
    }

    /// Moves received bytes to the body.
    private mutating func take(_ count: Int) throws(Fault) {
        guard count <= largestBody - content.count else {
            throw HTTPAnswer.bad("the answer is too large")
        }
        content += received[taken..<taken + count]
        taken += count
    }

    /// - Returns: whether there was a whole chunk, and it was not the last.
    private mutating func readChunk() throws(Fault) -> Bool {
        let window = received[taken...].prefix(HTTPAnswer.longestChunkLine)
        guard let end = window.firstRange(of: Array("\r\n".utf8)) else {
            guard window.count < HTTPAnswer.longestChunkLine else {
                throw HTTPAnswer.bad("a chunk has no length")
            }
            return false
        }
        let line = String(decoding: window[..<end.lowerBound], as: UTF8.self)
        let digits = line.prefix { $0 != ";" && $0 != " " }
        guard let count = Int(digits, radix: 16), (0...largestBody).contains(count) else {
            throw HTTPAnswer.bad("a chunk has no length")
        }
        guard count > 0 else {
            isComplete = true
            return false
        }
        guard received.count >= end.upperBound + count + 2 else { return false }
        taken = end.upperBound
        try take(count)
        guard received[taken...].starts(with: "\r\n".utf8) else {
            throw HTTPAnswer.bad("a chunk is not as long as it says")
        }
        taken += 2
        return true
    }

    private static func bad(_ why: String) -> Fault {
        Fault(.unavailable, why, remedy: "check the log's URL")
    }
}

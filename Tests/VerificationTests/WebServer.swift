import Foundation
import Glibc
import Provenance
import Synchronization

/// A web server of a test's own on loopback: it answers each request with the bytes that `answer`
/// gives for its path, and closes the connection.
final class WebServer: Sendable {
    let port: UInt16
    private let listener: Int32
    private let paths = Mutex<[String]>([])

    /// What it was asked for.
    var requested: [String] { paths.withLock { $0 } }

    init(answer: @escaping @Sendable (_ path: String) -> [UInt8]) throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(listener, generic, length) == 0 && listen(listener, 16) == 0
                    && getsockname(listener, generic, &length) == 0
            }
        }
        guard bound else { throw POSIXError(.EADDRNOTAVAIL) }
        self.listener = listener
        port = UInt16(bigEndian: address.sin_port)
        let thread = Thread { [self] in
            while true {
                let connection = accept(listener, nil, nil)
                guard connection >= 0 else { break }
                serve(connection, answer)
            }
            // Only here: the number may be another socket's at once.
            close(listener)
        }
        thread.start()
    }

    /// Ends the server; it lives until then.
    func stop() { shutdown(listener, Int32(SHUT_RDWR)) }

    private func serve(_ connection: Int32, _ answer: (String) -> [UInt8]) {
        var request: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while !request.suffix(4).elementsEqual("\r\n\r\n".utf8) {
            let count = read(connection, &buffer, buffer.count)
            guard count > 0 else { break }
            request += buffer[..<count]
        }
        let words = String(decoding: request, as: UTF8.self).split(separator: " ")
        let path = words.count > 1 ? String(words[1]) : ""
        paths.withLock { $0.append(path) }
        let bytes = answer(path)
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { break }
            sent += count
        }
        close(connection)
    }

    /// An answer of status 200 with a stated length.
    static func whole(_ body: [UInt8]) -> [UInt8] {
        Array("HTTP/1.1 200 OK\r\nContent-Length: \(body.count)\r\n\r\n".utf8) + body
    }

    /// An answer of status 200 in chunks of `size`.
    static func chunked(_ body: [UInt8], size: Int) -> [UInt8] {
        var bytes = Array("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".utf8)
        for start in stride(from: 0, to: body.count, by: size) {
            let chunk = body[start..<min(start + size, body.count)]
            bytes += Array("\(String(chunk.count, radix: 16));x=y\r\n".utf8) + chunk
            bytes += Array("\r\n".utf8)
        }
        return bytes + Array("0\r\n\r\n".utf8)
    }

    /// An answer of status 200 whose body ends with the connection.
    static func untilEnd(_ body: [UInt8]) -> [UInt8] {
        Array("HTTP/1.0 200 OK\r\nServer: x\r\n\r\n".utf8) + body
    }

    static let missing = Array("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".utf8)
}

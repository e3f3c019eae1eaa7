import Cryptography
package import Federation

/// Whether a server of this machine answers over plain HTTP.
package enum HTTPProbe {
    /// Sends a GET and reads how the answer begins.
    ///
    /// - Returns: its status.
    /// - Throws: `Fault.unavailable` when nothing answers, or not in HTTP.
    package static func status(
        of path: String, at address: NetworkAddress, timeoutSeconds: Double
    ) throws(Fault) -> Int {
        let deadline = Deadline(seconds: timeoutSeconds)
        let socket = try TCPSocket.connect(to: address, deadline: deadline)
        let request = Array(
            "GET \(path) HTTP/1.1\r\nHost: \(address)\r\nConnection: close\r\n\r\n".utf8)
        // So few bytes fit whole into what a new connection may send at once.
        _ = request.withUnsafeBytes { socket.send($0, deadline) }
        var received: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 4096)
        while received.count < "HTTP/1.1 200".utf8.count {
            let transfer = piece.withUnsafeMutableBytes { socket.receive(into: $0, deadline) }
            guard case .bytes(let count) = transfer else { throw silent(address) }
            received += piece[..<count]
        }
        let words = String(decoding: received.prefix(12), as: UTF8.self).split(separator: " ")
        guard words.count == 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]) else {
            throw silent(address)
        }
        return status
    }

    private static func silent(_ address: NetworkAddress) -> Fault {
        Fault(
            .unavailable, "what listens at \(address) does not answer over HTTP",
            remedy: "stop what uses the port, or set another one")
    }
}

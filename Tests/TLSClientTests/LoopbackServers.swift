import Cryptography
import Foundation
import Testing

/// A TLS server on a free loopback port: `openssl s_server` for one connection, ended after 30
/// seconds at the latest.
final class TLSServer {
    let port: UInt16
    private let process = Process()
    private let output = Pipe()

    /// - Parameter directory: where its certificate and key are written, and which `-WWW` serves.
    init(
        directory: TemporaryDirectory, chain: [Certificate], key: PrivateKey, _ options: [String]
    ) throws {
        let certificate = try directory.write("server.crt", chain[0].pem)
        let rest = try directory.write("chain.crt", chain.dropFirst().map(\.pem).joined())
        try key.write(pemFile: directory.file("server.key"))
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments =
            [
                "timeout", "-s", "KILL", "30", "openssl", "s_server", "-accept", "127.0.0.1:0",
                "-naccept", "1",
                "-cert", certificate, "-key", directory.file("server.key"), "-no-CAfile",
                "-no-CApath",
            ] + (chain.count > 1 ? ["-cert_chain", rest] : []) + options
        process.currentDirectoryURL = URL(fileURLWithPath: directory.path)
        process.standardInput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        process.standardOutput = output
        try process.run()
        port = try TLSServer.announcedPort(output.fileHandleForReading)
    }

    deinit {
        // `timeout` leads a process group with the server in it. Not SIGTERM: the test's threads
        // block it, and children inherit that.
        kill(-process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }

    /// The port in the line `ACCEPT 127.0.0.1:PORT`.
    private static func announcedPort(_ output: FileHandle) throws -> UInt16 {
        var text = ""
        while true {
            let data = output.availableData
            try #require(!data.isEmpty, "openssl s_server did not start: \(text)")
            text += String(decoding: data, as: UTF8.self)
            guard let start = text.range(of: "ACCEPT 127.0.0.1:"),
                let end = text[start.upperBound...].firstIndex(of: "\n")
            else { continue }
            return try #require(UInt16(text[start.upperBound..<end]))
        }
    }
}

/// A listener on a free loopback port that sends fixed bytes to its first client and closes, or
/// never answers.
final class RawServer {
    let port: UInt16
    private let listener: Int32

    init(sending bytes: [UInt8]?) throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        self.listener = listener
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, size) == 0 && listen(listener, 1) == 0
                    && getsockname(listener, $0, &size) == 0
            }
        }
        port = UInt16(bigEndian: address.sin_port)
        try #require(bound)
        guard let bytes else { return }
        Thread.detachNewThread {
            let client = accept(listener, nil, nil)
            guard client >= 0 else { return }
            var hello = [UInt8](repeating: 0, count: 4096)
            _ = recv(client, &hello, hello.count, 0)
            _ = send(client, bytes, bytes.count, Int32(MSG_NOSIGNAL))
            close(client)
        }
    }

    deinit {
        // Wakes an accept that nobody answered.
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }
}

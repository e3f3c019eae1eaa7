import Cryptography
import Federation
import Glibc
import Testing

@Suite("A wait that something may end")
struct InterruptionTests {
    /// Long enough that a test which waits for it would be noticed.
    private static let seconds = 60.0

    /// Calls `body` with an interruption and what makes it happen.
    private func withInterruption(
        _ body: (Interruption, () -> Void) throws -> Void
    ) throws {
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        defer { for end in ends { close(end) } }
        try body(Interruption(readable: ends[0])) {
            var sign: UInt8 = 1
            _ = write(ends[1], &sign, 1)
        }
    }

    @Test("a sleep lasts until its time without the interruption, and not at all after it")
    func sleep() throws {
        try withInterruption { interruption, interrupt in
            let clock = ContinuousClock()
            #expect(clock.measure { interruption.sleep(seconds: 0.05) } >= .milliseconds(50))
            interrupt()
            #expect(clock.measure { interruption.sleep(seconds: Self.seconds) } < .seconds(30))
        }
    }

    @Test("a transfer that would wait fails, one that need not goes on")
    func transfer() throws {
        try withInterruption { interruption, interrupt in
            let listener = try Listener()
            let socket = try TCPSocket.connect(
                to: NetworkAddress(host: "127.0.0.1", port: listener.port),
                deadline: Deadline(seconds: Self.seconds), interruption: interruption)
            let peer = accept(listener.descriptor, nil, nil)
            defer { close(peer) }
            interrupt()
            var bytes = [UInt8](repeating: 7, count: 4)
            func receive() -> TCPSocket.Transfer {
                bytes.withUnsafeMutableBytes {
                    socket.receive(into: $0, Deadline(seconds: Self.seconds))
                }
            }
            #expect(receive() == .failed(code: ECANCELED))
            try #require(write(peer, [1, 2], 2) == 2)
            // Loopback may take a moment.
            let isReceived = (0..<100_000).contains { _ in receive() == .bytes(2) }
            #expect(isReceived)
        }
    }

    /// A port of loopback that takes connections.
    private final class Listener {
        let descriptor: Int32
        let port: UInt16

        init() throws {
            descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let descriptor = descriptor
            let isBound = withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                    bind(descriptor, generic, length) == 0 && listen(descriptor, 1) == 0
                        && getsockname(descriptor, generic, &length) == 0
                }
            }
            try #require(isBound)
            port = UInt16(bigEndian: address.sin_port)
        }

        deinit { close(descriptor) }
    }
}

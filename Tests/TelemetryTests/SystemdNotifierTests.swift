import Foundation
import Glibc
import Telemetry
import Testing

@Suite("What systemd hears")
struct SystemdNotifierTests {
    @Test("readiness, status and the end are told, over a path and over an abstract name")
    func told() throws {
        let path = temporaryAddress()
        defer { unlink(path) }
        for name in [path, "@tributary-\(UUID().uuidString)"] {
            let manager = try Listener(name)
            let notifier = SystemdNotifier { $0 == "NOTIFY_SOCKET" ? name : nil }
            notifier.ready()
            notifier.status("training for round 7.1\nof pumps")
            notifier.alive()
            notifier.stopping()
            #expect(
                manager.received() == [
                    "READY=1", "STATUS=training for round 7.1of pumps", "STOPPING=1",
                ])
        }
    }

    @Test("signs of life are given when half of the watchdog's time is over, and not more often")
    func watchdog() throws {
        let name = temporaryAddress()
        defer { unlink(name) }
        let manager = try Listener(name)
        func notifier(_ more: [String: String]) -> SystemdNotifier {
            let all = more.merging(["NOTIFY_SOCKET": name]) { $1 }
            return SystemdNotifier { all[$0] }
        }
        let slow = notifier(["WATCHDOG_USEC": "600000000", "WATCHDOG_PID": "\(getpid())"])
        for _ in 0..<5 { slow.alive() }
        #expect(manager.received() == ["WATCHDOG=1"])

        let quick = notifier(["WATCHDOG_USEC": "2"])
        for _ in 0..<3 {
            quick.alive()
            usleep(10)
        }
        #expect(manager.received() == ["WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1"])

        for off in [["WATCHDOG_USEC": "2", "WATCHDOG_PID": "1"], ["WATCHDOG_USEC": "x"], [:]] {
            notifier(off).alive()
        }
        #expect(manager.received().isEmpty)
    }

    @Test("whatever waits wakes so often that no sign comes later than the watchdog bites")
    func longestWait() {
        for (microseconds, seconds) in [("20000000", 5.0), ("600000000", 30), ("0", 30)] {
            let notifier = SystemdNotifier { $0 == "WATCHDOG_USEC" ? microseconds : nil }
            #expect(notifier.longestWaitSeconds == seconds)
        }
        #expect(SystemdNotifier { _ in nil }.longestWaitSeconds == 30)
    }

    @Test("where nobody listens, or the address makes no sense, nothing happens")
    func nobody() {
        for address in [
            nil, "", "relative", "/nonexistent/notify", String(repeating: "/a", count: 200),
        ] {
            let notifier = SystemdNotifier { $0 == "NOTIFY_SOCKET" ? address : "1" }
            notifier.ready()
            notifier.alive()
            notifier.stopping()
        }
    }
}

/// A path at which nothing is yet.
private func temporaryAddress() -> String {
    FileManager.default.temporaryDirectory.appending(path: "notify-\(UUID().uuidString)").path
}

/// The manager's end: a datagram socket.
private final class Listener {
    private let descriptor: Int32

    /// - Parameter name: a path, or an abstract name with an @.
    init(_ name: String) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var bytes = Array(name.utf8)
        let isAbstract = name.hasPrefix("@")
        if isAbstract { bytes[0] = 0 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let length = socklen_t(
            MemoryLayout<sa_family_t>.size + bytes.count + (isAbstract ? 0 : 1))
        let bound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length)
            }
        }
        try #require(bound == 0, "errno \(errno)")
    }

    deinit { close(descriptor) }

    /// The messages that have come since the last call.
    func received() -> [String] {
        var messages: [String] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count >= 0 else { return messages }
            messages.append(String(decoding: buffer[..<count], as: UTF8.self))
        }
    }
}

import Federation
import Glibc
import Synchronization

/// What a service manager hears of the daemon: the datagrams of sd_notify(3), without its library. Where nobody listens,
/// nothing is sent.
package final class SystemdNotifier: Sendable {
    /// The address in the form of `sockaddr_un`; nil: nobody listens.
    private let address: [UInt8]?
    /// Seconds between two signs of life, half of what the manager waits for; nil: it waits for none.
    private let interval: Double?
    /// The longest wait between two calls of `alive`, in seconds. A device that was suspended finds out so late that a wait
    /// is over: time stands still for what waits, but not for the coordinator. A sign that is not due yet
    /// at one call comes with the next, at three quarters of what the manager waits for.
    package let longestWaitSeconds: Double
    /// When the last sign was given, in nanoseconds.
    private let lastSign = Atomic<UInt64>(0)

    /// - Parameter environment: reads a variable of the environment.
    package init(environment: (String) -> String? = variable) {
        address = environment("NOTIFY_SOCKET").flatMap(Self.address)
        let isForUs = environment("WATCHDOG_PID").map { $0 == "\(getpid())" } ?? true
        let limit = environment("WATCHDOG_USEC").flatMap { UInt64($0) }
        interval = isForUs ? limit.flatMap { $0 > 0 ? Double($0) / 2e6 : nil } : nil
        longestWaitSeconds = min((interval ?? 60) / 2, 30)
    }

    /// The daemon works; what depends on it may start.
    package func ready() { send("READY=1") }

    /// One line for `systemctl status`.
    package func status(_ text: String) { send("STATUS=" + text.filter { !$0.isNewline }) }

    /// The daemon is about to end.
    package func stopping() { send("STOPPING=1") }

    /// A sign of life, if one is due. Whatever works for long calls this every second or so, what waits every
    /// `longestWaitSeconds`.
    package func alive() {
        guard let interval else { return }
        let last = MonotonicInstant(nanoseconds: lastSign.load(ordering: .relaxed))
        let now = Self.now
        guard last.nanoseconds == 0 || now.seconds(since: last) >= interval else { return }
        lastSign.store(now.nanoseconds, ordering: .relaxed)
        send("WATCHDOG=1")
    }

    /// Counts time spent suspended as well, as the manager does.
    private static var now: MonotonicInstant {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return MonotonicInstant(
            nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
    }

    /// The bytes of `sun_path`: a path, or a name of the abstract kind, which is written with an @.
    private static func address(_ text: String) -> [UInt8]? {
        var name = Array(text.utf8)
        let most = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1
        guard let first = name.first, name.count <= most else { return nil }
        if first == UInt8(ascii: "@") {
            name[0] = 0
        } else if first != UInt8(ascii: "/") {
            return nil
        }
        return name
    }

    /// A manager that cannot be reached is no reason to stop working.
    private func send(_ text: String) {
        guard let address else { return }
        let kind = Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = socket(AF_UNIX, kind, 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        var peer = sockaddr_un()
        peer.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &peer.sun_path) { $0.copyBytes(from: address) }
        // An abstract name is as long as the length says; a path ends with a zero.
        let length = socklen_t(
            MemoryLayout<sa_family_t>.size + address.count + (address[0] == 0 ? 0 : 1))
        let bytes = Array(text.utf8)
        _ = withUnsafePointer(to: &peer) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                sendto(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL), generic, length)
            }
        }
    }
}

/// A variable of the process's environment.
package func variable(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }
}

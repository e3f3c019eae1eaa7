import Glibc
import Synchronization

/// Address and length of what the handler writes: nothing may be allocated there.
private let farewellAddress = Atomic<UInt>(0)
private let farewellCount = Atomic<Int>(0)

/// Ctrl-C while a command looks at work that goes on without it.
package enum WatchedWork {
    /// The exit status then, as shells have it for SIGINT.
    package static let exitStatus: Int32 = 130

    /// From now on Ctrl-C ends the process with `farewell` on standard error: that the work goes on, and how to look at it again.
    package static func leave(with farewell: String) {
        // Kept until the process ends.
        guard let text = strdup(farewell) else { return }
        farewellCount.store(strlen(text), ordering: .relaxed)
        farewellAddress.store(UInt(bitPattern: text), ordering: .relaxed)
        signal(SIGINT) { _ in
            _ = write(
                STDERR_FILENO,
                UnsafeRawPointer(bitPattern: farewellAddress.load(ordering: .relaxed)),
                farewellCount.load(ordering: .relaxed))
            _exit(WatchedWork.exitStatus)
        }
    }
}

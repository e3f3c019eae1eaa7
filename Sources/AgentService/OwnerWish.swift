import Cryptography
import Federation
import Glibc
import Telemetry

/// What the device's owner wants of the daemon, through the files of `control/`: the daemon sleeps until one changes.
final class OwnerWish: Sendable {
    private let directory: StateDirectory
    private let stop: StopSignal
    private let clock = SystemClock()
    /// inotify(7) on `control/`; negative where the kernel has none to give: then only the next check-in looks.
    private let notices: Int32
    /// Ends waits when a file there has changed, and when a stop is requested.
    let interruption: Interruption

    /// - Parameter stop: what ends every wait anyway.
    init(_ directory: StateDirectory, stop: StopSignal) {
        self.directory = directory
        self.stop = stop
        notices = inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))
        // A file is there when it has its name, and is never written under that.
        inotify_add_watch(notices, directory.controlDirectory, UInt32(IN_MOVED_TO | IN_DELETE))
        interruption = Interruption(readable: stop.descriptor, notices)
    }

    deinit { if notices >= 0 { close(notices) } }

    /// Whether a file has changed since the last call; waits are no longer cut short for it.
    func hasNews() -> Bool {
        guard notices >= 0 else { return false }
        var hasNews = false
        var bytes = [UInt8](repeating: 0, count: 4096)
        while read(notices, &bytes, bytes.count) > 0 { hasNews = true }
        return hasNews
    }

    /// The pause that holds now.
    var pause: OwnerPause? { OwnerPause.read(directory, unixSeconds: clock.unixSeconds) }

    /// Whether the device is being taken out of its fleet.
    var isLeaving: Bool { fileSize(directory.leaveFile) != nil }

    /// Sleeps for `seconds`, until the owner wants something else or a stop is requested, and gives signs of life.
    func sleep(seconds: Double, _ notifier: SystemdNotifier) {
        let end = clock.now.advanced(bySeconds: seconds)
        while !stop.isRequested {
            let left = end.seconds(since: clock.now)
            guard left > 0 else { return }
            notifier.alive()
            interruption.sleep(seconds: min(left, notifier.longestWaitSeconds))
            if hasNews() { return }
        }
    }
}

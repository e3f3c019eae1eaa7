import Federation
import Glibc
import Synchronization

private let stopFlag = Atomic<Bool>(false)
private let exitFlag = Atomic<Bool>(false)

/// SIGTERM and SIGINT as a request to stop; whatever waits or works for long looks at it.
package struct StopSignal: Sendable {
    /// How long a wait goes on without looking, in seconds; a stop takes at most about this long.
    static let sliceSeconds = 0.5

    /// From now on the signals only leave a request, and writing to a closed pipe is an error and not a death.
    package static func install() -> StopSignal {
        var action = sigaction()
        // A signal handler may do little more than this.
        action.__sigaction_handler.sa_handler = { _ in
            stopFlag.store(true, ordering: .relaxed)
            if exitFlag.load(ordering: .relaxed) { _exit(0) }
        }
        sigaction(SIGTERM, &action, nil)
        sigaction(SIGINT, &action, nil)
        signal(SIGPIPE, SIG_IGN)
        // A process inherits what its parent's thread blocks, and threads of a pool block nearly everything.
        var awaited = sigset_t()
        sigemptyset(&awaited)
        sigaddset(&awaited, SIGTERM)
        sigaddset(&awaited, SIGINT)
        pthread_sigmask(SIG_UNBLOCK, &awaited, nil)
        return StopSignal()
    }

    package var isRequested: Bool { stopFlag.load(ordering: .relaxed) }

    /// Whether a request ends the process there and then: for waits that cannot be cut short, in which nothing is half
    /// written.
    var mayExitAtOnce: Bool {
        get { exitFlag.load(ordering: .relaxed) }
        nonmutating set { exitFlag.store(newValue, ordering: .relaxed) }
    }

    /// Sleeps for `seconds`, or until a stop is requested.
    func sleep(seconds: Double) {
        let clock = SystemClock()
        let end = clock.now.advanced(bySeconds: seconds)
        while !isRequested {
            let left = end.seconds(since: clock.now)
            guard left > 0 else { return }
            let slice = min(left, StopSignal.sliceSeconds)
            var duration = timespec(
                tv_sec: Int(slice), tv_nsec: Int((slice - slice.rounded(.down)) * 1e9))
            nanosleep(&duration, nil)
        }
    }
}

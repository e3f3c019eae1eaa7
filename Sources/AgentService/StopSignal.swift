import Federation
import Glibc
import Synchronization

private let stopFlag = Atomic<Bool>(false)

/// SIGTERM and SIGINT as a request to stop; whatever waits or works for long looks at it.
package struct StopSignal: Sendable {
    /// How long a wait goes on without looking, in seconds.
    static let sliceSeconds = 0.5
    /// How long after the request the process ends in any case, in microseconds. Everything on disk survives a kill at any
    /// instant, so ending in the middle of a step that cannot be cut short (a name that is looked up, a peer that takes no
    /// bytes) costs nothing but the last lines of the log.
    private static let graceMicroseconds = 800_000

    /// From now on the signals leave a request, and writing to a closed pipe is an error and not a death.
    package static func install() -> StopSignal {
        stopFlag.store(false, ordering: .relaxed)
        // A signal handler may do little more than this.
        handle([SIGTERM, SIGINT]) { _ in
            guard !stopFlag.exchange(true, ordering: .relaxed) else { return }
            var grace = itimerval(
                it_interval: timeval(),
                it_value: timeval(tv_sec: 0, tv_usec: StopSignal.graceMicroseconds))
            setitimer(__itimer_which_t(ITIMER_REAL.rawValue), &grace, nil)
        }
        handle([SIGALRM]) { _ in _exit(0) }
        signal(SIGPIPE, SIG_IGN)
        return StopSignal()
    }

    private static func handle(
        _ signals: [Int32], by handler: @escaping @convention(c) (Int32) -> Void
    ) {
        var action = sigaction()
        action.__sigaction_handler.sa_handler = handler
        var awaited = sigset_t()
        sigemptyset(&awaited)
        for signal in signals {
            sigaction(signal, &action, nil)
            sigaddset(&awaited, signal)
        }
        // A process inherits what its parent's thread blocks, and threads of a pool block nearly everything.
        pthread_sigmask(SIG_UNBLOCK, &awaited, nil)
    }

    package var isRequested: Bool { stopFlag.load(ordering: .relaxed) }

    /// Sleeps for `seconds`, or until a stop is requested; calls `eachSlice` every half second.
    func sleep(seconds: Double, eachSlice: () -> Void) {
        let clock = SystemClock()
        let end = clock.now.advanced(bySeconds: seconds)
        while !isRequested {
            let left = end.seconds(since: clock.now)
            guard left > 0 else { return }
            eachSlice()
            let slice = min(left, StopSignal.sliceSeconds)
            var duration = timespec(
                tv_sec: Int(slice), tv_nsec: Int((slice - slice.rounded(.down)) * 1e9))
            nanosleep(&duration, nil)
        }
    }
}

import Cryptography
package import Federation
import Glibc
import Synchronization

private let stopFlag = Atomic<Bool>(false)
/// Where the request is written, for what waits in poll(2); nobody reads it.
private let stopWriter = Atomic<Int32>(-1)

/// SIGTERM and SIGINT as a request to stop; whatever waits ends its wait, and what works for long looks at it.
package struct StopSignal: Sendable {
    /// How long the process goes on after the request in any case, in microseconds. Everything on disk survives a kill at
    /// any instant, so ending in the middle of a step that cannot be cut short (a name that is looked up) costs nothing but
    /// the last lines of the log.
    private static let graceMicroseconds = 800_000

    /// Readable once a stop is requested, so that it ends waits.
    let descriptor: Int32

    /// From now on the signals leave a request, and writing to a closed pipe is an error and not a death.
    ///
    /// - Throws: `Fault.exhausted` when there are no more descriptors.
    package static func install() throws(Fault) -> StopSignal {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else {
            throw Fault(
                .exhausted, "cannot open a pipe: \(systemError(errno))",
                remedy: "raise the limit on open files")
        }
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        stopFlag.store(false, ordering: .relaxed)
        stopWriter.store(ends[1], ordering: .relaxed)
        // A signal handler may do little more than this.
        handle([SIGTERM, SIGINT]) { _ in
            guard !stopFlag.exchange(true, ordering: .relaxed) else { return }
            let error = errno
            var sign: UInt8 = 1
            _ = write(stopWriter.load(ordering: .relaxed), &sign, 1)
            var grace = itimerval(
                it_interval: timeval(),
                it_value: timeval(tv_sec: 0, tv_usec: StopSignal.graceMicroseconds))
            setitimer(__itimer_which_t(ITIMER_REAL.rawValue), &grace, nil)
            errno = error
        }
        handle([SIGALRM]) { _ in _exit(0) }
        signal(SIGPIPE, SIG_IGN)
        return StopSignal(descriptor: ends[0])
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

    /// Requests a stop, as the signals do.
    func request() { raise(SIGTERM) }
}

import Glibc
import Synchronization

/// The exit status of this program when its output cannot be written.
private let unwrittenStatus = Atomic<Int32>(1)

/// One of the process's two output streams.
package enum OutputStream: Int32, Sendable {
    case standard = 1
    case error = 2

    /// Columns when the stream is a terminal that can redraw a line, otherwise nil.
    package var width: Int? {
        guard isatty(rawValue) == 1 else { return nil }
        if let kind = getenv("TERM"), String(cString: kind) == "dumb" { return nil }
        var size = winsize()
        let known = ioctl(rawValue, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col >= 20
        return known ? Int(size.ws_col) : 80
    }

    /// From now on, what `print` has written, as ArgumentParser does, counts too: the process ends as `write` says when that
    /// cannot be delivered at its end.
    ///
    /// - Parameter status: the exit status then, and when `write` fails.
    package static func answerForPrinting(status: Int32 = 1) {
        unwrittenStatus.store(status, ordering: .relaxed)
        atexit {
            if fflush(nil) != 0 { OutputStream.end(because: errno) }
        }
    }

    /// Writes `text` at once. When standard output does not take it (a full disk), that is said on standard error and the
    /// process ends with a status of failure; when nobody reads it any more (a closed pipe), it ends as by SIGPIPE. Nothing can
    /// be done when standard error does not.
    package func write(_ text: String) {
        let failure = deliver(text)
        if failure != 0, self == .standard { OutputStream.end(because: failure) }
    }

    /// Writes `text`, for whoever may read it: the process goes on without.
    package func offer(_ text: String) { _ = deliver(text) }

    /// Zero, or what keeps the rest from being written, as `errno` has it.
    private func deliver(_ text: String) -> Int32 {
        let bytes = Array(text.utf8)
        var done = 0
        while done < bytes.count {
            let count = bytes[done...].withUnsafeBytes {
                Glibc.write(rawValue, $0.baseAddress, $0.count)
            }
            guard count <= 0 else {
                done += count
                continue
            }
            switch count == 0 ? EIO : errno {
            case EINTR: continue
            // Somebody else made the pipe one that does not wait.
            case EAGAIN: waitForRoom()
            case let code: return code
            }
        }
        return 0
    }

    private func waitForRoom() {
        var request = pollfd(fd: rawValue, events: Int16(POLLOUT), revents: 0)
        _ = poll(&request, 1, -1)
    }

    private static func end(because code: Int32) -> Never {
        if code == EPIPE {
            signal(SIGPIPE, SIG_DFL)
            raise(SIGPIPE)
            // A thread that holds signals back is not ended by one.
            _exit(128 + SIGPIPE)
        }
        let reason = String(cString: strerror(code))
        OutputStream.error.offer("error: cannot write the output: \(reason)\n")
        _exit(unwrittenStatus.load(ordering: .relaxed))
    }
}

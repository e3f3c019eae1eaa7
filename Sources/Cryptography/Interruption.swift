import Glibc

/// Something that ends waits before their time, such as a request to stop.
package struct Interruption: Sendable {
    private let descriptor: Int32

    /// - Parameter descriptor: readable from the moment on that waits are to end; it stays open.
    package init(readable descriptor: Int32) { self.descriptor = descriptor }

    /// Sleeps for `seconds` or until the interruption, and sees signals.
    package func sleep(seconds: Double) {
        let milliseconds = Deadline(seconds: seconds).remainingMilliseconds
        var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        _ = poll(&request, 1, milliseconds)
    }

    /// What a wait came to.
    enum Wait {
        case ready, timedOut, interrupted
    }

    /// Waits until `events` or an error is there at `socket`.
    static func wait(
        _ socket: Int32, for events: Int16, _ deadline: Deadline, unless interruption: Interruption?
    ) -> Wait {
        while true {
            // poll(2) passes over a negative descriptor.
            var requests = [
                pollfd(fd: socket, events: events, revents: 0),
                pollfd(fd: interruption?.descriptor ?? -1, events: Int16(POLLIN), revents: 0),
            ]
            let count = poll(&requests, 2, deadline.remainingMilliseconds)
            if requests[1].revents != 0 { return .interrupted }
            if count > 0 { return .ready }
            if count == 0 && deadline.remainingMilliseconds == 0 { return .timedOut }
            // What is wrong with the socket shows at the next transfer.
            if count < 0 && errno != EINTR { return .ready }
        }
    }
}

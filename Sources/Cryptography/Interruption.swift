import Glibc

/// Something that ends waits before their time, such as a request to stop.
package struct Interruption: Sendable {
    private let descriptors: [Int32]

    /// - Parameter descriptors: one of them is readable from the moment on that waits are to end; they stay open.
    package init(readable descriptors: Int32...) { self.descriptors = descriptors }

    /// Sleeps for `seconds` or until the interruption, and sees signals.
    package func sleep(seconds: Double) {
        let milliseconds = Deadline(seconds: seconds).remainingMilliseconds
        var requests = requests
        _ = poll(&requests, nfds_t(requests.count), milliseconds)
    }

    /// poll(2) passes over a negative descriptor.
    private var requests: [pollfd] {
        descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
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
            var requests = [pollfd(fd: socket, events: events, revents: 0)]
            requests += interruption?.requests ?? []
            let count = poll(&requests, nfds_t(requests.count), deadline.remainingMilliseconds)
            if requests.dropFirst().contains(where: { $0.revents != 0 }) { return .interrupted }
            if count > 0 { return .ready }
            if count == 0 && deadline.remainingMilliseconds == 0 { return .timedOut }
            // What is wrong with the socket shows at the next transfer.
            if count < 0 && errno != EINTR { return .ready }
        }
    }
}

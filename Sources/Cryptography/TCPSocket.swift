package import Federation
import Glibc

/// A connected socket, closed when it goes away. Calls wait with poll(2), so that each has its
/// deadline.
package struct TCPSocket: ~Copyable {
    /// What a transfer came to.
    package enum Transfer: Equatable {
        case bytes(Int)
        case end
        case timedOut
        case failed(code: Int32)
    }

    private let descriptor: Int32
    private let interruption: Interruption?

    private init(descriptor: Int32, interruption: Interruption?) {
        self.descriptor = descriptor
        self.interruption = interruption
    }

    deinit { close(descriptor) }

    /// Connects to the first address of `host` that answers.
    ///
    /// - Parameter interruption: ends this and every later wait at once: a transfer that would wait fails with ECANCELED.
    /// - Throws: `Fault.unavailable` that tells an unknown name, a refusal and silence apart.
    package static func connect(
        to peer: NetworkAddress, deadline: Deadline, interruption: Interruption? = nil
    ) throws(Fault) -> TCPSocket {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(peer.host, String(peer.port), &hints, &list)
        guard status == 0 else {
            let words = String(cString: gai_strerror(status))
            throw Fault(
                .unavailable, "cannot find the address of '\(peer.host)': \(words)",
                remedy: "check the spelling and this machine's name service, or use an IP address")
        }
        defer { freeaddrinfo(list) }
        var failure = EHOSTUNREACH
        var next = list
        while let address = next {
            switch attempt(address.pointee, deadline, interruption) {
            case .success(let descriptor):
                return TCPSocket(descriptor: descriptor, interruption: interruption)
            case .failure(let code): failure = code
            }
            next = address.pointee.ai_next
        }
        throw connectFault(peer, code: failure, deadline)
    }

    private enum Attempt {
        case success(Int32)
        case failure(Int32)
    }

    private static func attempt(
        _ address: addrinfo, _ deadline: Deadline, _ interruption: Interruption?
    ) -> Attempt {
        let kind = Int32(
            SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = socket(address.ai_family, kind, address.ai_protocol)
        guard descriptor >= 0 else { return .failure(errno) }
        var code: Int32 = 0
        if Glibc.connect(descriptor, address.ai_addr, address.ai_addrlen) != 0 {
            code = errno
            if code == EINPROGRESS {
                switch Interruption.wait(
                    descriptor, for: Int16(POLLOUT), deadline, unless: interruption)
                {
                case .ready: code = pendingError(descriptor)
                case .timedOut: code = ETIMEDOUT
                case .interrupted: code = ECANCELED
                }
            }
        }
        guard code == 0 else {
            close(descriptor)
            return .failure(code)
        }
        var on: Int32 = 1
        let size = socklen_t(MemoryLayout<Int32>.size)
        // Requests are small and answered at once; waiting to fill a packet would only delay them.
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, size)
        setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &on, size)
        return .success(descriptor)
    }

    private static func pendingError(_ descriptor: Int32) -> Int32 {
        var code: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &size) == 0 else { return errno }
        return code
    }

    private static func connectFault(
        _ peer: NetworkAddress, code: Int32, _ deadline: Deadline
    ) -> Fault {
        switch code {
        case ECONNREFUSED:
            Fault(
                .unavailable, "\(peer) refused the connection: nothing listens there",
                remedy: "check that the coordinator runs and that address and port are right")
        case ETIMEDOUT:
            Fault(
                .unavailable, "\(peer) did not answer within \(wholeSeconds(deadline.seconds))",
                remedy: "check the address, and that no firewall drops the connection")
        default:
            Fault(
                .unavailable, "cannot connect to \(peer): \(systemError(code))",
                remedy: "check this machine's network")
        }
    }

    /// Receives what there is, at most `buffer.count` bytes, waiting for the first.
    package func receive(into buffer: UnsafeMutableRawBufferPointer, _ deadline: Deadline)
        -> Transfer
    {
        while true {
            let count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
            if count > 0 { return .bytes(count) }
            if count == 0 { return .end }
            switch errno {
            case EINTR: continue
            case EAGAIN:
                if let end = endOfWait(for: Int16(POLLIN), deadline) { return end }
            default: return .failed(code: errno)
            }
        }
    }

    /// Sends the first bytes of `bytes`, as many as fit.
    package func send(_ bytes: UnsafeRawBufferPointer, _ deadline: Deadline) -> Transfer {
        while true {
            // A peer that has gone is an error to handle, not a signal that ends the process.
            let count = Glibc.send(
                descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
            if count >= 0 { return .bytes(count) }
            switch errno {
            case EINTR: continue
            case EAGAIN:
                if let end = endOfWait(for: Int16(POLLOUT), deadline) { return end }
            default: return .failed(code: errno)
            }
        }
    }

    /// Waits until `events` or an error is there: nil then, otherwise what the transfer comes to.
    private func endOfWait(for events: Int16, _ deadline: Deadline) -> Transfer? {
        switch Interruption.wait(descriptor, for: events, deadline, unless: interruption) {
        case .ready: nil
        case .timedOut: .timedOut
        case .interrupted: .failed(code: ECANCELED)
        }
    }
}

/// `seconds` for a message: whole ones as they are, others with a decimal.
package func wholeSeconds(_ seconds: Double) -> String {
    let tenths = (seconds * 10).rounded()
    return tenths.truncatingRemainder(dividingBy: 10) == 0
        ? "\(Int(tenths / 10)) s" : "\(tenths / 10) s"
}

import COpenSSL
import Cryptography
import Federation

/// A TLS session and the socket that it runs over: moves bytes between them until a call is done.
struct TLSTransport: ~Copyable {
    let peer: NetworkAddress
    let session: TLSSession
    private let socket: TCPSocket

    /// Bytes moved at once: a TLS record and its overhead fit.
    private static let pieceBytes = 17 << 10

    init(peer: NetworkAddress, session: TLSSession, socket: consuming TCPSocket) {
        self.peer = peer
        self.session = session
        self.socket = socket
    }

    /// Repeats `call` until it is done, sending what it writes and receiving what it lacks.
    ///
    /// - Parameter waitingFor: what the peer owes us, for the message at the deadline.
    /// - Returns: what the call transferred; 0 at the peer's orderly end.
    func run(
        _ deadline: Deadline, waitingFor: String, _ call: () -> TLSSession.Step
    ) throws(Fault) -> Int {
        while true {
            let step = call()
            if case .failed = step {
                let fault = queuedFault()
                // Our alert tells the peer why we leave; that we leave does not depend on it.
                try? flush(deadline)
                throw fault
            }
            try flush(deadline)
            switch step {
            case .done(let count): return count
            case .end: return 0
            case .needsInput: try fill(deadline, waitingFor: waitingFor)
            case .failed: continue
            }
        }
    }

    /// Says goodbye if that needs no waiting.
    func finish() {
        session.finish()
        try? flush(Deadline(seconds: 0))
    }

    private func queuedFault() -> Fault {
        TLSFault.fromQueue(
            verifyResult: session.verifyResult, sent: session.sentCertificates, peer: peer)
    }

    /// Receives some bytes for the session.
    private func fill(_ deadline: Deadline, waitingFor: String) throws(Fault) {
        switch receive(deadline) {
        case .bytes: return
        case .end: throw TLSFault.closed(peer)
        case .timedOut:
            throw Fault(
                .unavailable,
                "\(peer) sent no \(waitingFor) within \(wholeSeconds(deadline.seconds))",
                remedy: "check that this is the coordinator's port, and its load")
        case .failed(let code): throw TLSFault.broken(peer, code: code)
        }
    }

    private func receive(_ deadline: Deadline) -> TCPSocket.Transfer {
        withUnsafeTemporaryAllocation(byteCount: TLSTransport.pieceBytes, alignment: 1) { buffer in
            let transfer = socket.receive(into: buffer, deadline)
            if case .bytes(let count) = transfer {
                session.receive(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            }
            return transfer
        }
    }

    /// Sends everything that the session has written.
    private func flush(_ deadline: Deadline) throws(Fault) {
        switch sendAll(deadline) {
        case .bytes, .end: return
        case .timedOut:
            throw Fault(
                .unavailable, "\(peer) took no bytes for \(wholeSeconds(deadline.seconds))",
                remedy: "try again; if it goes on, look into the coordinator's load")
        case .failed(let code): throw lastWords() ?? TLSFault.broken(peer, code: code)
        }
    }

    /// What moved last: bytes when all is sent.
    private func sendAll(_ deadline: Deadline) -> TCPSocket.Transfer {
        withUnsafeTemporaryAllocation(byteCount: TLSTransport.pieceBytes, alignment: 1) { buffer in
            while true {
                let count = session.takeOutgoing(into: buffer)
                if count == 0 { return .bytes(0) }
                var sent = 0
                while sent < count {
                    let rest = UnsafeRawBufferPointer(rebasing: buffer[sent..<count])
                    let transfer = socket.send(rest, deadline)
                    guard case .bytes(let part) = transfer else { return transfer }
                    sent += part
                }
            }
        }
    }

    /// The alert that explains why the peer takes nothing more, if one has arrived: a server that
    /// refuses our certificate sends it and closes, often while we are still writing.
    private func lastWords() -> Fault? {
        let now = Deadline(seconds: 0)
        while case .bytes = receive(now) {}
        guard case .failed = session.peek() else { return nil }
        return queuedFault()
    }
}

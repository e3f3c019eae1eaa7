import Cryptography
import Dispatch
import Federation
import Synchronization
import TLSClient
import Wire

/// A client's TLS connection with a thread of its own: the client blocks, and the threads that run tasks must not.
final class Line: Sendable {
    static let patienceSeconds = 30.0

    private let connection: Mutex<FramedConnection<TLSConnection>?>
    private let queue = DispatchQueue(label: "tributary.tests.line")

    private init(_ connection: consuming sending FramedConnection<TLSConnection>) {
        self.connection = Mutex(connection)
    }

    static func connect(
        to address: NetworkAddress, authority: Certificate,
        identity: (Certificate, PrivateKey)?
    ) async throws(Fault) -> Line {
        try await onThread(DispatchQueue(label: "tributary.tests.connect")) { () throws(Fault) in
            Line(
                FramedConnection(
                    try TLSConnection.connect(
                        host: address.host, port: address.port, trust: .authorities([authority]),
                        identity: identity, timeoutSeconds: patienceSeconds)))
        }
    }

    /// Sends a message and returns the answer; a `Failure` is thrown as its fault.
    @discardableResult
    func ask(_ message: Message) async throws(Fault) -> Message {
        try await use { (connection) throws(Fault) in
            try connection.exchange(message, timeoutSeconds: Self.patienceSeconds)
        }
    }

    /// Sends a message that has no answer.
    func send(_ message: Message) async throws(Fault) {
        try await use { (connection) throws(Fault) in try connection.send(message) }
    }

    /// Waits for a message; a `Failure` is returned as it is.
    func receive() async throws(Fault) -> Message {
        try await use { (connection) throws(Fault) in
            try connection.receive(timeoutSeconds: Self.patienceSeconds)
        }
    }

    /// Writes bytes that need not be a frame.
    func write(_ bytes: [UInt8]) async throws(Fault) {
        try await use { (connection) throws(Fault) in
            try connection.withStream { (stream) throws(Fault) in
                try bytes.withUnsafeBufferPointer { (bytes) throws(Fault) in
                    try stream.write(UnsafeRawBufferPointer(bytes))
                }
            }
        }
    }

    /// Closes the connection.
    func close() async throws(Fault) {
        try await onThread(queue) { () throws(Fault) in
            self.connection.withLock { (connection) throws(Never) -> Void in connection = nil }
        }
    }

    private func use<Value: Sendable>(
        _ body:
            @escaping @Sendable (inout FramedConnection<TLSConnection>) throws(Fault) -> Value
    ) async throws(Fault) -> Value {
        try await onThread(queue) { () throws(Fault) in
            try self.connection.withLock { (connection) throws(Fault) -> Value in
                guard var open = connection.take() else {
                    throw Fault(.conflict, "the test has closed this line")
                }
                do throws(Fault) {
                    let value = try body(&open)
                    connection = consume open
                    return value
                } catch {
                    connection = consume open
                    throw error
                }
            }
        }
    }
}

/// Runs blocking work on `queue` and waits for it without blocking a task's thread.
func onThread<Value: Sendable>(
    _ queue: DispatchQueue, _ work: @escaping @Sendable () throws(Fault) -> Value
) async throws(Fault) -> Value {
    let result: Result<Value, Fault> = await withCheckedContinuation { continuation in
        queue.async {
            continuation.resume(returning: Result { () throws(Fault) in try work() })
        }
    }
    return try result.get()
}

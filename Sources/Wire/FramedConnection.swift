package import Federation

/// Messages over a blocking stream of bytes, one at a time.
package struct FramedConnection<Stream: ByteStream & ~Copyable>: ~Copyable {
    /// Most bytes read at once: the plaintext of one TLS record.
    private static var readBytes: Int { 16 << 10 }

    private var stream: Stream
    private var decoder = FrameDecoder()

    package init(_ stream: consuming Stream) { self.stream = stream }

    /// Calls `body` with the stream, to ask it something; what `body` reads or writes is lost to
    /// the frames.
    package mutating func withStream<Result>(
        _ body: (inout Stream) throws(Fault) -> Result
    ) throws(Fault) -> Result {
        try body(&stream)
    }

    /// Writes `message`.
    ///
    /// - Throws: what `Message.encoded` throws, with nothing written, or the stream's fault.
    package mutating func send(_ message: Message) throws(Fault) {
        let frame = try message.encoded()
        try frame.withUnsafeBufferPointer { (bytes) throws(Fault) in
            try stream.write(UnsafeRawBufferPointer(bytes))
        }
    }

    /// Waits for the next message. After a time-out it may be called again: no byte is lost.
    ///
    /// - Parameter timeoutSeconds: how long the peer may be silent.
    /// - Throws: `Fault.unavailable` when the peer is silent for longer or has closed the
    ///   connection, and what `FrameDecoder.next` throws.
    package mutating func receive(timeoutSeconds: Double) throws(Fault) -> Message {
        while true {
            if let message = try decoder.next() { return message }
            try fillDecoder(timeoutSeconds: timeoutSeconds)
        }
    }

    /// Sends `message` and waits for the answer.
    ///
    /// - Throws: what `send` and `receive` throw, and the peer's fault when it answers with a
    ///   failure.
    package mutating func exchange(
        _ message: Message, timeoutSeconds: Double
    ) throws(Fault) -> Message {
        try send(message)
        let answer = try receive(timeoutSeconds: timeoutSeconds)
        if case .failure(let failure) = answer { throw Fault(failure) }
        return answer
    }

    private mutating func fillDecoder(timeoutSeconds: Double) throws(Fault) {
        let scratch = UnsafeMutableRawBufferPointer.allocate(
            byteCount: Self.readBytes, alignment: 1)
        defer { scratch.deallocate() }
        let count = try stream.read(into: scratch, timeoutSeconds: timeoutSeconds)
        guard count > 0 else {
            throw Fault(
                .unavailable,
                decoder.bufferedCount == 0
                    ? "the peer closed the connection"
                    : "the peer closed the connection in the middle of a message",
                remedy: "try again; if it goes on, read the peer's log")
        }
        decoder.append(UnsafeRawBufferPointer(rebasing: scratch[..<count]))
    }
}

package import Federation

/// Messages over a blocking stream of bytes, one at a time.
package struct FramedConnection<Stream: ByteStream & ~Copyable>: ~Copyable {
    /// Most bytes read at once: the plaintext of one TLS record.
    private static var readBytes: Int { 16 << 10 }

    private var stream: Stream
    private var decoder = FrameDecoder()
    /// Messages to come that nobody is to get.
    private var unwanted = 0

    package init(_ stream: consuming Stream) { self.stream = stream }

    /// Calls `body` with the stream, to ask it something; what `body` reads or writes is lost to
    /// the frames.
    package mutating func withStream<Result>(
        _ body: (inout Stream) throws(Fault) -> Result
    ) throws(Fault) -> Result {
        try body(&stream)
    }

    /// Writes `messages`, all at once.
    ///
    /// - Throws: what `Message.encoded` throws, with nothing written, or the stream's fault.
    package mutating func send(_ messages: Message...) throws(Fault) {
        var frames: [UInt8] = []
        for message in messages {
            let frame = try message.encoded()
            if frames.isEmpty { frames = frame } else { frames += frame }
        }
        try frames.withUnsafeBufferPointer { (bytes) throws(Fault) in
            try stream.write(UnsafeRawBufferPointer(bytes))
        }
    }

    /// Throws away the next message that comes, before any other is received.
    package mutating func skipMessage() { unwanted += 1 }

    /// Waits for the next message. After a time-out it may be called again: no byte is lost.
    ///
    /// - Parameter timeoutSeconds: how long the peer may be silent.
    /// - Throws: `Fault.unavailable` when the peer is silent for longer or has closed the
    ///   connection, and what `FrameDecoder.next` throws.
    package mutating func receive(timeoutSeconds: Double) throws(Fault) -> Message {
        while true {
            if let message = try decoder.next() {
                guard unwanted > 0 else { return message }
                unwanted -= 1
                continue
            }
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

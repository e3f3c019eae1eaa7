import Federation
import Testing
import Wire

/// A stream that gives what a test laid in, a few bytes at a time, and keeps what is written.
private struct ScriptedStream: ByteStream, ~Copyable {
    var incoming: [UInt8] = []
    var piece = Int.max
    /// Reads that time out before the next byte comes.
    var timeouts = 0
    var writes: [[UInt8]] = []
    var written: [UInt8] { writes.flatMap { $0 } }

    mutating func read(
        into buffer: UnsafeMutableRawBufferPointer, timeoutSeconds: Double
    ) throws(Fault) -> Int {
        if timeouts > 0 {
            timeouts -= 1
            throw Fault(.unavailable, "silent for \(timeoutSeconds) s")
        }
        let count = min(buffer.count, piece, incoming.count)
        for index in 0..<count { buffer[index] = incoming[index] }
        incoming.removeFirst(count)
        return count
    }

    mutating func write(_ bytes: UnsafeRawBufferPointer) throws(Fault) {
        writes.append(Array(bytes))
    }
}

@Suite struct FramedConnectionTests {
    private let question = Message.blobRequest(BlobRequest(digest: Samples.digest, offset: 3))
    private let answer = Message.blobChunk(
        BlobChunk(digest: Samples.digest, offset: 3, totalSize: 5, data: [4, 5]))

    @Test("a question is written as one frame and its answer read from pieces")
    func exchange() throws {
        var connection = FramedConnection(
            ScriptedStream(incoming: try answer.encoded(), piece: 3))
        #expect(try connection.exchange(question, timeoutSeconds: 1) == answer)
        let written = try connection.withStream { (stream) throws(Fault) in stream.written }
        #expect(try written == question.encoded())
    }

    @Test("messages that are sent together are written at once")
    func together() throws {
        var connection = FramedConnection(ScriptedStream())
        try connection.send(question, answer)
        let writes = try connection.withStream { (stream) throws(Fault) in stream.writes }
        #expect(try writes == [question.encoded() + answer.encoded()])
    }

    @Test("an unwanted message is thrown away whenever it comes, and no other")
    func unwanted() throws {
        var connection = FramedConnection(
            ScriptedStream(incoming: try answer.encoded() + question.encoded(), timeouts: 1))
        connection.skipMessage()
        #expect(throws: Fault.self) { try connection.receive(timeoutSeconds: 1) }
        #expect(try connection.receive(timeoutSeconds: 1) == question)
        try connection.withStream { (stream) throws(Fault) in
            stream.incoming = try answer.encoded()
        }
        #expect(try connection.receive(timeoutSeconds: 1) == answer)
    }

    @Test("the peer's failure is thrown as the fault it is")
    func failure() throws {
        let fault = Fault(.gone, "round 3 is over", remedy: "check in again")
        let failure = Message.failure(Failure(fault))
        var connection = FramedConnection(ScriptedStream(incoming: try failure.encoded()))
        #expect(throws: fault) { try connection.exchange(question, timeoutSeconds: 1) }
        var listener = FramedConnection(ScriptedStream(incoming: try failure.encoded()))
        #expect(try listener.receive(timeoutSeconds: 1) == failure)
    }

    @Test("no byte is lost when a wait times out in the middle of a message")
    func timeout() throws {
        let frame = try answer.encoded()
        var connection = FramedConnection(ScriptedStream(incoming: Array(frame.prefix(9))))
        #expect(throws: Fault.self) { try connection.receive(timeoutSeconds: 1) }
        try connection.withStream { (stream) throws(Fault) in
            stream.timeouts = 1
            stream.incoming = Array(frame.dropFirst(9))
        }
        #expect(throws: Fault(.unavailable, "silent for 2.0 s")) {
            try connection.receive(timeoutSeconds: 2)
        }
        #expect(try connection.receive(timeoutSeconds: 1) == answer)
    }

    @Test("the end of the stream says whether a message was cut")
    func endOfStream() throws {
        let remedy = "try again; if it goes on, read the peer's log"
        var closed = FramedConnection(ScriptedStream())
        #expect(throws: Fault(.unavailable, "the peer closed the connection", remedy: remedy)) {
            try closed.receive(timeoutSeconds: 1)
        }
        var cut = FramedConnection(
            ScriptedStream(incoming: Array(try answer.encoded().dropLast())))
        #expect(
            throws: Fault(
                .unavailable, "the peer closed the connection in the middle of a message",
                remedy: remedy)
        ) { try cut.receive(timeoutSeconds: 1) }
    }

    @Test("a message that may not be sent writes nothing")
    func unsendable() throws {
        var connection = FramedConnection(ScriptedStream())
        #expect(throws: Fault.self) {
            try connection.send(.failure(Failure(message: "a\0b")))
        }
        let written = try connection.withStream { (stream) throws(Fault) in stream.written }
        #expect(written.isEmpty)
    }
}

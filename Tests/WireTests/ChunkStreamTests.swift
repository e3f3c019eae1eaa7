import Federation
import Testing
import Wire

/// What a stream became: messages, and the bytes of chunks by where they belong.
private final class Listener {
    private var decoder = FrameDecoder()
    private(set) var messages: [Message] = []
    private(set) var update: [UInt64: UInt8] = [:]
    private(set) var pieces = 0
    private(set) var ended = 0

    var bufferedCount: Int { decoder.bufferedCount }
    var isBetweenFrames: Bool { decoder.isBetweenFrames }

    private func take(_ offset: UInt64, _ bytes: UnsafeRawBufferPointer) {
        pieces += 1
        for (index, byte) in bytes.enumerated() { update[offset &+ UInt64(index)] = byte }
    }

    /// Hears `bytes`, and what was held before.
    func hear(_ bytes: some Sequence<UInt8>) throws(Fault) {
        let bytes = Array(bytes)
        ended += bytes.withUnsafeBytes { decoder.append($0, streamingTo: take) }
        while let message = try decoder.next() {
            messages.append(message)
            ended += decoder.stream(to: take)
        }
    }

    /// Holds `bytes` without listening.
    func hold(_ bytes: [UInt8]) { decoder.append(bytes) }
}

private func chunk(_ offset: UInt64, _ data: [UInt8]) -> Message {
    .submitChunk(SubmitChunk(offset: offset, data: data))
}

@Suite("A chunk's head")
struct ChunkBeginningTests {
    @Test("that has come in part is told from a message that waits for its rest")
    func parts() throws {
        let frame = try chunk(5, [UInt8](repeating: 1, count: 20_000)).encoded()
        for count in 1...12 {
            let (begun, other) = (
                FrameDecoder.holding(frame[..<count]),
                FrameDecoder.holding(
                    [0, 0, 0x40, 0] + [UInt8](repeating: 0, count: 100))
            )
            #expect(begun.bufferedCount == count && begun.mayBeginChunk)
            #expect(other.bufferedCount == 104 && !other.mayBeginChunk)
        }
    }
}

extension FrameDecoder {
    fileprivate static func holding(_ bytes: some Sequence<UInt8>) -> FrameDecoder {
        var decoder = FrameDecoder()
        _ = Array(bytes).withUnsafeBytes { decoder.append($0) { _, _ in } }
        return decoder
    }
}

@Suite("Chunks that are handed on as they come")
struct ChunkStreamTests {
    private let finish = Message.submitFinish(SubmitFinish(round: 3, attempt: 1))

    @Test("arrive whole between the messages around them, however they are cut", arguments: 1...8)
    func cuts(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let update = random.bytes(300_000)
        var sent: [Message] = Samples.all.filter {
            if case .submitChunk = $0 { false } else { true }
        }
        let others = sent
        for start in stride(from: 0, to: update.count, by: 100_000) {
            sent.append(chunk(UInt64(start), Array(update[start..<start + 100_000])))
        }
        sent.append(finish)
        var rest = try ArraySlice(sent.flatMap { try $0.encoded() })
        let listener = Listener()
        while !rest.isEmpty {
            // Mostly a few bytes, so that heads are cut too.
            let most = random.next() % 4 == 0 ? 70_000 : 12
            let piece = rest.prefix(Int.random(in: 1...most, using: &random))
            rest = rest.dropFirst(piece.count)
            try listener.hear(piece)
        }
        #expect(listener.messages == others + [finish])
        #expect(listener.ended == 3)
        #expect(listener.isBetweenFrames)
        #expect(listener.update.count == update.count)
        #expect((0..<update.count).allSatisfy { listener.update[UInt64($0)] == update[$0] })
    }

    @Test("are never held")
    func nothingHeld() throws {
        let frame = try chunk(7, [UInt8](repeating: 1, count: WireLimits.chunkBytes)).encoded()
        let listener = Listener()
        for start in stride(from: 0, to: frame.count, by: 1000) {
            try listener.hear(frame[start..<min(frame.count, start + 1000)])
            #expect(listener.bufferedCount == 0)
        }
        #expect(listener.update.count == WireLimits.chunkBytes)
        #expect(listener.messages.isEmpty && listener.ended == 1)
    }

    @Test("that were held before anybody listened are handed on too")
    func held() throws {
        let frame = try chunk(0, Array(0..<200)).encoded()
        let listener = Listener()
        listener.hold(Array(frame.prefix(100)))
        try listener.hear(frame.dropFirst(100))
        #expect(listener.update.count == 200 && listener.messages.isEmpty)
        listener.hold(try finish.encoded() + frame)
        try listener.hear([])
        #expect(listener.messages == [finish])
        #expect(listener.ended == 2)
    }

    @Test("written in another order, or with fields twice, come as messages")
    func unusual() throws {
        let data = ProtobufBytes.field(2, [1, 2, 3])
        let offset = ProtobufBytes.field(1, UInt64(9))
        let listener = Listener()
        for body in [data + offset, offset + data + data, data + ProtobufBytes.field(9, [4])] {
            try listener.hear(ProtobufBytes.frame(ProtobufBytes.field(14, body)))
        }
        // Two of them in one envelope: the last one counts.
        try listener.hear(
            ProtobufBytes.frame(
                ProtobufBytes.field(14, data) + ProtobufBytes.field(14, offset + data)))
        #expect(listener.pieces == 0)
        #expect(
            listener.messages == [
                chunk(9, [1, 2, 3]), chunk(9, [1, 2, 3]), chunk(0, [1, 2, 3]), chunk(9, [1, 2, 3]),
            ])
    }

    @Test("that are longer than a chunk may be are refused, as are longer frames")
    func tooLong() throws {
        let long = [UInt8](repeating: 0, count: WireLimits.chunkBytes + 1)
        let listener = Listener()
        let body = ProtobufBytes.field(1, UInt64(1)) + ProtobufBytes.field(2, long)
        #expect(throws: Fault.self) {
            try listener.hear(ProtobufBytes.frame(ProtobufBytes.field(14, body)))
        }
        #expect(throws: Fault.self) { try listener.hear([0x7f, 0, 0, 0, 14 << 3 | 2]) }
        #expect(throws: Fault.self) {
            try listener.hear(try chunk(0, [1]).encoded())
        }
        #expect(listener.pieces == 0)
    }

    @Test("after a frame that is refused are not handed on, wherever the stream is cut")
    func afterRefusal() throws {
        let refused: [UInt8] = [0x7f, 0xff, 0xff, 0xff] + [UInt8](repeating: 0, count: 40)
        let good = try chunk(0, [1, 2, 3]).encoded()
        for gap in 4...40 {
            var decoder = FrameDecoder.holding(refused[..<1])
            let ended = Array(refused[1..<gap] + good).withUnsafeBytes {
                decoder.append($0) { _, _ in Issue.record("a chunk was handed on") }
            }
            #expect(ended == 0)
            #expect(throws: Fault.self) { try decoder.next() }
        }
    }

    @Test("may claim to belong anywhere: an offset at the end of all numbers wraps around")
    func wildOffset() throws {
        let frame = try chunk(.max - 1, [1, 2, 3, 4]).encoded()
        let listener = Listener()
        for byte in frame { try listener.hear([byte]) }
        let last = UInt64.max
        #expect(listener.update == [last - 1: 1, last: 2, 0: 3, 1: 4])
    }

    @Test("are the same as messages, whatever the bytes say", arguments: 1...4)
    func damaged(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        for _ in 0..<3000 {
            var payload = try Array(
                chunk(random.next() >> (random.next() % 64), random.bytes(Int(random.next() % 90)))
                    .encoded().dropFirst(WireLimits.prefixBytes))
            for _ in 0..<Int(random.next() % 3) where !payload.isEmpty {
                payload[Int(random.next() % UInt64(min(payload.count, 16)))] ^=
                    1 << UInt8(random.next() % 8)
            }
            let listener = Listener()
            var expected: [UInt64: UInt8]?
            if case .submitChunk(let chunk)? = try? Message.decode(payload: payload) {
                expected = [:]
                for (index, byte) in chunk.data.enumerated() {
                    expected?[chunk.offset &+ UInt64(index)] = byte
                }
            }
            try? listener.hear(ProtobufBytes.frame(payload))
            var heard = listener.update
            if case .submitChunk(let chunk)? = listener.messages.first {
                for (index, byte) in chunk.data.enumerated() {
                    heard[chunk.offset &+ UInt64(index)] = byte
                }
            }
            #expect(heard == expected ?? [:], "\(payload)")
        }
    }
}

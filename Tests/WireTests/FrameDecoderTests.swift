import Federation
import Testing
import Wire

@Suite struct FrameDecoderTests {
    @Test("frames that arrive byte by byte become the messages that were sent")
    func byteByByte() throws {
        let stream = try Samples.all.flatMap { try $0.encoded() }
        var decoder = FrameDecoder()
        var messages: [Message] = []
        for byte in stream {
            decoder.append([byte])
            while let message = try decoder.next() { messages.append(message) }
        }
        #expect(messages == Samples.all)
        #expect(decoder.bufferedCount == 0)
    }

    @Test("frames cut anywhere become the messages that were sent", arguments: 1...5)
    func randomPieces(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let large = Message.submitChunk(
            SubmitChunk(offset: 1, data: random.bytes(WireLimits.chunkBytes)))
        let sent = Samples.all + [large, large] + Samples.all
        var rest = try ArraySlice(sent.flatMap { try $0.encoded() })
        var decoder = FrameDecoder()
        var messages: [Message] = []
        while !rest.isEmpty {
            let piece = rest.prefix(Int.random(in: 1...20_000, using: &random))
            rest = rest.dropFirst(piece.count)
            piece.withUnsafeBytes { decoder.append($0) }
            while let message = try decoder.next() { messages.append(message) }
        }
        #expect(messages == sent)
    }

    @Test("tells how long the first frame is as soon as its length has come")
    func expectations() throws {
        let frame = try Message.submitChunk(
            SubmitChunk(offset: 1, data: [UInt8](repeating: 7, count: 1000))
        ).encoded()
        var decoder = FrameDecoder()
        #expect(decoder.expected == nil)
        decoder.append(frame.prefix(3))
        #expect(decoder.expected == nil)
        decoder.append(frame.dropFirst(3).prefix(1))
        #expect(decoder.expected == frame.count)
        decoder.makeRoom()
        #expect(try decoder.next() == nil)
        decoder.append(frame.dropFirst(4))
        #expect(try decoder.next() != nil)
        #expect(decoder.expected == nil)
    }

    @Test("refuses what is longer than this peer needs")
    func ownLimit() throws {
        var decoder = FrameDecoder(limit: 100)
        decoder.append([0, 0, 0, 101])
        #expect(throws: Fault.self) { try decoder.next() }
    }

    @Test("an oversized frame is refused from its length alone, and for good")
    func oversized() throws {
        let good = try Message.declineAck(DeclineAck()).encoded()
        var decoder = FrameDecoder()
        decoder.append(good + [0x00, 0x10, 0x00])
        #expect(try decoder.next() == .declineAck(DeclineAck()))
        #expect(try decoder.next() == nil)
        decoder.append([0x01])
        let refusal = Fault(
            .exhausted, "a frame of 1048577 bytes is above the limit of 1048576",
            remedy: "check that both sides speak the Tributary protocol")
        #expect(throws: refusal) { try decoder.next() }
        #expect(decoder.bufferedCount == 0)
        decoder.append(good)
        #expect(decoder.bufferedCount == 0)
        #expect(throws: refusal) { try decoder.next() }
    }

    @Test("plain HTTP is refused after its first four bytes")
    func plaintext() {
        var decoder = FrameDecoder()
        decoder.append(Array("GET ".utf8))
        let fault = #expect(throws: Fault.self) { try decoder.next() }
        #expect(fault?.code == .exhausted)
    }

    @Test("the largest length is waited for, one byte more is refused")
    func limit() throws {
        var atLimit = FrameDecoder()
        atLimit.append([0x00, 0x10, 0x00, 0x00])
        #expect(try atLimit.next() == nil)
        var above = FrameDecoder()
        above.append([0xff, 0xff, 0xff, 0xff])
        #expect(throws: Fault.self) { try above.next() }
    }

    @Test("a malformed message is refused and the next one is read")
    func malformed() throws {
        var decoder = FrameDecoder()
        decoder.append(ProtobufBytes.frame([]) + ProtobufBytes.frame([0xff]))
        decoder.append(try Message.declineAck(DeclineAck()).encoded())
        #expect(throws: Fault.self) { try decoder.next() }
        #expect(throws: Fault.self) { try decoder.next() }
        #expect(try decoder.next() == .declineAck(DeclineAck()))
        #expect(try decoder.next() == nil)
    }

    @Test("flipped bits, cut ends and random bytes never crash")
    func damage() throws {
        var random = SeededRandom(seed: 2026)
        let payloads = try Samples.all.map { try Array($0.encoded().dropFirst(4)) }
        var refused = 0
        for _ in 0..<20_000 {
            var payload = payloads[Int.random(in: 0..<payloads.count, using: &random)]
            switch Int.random(in: 0..<3, using: &random) {
            case 0 where !payload.isEmpty:
                for _ in 0..<Int.random(in: 1...3, using: &random) {
                    let place = Int.random(in: 0..<payload.count, using: &random)
                    payload[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                }
            case 1: payload.removeLast(Int.random(in: 0...payload.count, using: &random))
            default: payload = random.bytes(Int.random(in: 0..<200, using: &random))
            }
            do {
                let message = try Message.decode(payload: payload)
                // What was accepted can be sent on; text cut at a NUL is the one thing that
                // changes.
                _ = try message.encoded()
            } catch {
                #expect(error.code == .invalid || error.code == .exhausted)
                refused += 1
            }
        }
        #expect(refused > 5000)
    }
}

import Foundation
import Testing
import Wire

/// The same bytes, read and written by protobuf's own implementation.
@Suite struct ProtocTests {
    @Test("a heartbeat has the bytes and the text that protoc says")
    func heartbeat() throws {
        let frame = try Message.heartbeat(
            Heartbeat(round: 300, attempt: 1, submitToken: [0xab], progress: 0.5)
        ).encoded()
        let bytes: [UInt8] = [
            0, 0, 0, 15, 0x32, 13, 0x08, 0xac, 0x02, 0x10, 1, 0x1a, 1, 0xab, 0x25, 0, 0, 0, 0x3f,
        ]
        #expect(frame == bytes)
        #expect(
            try decodedByProtoc(frame)
                == #"heartbeat { round: 300 attempt: 1 submit_token: "\253" progress: 0.5 }"#)
    }

    @Test("fixed, zigzag and repeated fields are what protoc says")
    func encodings() throws {
        let spec = LatticeSpec(parameters: 1, rotationSeed: 258, elementBits: 8)
        let next = CheckInResponse.Next.assignment(Assignment(plan: "p", lattice: spec))
        #expect(
            try decodedByProtoc(Message.checkInResponse(CheckInResponse(next: next)).encoded())
                == """
                check_in_response { assignment { plan: "p" lattice { parameters: 1 \
                rotation_seed: 258 element_bits: 8 } } }
                """)
        let metrics = [Metric(name: "loss", sum: -3, count: 2), Metric(name: "b", sum: 4)]
        #expect(
            try decodedByProtoc(Message.submitHeader(SubmitHeader(metrics: metrics)).encoded())
                == """
                submit_header { metrics { name: "loss" sum: -3 count: 2 } \
                metrics { name: "b" sum: 4 } }
                """)
        let status = SubmitStatus(verdict: .duplicate)
        #expect(
            try decodedByProtoc(Message.submitStatus(status).encoded())
                == "submit_status { verdict: DUPLICATE }")
    }

    @Test("protoc reads every message without an unknown field and writes the same bytes")
    func everyMessage() throws {
        for message in Samples.all {
            let payload = Data(try message.encoded().dropFirst(4))
            let text = try protoc("--decode", input: payload)
            // protoc prints an unknown field by its number, which it refuses to read again.
            #expect(try protoc("--encode", input: text) == payload, "\(message)")
        }
    }

    /// What `protoc --decode` prints, on one line.
    private func decodedByProtoc(_ frame: [UInt8]) throws -> String {
        let text = try protoc("--decode", input: Data(frame.dropFirst(4)))
        return String(decoding: text, as: UTF8.self).split(whereSeparator: \.isWhitespace)
            .joined(separator: " ")
    }

    private func protoc(_ direction: String, input: Data) throws -> Data {
        try Repository.run(
            "protoc", direction + "=tributary.v1.Envelope", "--proto_path=proto",
            "tributary/v1/envelope.proto", input: input)
    }
}

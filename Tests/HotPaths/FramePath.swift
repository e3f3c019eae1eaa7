import Federation
import Wire

/// Frames as they cross the network: an update of 100,000 bytes in one chunk, and the small messages around it, written and
/// read.
enum FramePath {
    private static let updates = 50

    static func run() throws {
        let chunk = Message.submitChunk(
            SubmitChunk(offset: 0, data: (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }))
        let small: [Message] = [
            .heartbeat(
                Heartbeat(
                    round: 7, attempt: 1, submitToken: [UInt8](repeating: 7, count: 32),
                    progress: 0.5)),
            .submitProbe(SubmitProbe()), .submitFinish(SubmitFinish(round: 7, attempt: 1)),
        ]
        var read = 0
        try countedWork {
            var decoder = FrameDecoder()
            for _ in 0..<updates {
                for message in [chunk] + small { decoder.append(try message.encoded()) }
                while try decoder.next() != nil { read += 1 }
            }
        }
        try expect(read == updates * (small.count + 1), "messages are missing")
    }
}

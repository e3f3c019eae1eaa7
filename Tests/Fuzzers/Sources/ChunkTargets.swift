import Federation
import Wire

/// An update's chunks, which a coordinator hands on as they come.
let chunkTargets: [String: FuzzTarget] = [
    // A byte that says how the rest is cut: a chunk means the same whether it is handed on or kept until it is whole.
    "chunks": FuzzTarget(
        { input in
            guard let cut = input.first else { return }
            let stream = input.dropFirst()
            let whole = Heard(keeping: stream)
            let handedOn = Heard(handingOn: pieces(of: stream, by: Int(cut)))
            demand(
                handedOn.agrees(with: whole),
                "a stream that is cut by \(cut) means something else when its chunks are handed on")
        },
        seeds: {
            let chunks = [0, 5, 300].map { count in
                Message.submitChunk(
                    SubmitChunk(offset: 7, data: [UInt8](repeating: 3, count: count)))
            }
            let finish = Message.submitFinish(SubmitFinish(round: 3, attempt: 1))
            let frames = try (chunks + [finish] + chunks).map { try $0.encoded() }
            return [[7] + frames.joined()] + frames.map { [3] + $0 }
        })
]

/// What a receiver makes of a stream.
private struct Heard {
    private enum Event: Equatable {
        case message([UInt8])
        /// Bytes of an update, those of successive chunks as one.
        case update(offset: UInt64, [UInt8])
        case refused(String)
    }
    private var events: [Event] = []

    init(keeping stream: ArraySlice<UInt8>) {
        var decoder = FrameDecoder()
        decoder.append(stream)
        while let message = next(&decoder) { add(message) }
    }

    init(handingOn pieces: [ArraySlice<UInt8>]) {
        var decoder = FrameDecoder()
        for piece in pieces {
            _ = Array(piece).withUnsafeBytes { bytes in
                decoder.append(bytes) { add($0, $1) }
            }
            while let message = next(&decoder) {
                add(message)
                _ = decoder.stream { add($0, $1) }
            }
            // A connection ends with the first message that is refused.
            if case .refused = events.last { return }
        }
    }

    /// The same, but that of a chunk that never becomes whole this may have begun.
    func agrees(with whole: Heard) -> Bool {
        if events == whole.events { return true }
        guard case .update(let offset, let bytes) = events.last else { return false }
        if events.dropLast() == whole.events[...] { return true }
        guard events.dropLast() == whole.events.dropLast(),
            case .update(offset, let earlier) = whole.events.last
        else { return false }
        return bytes.starts(with: earlier)
    }

    private mutating func next(_ decoder: inout FrameDecoder) -> Message? {
        do throws(Fault) { return try decoder.next() } catch {
            events.append(.refused(error.message))
            return nil
        }
    }

    private mutating func add(_ message: Message) {
        if case .submitChunk(let chunk) = message {
            chunk.data.withUnsafeBytes { add(chunk.offset, $0) }
        } else {
            events.append(.message((try? message.encoded()) ?? []))
        }
    }

    private mutating func add(_ offset: UInt64, _ bytes: UnsafeRawBufferPointer) {
        guard !bytes.isEmpty else { return }
        if case .update(let first, let before) = events.last,
            first &+ UInt64(before.count) == offset
        {
            events[events.count - 1] = .update(offset: first, before + bytes)
        } else {
            events.append(.update(offset: offset, Array(bytes)))
        }
    }
}

/// What the frame of a `SubmitChunk` begins with, when it is written as protoc writes it: everything before the update's own
/// bytes, which are then the rest of the frame.
struct ChunkHead: Equatable {
    /// The most bytes it takes: the length of the frame, two tags with lengths, and the offset.
    static let mostBytes = WireLimits.prefixBytes + 2 * (1 + 5) + 1 + 10

    /// Bytes of the head itself.
    let bytes: Int
    /// Where the chunk belongs in the update.
    let offset: UInt64
    /// Bytes of the chunk.
    let count: Int

    /// Nil when `bytes`, with which the stream goes on, begin with another message, with a chunk in another order of fields,
    /// or with too little of one to tell.
    ///
    /// - Parameter limit: the most bytes a frame may have.
    init?(_ bytes: UnsafeRawBufferPointer, limit: Int) {
        var reader = Reader(bytes)
        guard let length = reader.length(), length <= limit else { return nil }
        let end = reader.place + length
        guard reader.tag() == Self.chunkTag, let message = reader.varint(),
            message <= UInt64(length), reader.place + Int(message) == end
        else { return nil }
        var tag = reader.tag()
        var offset: UInt64 = 0
        if tag == Self.offsetTag {
            guard let value = reader.varint() else { return nil }
            offset = value
            tag = reader.tag()
        }
        guard tag == Self.dataTag, let count = reader.varint(), count > 0,
            count <= UInt64(WireLimits.chunkBytes), reader.place + Int(count) == end
        else { return nil }
        self.bytes = reader.place
        self.offset = offset
        self.count = Int(count)
    }

    /// Envelope.submit_chunk, SubmitChunk.offset and SubmitChunk.data.
    private static let chunkTag: UInt8 = 14 << 3 | 2
    private static let offsetTag: UInt8 = 1 << 3
    private static let dataTag: UInt8 = 2 << 3 | 2

    private struct Reader {
        private let bytes: UnsafeRawBufferPointer
        private(set) var place = 0

        init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

        mutating func tag() -> UInt8? {
            guard place < bytes.count else { return nil }
            defer { place += 1 }
            return bytes[place]
        }

        mutating func length() -> Int? {
            guard bytes.count >= WireLimits.prefixBytes else { return nil }
            place = WireLimits.prefixBytes
            return bytes[..<WireLimits.prefixBytes].reduce(0) { $0 << 8 | Int($1) }
        }

        /// Of at most ten bytes, and no more than 64 bits.
        mutating func varint() -> UInt64? {
            var value: UInt64 = 0
            for shift in stride(from: UInt64(0), to: 70, by: 7) {
                guard let byte = tag(), shift < 63 || byte <= 1 else { return nil }
                value |= UInt64(byte & 0x7f) << shift
                if byte < 0x80 { return value }
            }
            return nil
        }
    }
}

/// Takes the chunks of an update out of a stream of frames, in pieces as they come.
struct ChunkStream: Sendable {
    /// Where the next byte belongs in the update, and how many of the chunk are to come.
    private var chunk: (offset: UInt64, left: Int)?

    var isInChunk: Bool { chunk != nil }

    /// Hands what `rest` begins with to `sink`, as far as it is chunks.
    ///
    /// - Returns: how many of them came to their end.
    mutating func take(
        from rest: inout UnsafeRawBufferPointer, limit: Int, _ sink: FrameDecoder.ChunkSink
    ) -> Int {
        var ended = 0
        while !rest.isEmpty {
            if chunk == nil {
                guard let head = ChunkHead(rest, limit: limit) else { break }
                chunk = (head.offset, head.count)
                rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(head.bytes))
            }
            guard let (offset, left) = chunk else { break }
            let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(left))
            if !piece.isEmpty { sink(offset, piece) }
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(piece.count))
            // Wherever it claims to belong: that is for the sink to refuse.
            chunk = (offset &+ UInt64(piece.count), left - piece.count)
            if piece.count == left {
                chunk = nil
                ended += 1
            }
        }
        return ended
    }
}

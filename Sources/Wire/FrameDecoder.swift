package import Federation

/// Cuts a stream of bytes into messages, whatever pieces it arrives in.
///
/// Append what arrives, then call `next` until it returns nil. A frame's length is checked as soon
/// as its four bytes are there, before anything of it is buffered, so at most one frame and the
/// last piece are held.
package struct FrameDecoder: Sendable {
    /// Capacity that an idle connection may keep.
    private static let idleCapacity = 2 << 10

    private var buffer: [UInt8] = []
    /// Where the first frame that is not yet decoded starts.
    private var start = 0
    /// Set by an oversized frame: where the next one would begin is lost.
    private var refusal: Fault?
    /// Chunks that are handed on as they come.
    private var chunks = ChunkStream()

    /// The most bytes a frame may have, `WireLimits.frameBytes` or less: a peer that says nothing longer needs no more.
    package var limit: Int

    package init(limit: Int = WireLimits.frameBytes) { self.limit = limit }

    /// Bytes held that are not decoded yet.
    package var bufferedCount: Int { buffer.count - start }

    /// Takes the next bytes of the stream; ignores them after an oversized frame.
    package mutating func append(_ bytes: some Sequence<UInt8>) {
        guard refusal == nil else { return }
        buffer.append(contentsOf: bytes)
        if let length, length > limit { refuse(length) }
    }

    /// Takes the next bytes of the stream; ignores them after an oversized frame.
    package mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard refusal == nil else { return }
        buffer.append(contentsOf: bytes)
        if let length, length > limit { refuse(length) }
    }

    /// The next message; nil until the rest of its frame has been appended.
    ///
    /// - Throws: `Fault.exhausted` when the frame is oversized, now and at every later call: close
    ///   the connection. Otherwise what `Message.decode` throws; the frame is then gone and the
    ///   stream may go on.
    package mutating func next() throws(Fault) -> Message? {
        if let refusal { throw refusal }
        guard let length else { return nil }
        guard length <= limit else { throw refuse(length) }
        let payload = start + WireLimits.prefixBytes
        guard buffer.count - payload >= length else { return nil }
        defer { discard(through: payload + length) }
        return try buffer.withUnsafeBufferPointer { (bytes) throws(Fault) in
            try Message.decode(UnsafeBufferPointer(rebasing: bytes[payload..<payload + length]))
        }
    }

    // MARK: Chunks as they come

    /// What takes an update's bytes: where they belong in it, and the bytes, which are there during the call only.
    package typealias ChunkSink = (_ offset: UInt64, _ bytes: UnsafeRawBufferPointer) -> Void

    /// Whether everything that came was whole and has been taken.
    package var isBetweenFrames: Bool { bufferedCount == 0 && !chunks.isInChunk }

    /// Whether what is held is too little to tell whether it begins an update's chunk.
    package var mayBeginChunk: Bool { bufferedCount < ChunkHead.mostBytes }

    /// Takes the next bytes of the stream as `append` does, and hands those of an update's chunks to `sink` as they come: they
    /// are neither kept until their frame is whole nor copied, and `next` does not tell of them. Messages that are held are to
    /// be taken first.
    ///
    /// - Returns: how many chunks came to their end.
    package mutating func append(
        _ bytes: UnsafeRawBufferPointer, streamingTo sink: ChunkSink
    ) -> Int {
        guard refusal == nil else { return 0 }
        var rest = bytes
        if bufferedCount > 0 {
            // Whether they begin a chunk shows in the first few bytes.
            let missing = max(0, ChunkHead.mostBytes - bufferedCount)
            append(UnsafeRawBufferPointer(rebasing: rest.prefix(missing)))
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(missing))
        }
        guard refusal == nil else { return 0 }
        var ended = stream(to: sink)
        if bufferedCount == 0 { ended += chunks.take(from: &rest, limit: limit, sink) }
        append(rest)
        return ended
    }

    /// Hands on what is held of an update's chunks, up to the first message of another kind.
    ///
    /// - Returns: how many chunks came to their end.
    package mutating func stream(to sink: ChunkSink) -> Int {
        guard bufferedCount > 0, refusal == nil else { return 0 }
        var chunks = chunks
        let (ended, left) = buffer.withUnsafeBytes { bytes in
            var rest = UnsafeRawBufferPointer(rebasing: bytes[start...])
            return (chunks.take(from: &rest, limit: limit, sink), rest.count)
        }
        self.chunks = chunks
        discard(through: buffer.count - left)
        return ended
    }

    /// Bytes that the first frame takes with its prefix, once they are known.
    package var expected: Int? {
        guard refusal == nil, let length else { return nil }
        return WireLimits.prefixBytes + length
    }

    /// Makes room for all of the first frame, so that the buffer does not grow in steps.
    package mutating func makeRoom() {
        if let expected { buffer.reserveCapacity(start + expected) }
    }

    /// The length of the first frame, once its four bytes are there.
    private var length: Int? {
        guard !chunks.isInChunk, bufferedCount >= WireLimits.prefixBytes else { return nil }
        return buffer[start..<start + WireLimits.prefixBytes].reduce(0) { $0 << 8 | Int($1) }
    }

    @discardableResult
    private mutating func refuse(_ length: Int) -> Fault {
        let fault = oversized(length, limit: limit)
        refusal = fault
        buffer = []
        start = 0
        return fault
    }

    private mutating func discard(through end: Int) {
        start = end
        if start == buffer.count {
            buffer.removeAll(keepingCapacity: buffer.capacity <= FrameDecoder.idleCapacity)
            start = 0
        } else if start >= bufferedCount {
            // At least half is behind `start`: what is moved is no more than what was decoded.
            buffer.removeFirst(start)
            start = 0
        }
    }
}

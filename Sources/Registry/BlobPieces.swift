import Cryptography
package import Federation
import Synchronization

// Blobs that are read and written a piece at a time, because they are larger than a coordinator should hold twice.

/// What a blob holds.
protocol BlobContent: Sendable {
    var size: Int { get }
    /// Fills `buffer`, which is not empty, with what begins at `offset`; all of it is there.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(Fault)
}

extension BlobContent {
    /// Calls `body` with all of it, a piece at a time.
    func forEachPiece(_ body: (UnsafeRawBufferPointer) throws(Fault) -> Void) throws(Fault) {
        let most = 256 << 10
        var piece = [UInt8](repeating: 0, count: min(size, most))
        for offset in stride(from: 0, to: size, by: most) {
            try piece.withUnsafeMutableBufferPointer { (piece) throws(Fault) in
                let part = UnsafeMutableRawBufferPointer(
                    UnsafeMutableBufferPointer(rebasing: piece.prefix(size - offset)))
                try read(into: part, at: offset)
                try body(UnsafeRawBufferPointer(part))
            }
        }
    }
}

/// What becomes a blob; without `keep` nothing of it stays.
protocol BlobTarget: AnyObject {
    func append(_ bytes: UnsafeRawBufferPointer) throws(Fault)
    /// Names it, durably, by the digest of all that was appended; called once, at the end.
    func keep(as digest: Digest) throws(Fault)
}

/// The blobs of a registry during one command.
package struct BlobPieces: Sendable {
    fileprivate let shelf: any BlobShelf
    fileprivate let pins: BlobPins
    fileprivate let reading = Reading()

    /// Opens `digest` for reading, after all of its content was verified.
    ///
    /// - Throws: `notFound`; `storage` when the content does not match its digest.
    package func reader(_ digest: Digest) throws(Fault) -> BlobReader {
        BlobReader(
            try reading.noting { () throws(Fault) in try shelf.content(of: digest) }, reading)
    }

    /// A new blob, empty so far.
    ///
    /// - Throws: `storage` when the disk refuses.
    package func draft() throws(Fault) -> BlobDraft {
        BlobDraft(try shelf.draft(), pins: pins)
    }

    /// No row will name `digest`, which a draft became: nothing keeps it any more.
    package func letGo(of digest: Digest) { pins.settle([digest]) }
}

/// Whether a command failed to read: a disk that takes writes again does not mend that.
private final class Reading: Sendable {
    private let failure = Atomic(false)

    var hasFailed: Bool { failure.load(ordering: .relaxed) }

    func noting<Value>(_ body: () throws(Fault) -> Value) throws(Fault) -> Value {
        do throws(Fault) { return try body() } catch {
            failure.store(true, ordering: .relaxed)
            throw error
        }
    }
}

/// A verified blob that is read from anywhere.
package struct BlobReader {
    private let content: any BlobContent
    private let reading: Reading

    fileprivate init(_ content: any BlobContent, _ reading: Reading) {
        self.content = content
        self.reading = reading
    }

    /// Bytes of the blob.
    package var size: Int { content.size }

    /// Fills `buffer` with what begins at `offset`.
    ///
    /// - Throws: `storage` when the blob ends before, or cannot be read.
    package func read(
        into buffer: UnsafeMutableRawBufferPointer, at offset: Int
    ) throws(Fault) {
        try reading.noting { () throws(Fault) in
            guard offset >= 0, offset <= size, buffer.count <= size - offset else {
                throw Fault(
                    .storage,
                    "a blob of \(size) bytes has no \(buffer.count) from \(offset) on",
                    remedy: "restore the state directory from a backup")
            }
            if !buffer.isEmpty { try content.read(into: buffer, at: offset) }
        }
    }
}

/// A blob on its way into a registry; when it is not finished nothing of it stays.
package struct BlobDraft: ~Copyable {
    private let target: any BlobTarget
    private let pins: BlobPins
    private var hasher = SHA256.Hasher()

    fileprivate init(_ target: any BlobTarget, pins: BlobPins) {
        self.target = target
        self.pins = pins
    }

    /// Adds the next piece; pieces of some hundred KiB are best.
    ///
    /// - Throws: `storage` when the disk refuses.
    package mutating func append(_ bytes: UnsafeRawBufferPointer) throws(Fault) {
        guard !bytes.isEmpty else { return }
        hasher.update(bytes)
        try target.append(bytes)
    }

    /// Makes it a blob, durably, that stays until rows which name it are written; the same bytes again change nothing.
    ///
    /// - Throws: `storage` when the disk refuses.
    package consuming func finish() throws(Fault) -> Digest {
        let (target, pins) = (target, pins)
        let digest = hasher.finish()
        pins.add(digest)
        do throws(Fault) {
            try target.keep(as: digest)
        } catch {
            pins.settle([digest])
            throw error
        }
        return digest
    }
}

extension Registry {
    /// Runs `body`, which reads and writes blobs piece by piece, away from the threads that run tasks.
    ///
    /// - Parameters:
    ///   - command: what it does, in words.
    ///   - bytes: that the disk must take for it; 0: it writes nothing.
    ///   - body: run again when the disk refused what it writes, and later takes it.
    /// - Throws: `storage` when the disk refuses, and what `body` throws.
    package func withBlobs<Value: Sendable>(
        _ command: String, writing bytes: Int,
        _ body: @escaping @Sendable (BlobPieces) throws(Fault) -> Value
    ) async throws(Fault) -> Value {
        while true {
            let pieces = BlobPieces(shelf: blobs, pins: pins)
            do throws(Fault) {
                return try await withBlobsOnce(command, pieces, body)
            } catch {
                guard bytes > 0, !pieces.reading.hasFailed,
                    await mayRetry(after: error, bytes: bytes)
                else { throw error }
            }
        }
    }

    @inline(never)
    private func withBlobsOnce<Value: Sendable>(
        _ command: String, _ pieces: BlobPieces,
        _ body: @escaping @Sendable (BlobPieces) throws(Fault) -> Value
    ) async throws(Fault) -> Value {
        try await onDisk(command) { () throws(Fault) in try body(pieces) }
    }

    /// No row will name `digests`, which were stored or kept for some: nothing keeps them any more.
    package func letGo(of digests: Set<Digest>) { pins.settle(digests) }

    /// Keeps a blob that is there until rows which name it are written.
    ///
    /// - Throws: `notFound` when it is not there any more.
    package func keepBlob(_ digest: Digest) async throws(Fault) {
        pins.add(digest)
        do throws(Fault) {
            _ = try await blobChunk(digest, offset: 0, limit: 0)
        } catch {
            pins.settle([digest])
            throw error
        }
    }
}

import Federation
import Foundation
import Registry
import Synchronization
import Testing

@Suite("Blobs, a piece at a time")
struct BlobPiecesTests {
    private let scratch: Scratch
    private var registry: Registry { scratch.registry }
    /// More than is read of a file at once.
    private let bytes = (0..<700_001).map { UInt8(truncatingIfNeeded: $0 * 7 ^ $0 >> 9) }

    init() throws { scratch = try Scratch() }

    private func path(_ digest: Digest) -> String {
        "\(scratch.directory)/blobs/\(digest.hex.prefix(2))/\(digest.hex)"
    }

    /// Writes `bytes` in pieces of `size` bytes.
    private func write(_ bytes: [UInt8], pieces size: Int) async throws(Fault) -> Digest {
        try await registry.withBlobs("store", writing: bytes.count) { blobs throws(Fault) in
            var draft = try blobs.draft()
            for start in stride(from: 0, to: bytes.count, by: size) {
                let piece = Array(bytes[start...].prefix(size))
                try piece.withUnsafeBufferPointer { (piece) throws(Fault) in
                    try draft.append(UnsafeRawBufferPointer(piece))
                }
            }
            return try draft.finish()
        }
    }

    /// Reads some bytes of a blob.
    private func read(_ digest: Digest, at offset: Int, count: Int) async throws(Fault) -> [UInt8] {
        try await registry.withBlobs("read", writing: 0) { blobs throws(Fault) in
            let reader = try blobs.reader(digest)
            var bytes = [UInt8](repeating: 0, count: count)
            try bytes.withUnsafeMutableBufferPointer { (bytes) throws(Fault) in
                try reader.read(into: UnsafeMutableRawBufferPointer(bytes), at: offset)
            }
            return bytes
        }
    }

    @Test("a blob written in pieces is the same as one written at once")
    func writing() async throws {
        let whole = try await registry.putBlob(bytes)
        for size in [1 << 20, 100_000, 65_537] {
            #expect(try await write(bytes, pieces: size) == whole)
        }
        #expect(scratch.blobFiles().count == 1)
        #expect(try await registry.blob(write([1, 2, 3], pieces: 1)) == [1, 2, 3])
        #expect(try await registry.blob(write([], pieces: 1)) == [])
    }

    @Test("any part of a blob can be read, and nothing beyond it")
    func reading() async throws {
        let digest = try await registry.putBlob(bytes)
        for range in [0..<0, 0..<1, 262_143..<524_289, 700_000..<700_001, 0..<700_001] {
            let part = try await read(digest, at: range.lowerBound, count: range.count)
            #expect(part == Array(bytes[range]))
        }
        for (offset, count) in [(700_001, 1), (0, 700_002), (.max, 1), (-1, 2)] {
            let code = await faultCode { _ = try await read(digest, at: offset, count: count) }
            #expect(code == .storage)
        }
        let absent = await faultCode { _ = try await read(Registry.absent, at: 0, count: 0) }
        #expect(absent == .notFound)
    }

    @Test("a damaged blob is not read, and is repaired when it is written again")
    func damage() async throws {
        let digest = try await registry.putBlob(bytes)
        var changed = bytes
        changed[500_000] ^= 1
        for damaged in [changed, Array(bytes.dropLast()), bytes + [0]] {
            try Data(damaged).write(to: URL(filePath: path(digest)))
            let code = await faultCode { _ = try await read(digest, at: 0, count: 1) }
            #expect(code == .storage)
            #expect(try await write(bytes, pieces: 100_000) == digest)
            #expect(try await read(digest, at: 700_000, count: 1) == [bytes[700_000]])
        }
    }

    @Test("a draft that is not finished leaves nothing, nor does one that the disk refuses")
    func unfinished() async throws {
        let bytes = bytes
        let gone = await faultCode {
            try await registry.withBlobs("store", writing: 3) { blobs throws(Fault) in
                var draft = try blobs.draft()
                try bytes.withUnsafeBufferPointer { (bytes) throws(Fault) in
                    try draft.append(UnsafeRawBufferPointer(bytes))
                }
                throw Fault(.gone, "nobody wants it any more")
            }
        }
        #expect(gone == .gone)
        #expect(scratch.blobFiles().isEmpty)
        let shelf = "\(scratch.directory)/blobs/\(digest("text").hex.prefix(2))"
        #expect(FileManager.default.createFile(atPath: shelf, contents: nil))
        #expect(await faultCode { _ = try await write(Array("text".utf8), pieces: 2) } == .storage)
        #expect(!scratch.blobFiles().contains { $0.hasPrefix("tmp-") })
    }

    @Test("what the disk refused is done again from its beginning, when there is patience")
    func patience() async throws {
        let shelf = "\(scratch.directory)/blobs/\(digest("text").hex.prefix(2))"
        #expect(FileManager.default.createFile(atPath: shelf, contents: nil))
        let patience = Patience { fault in
            #expect(fault.code == .storage)
            try? FileManager.default.removeItem(atPath: shelf)
            return true
        }
        let stored = try await Registry.$patience.withValue(patience) {
            try await write(Array("text".utf8), pieces: 3)
        }
        #expect(stored == digest("text"))
        #expect(try await registry.blob(stored) == Array("text".utf8))
    }

    @Test("what cannot be read is not tried again, however much patience there is")
    func damagedForGood() async throws {
        let damaged = try await registry.putBlob(bytes)
        try Data([1]).write(to: URL(filePath: path(damaged)))
        let small = try await registry.putBlob([1])
        let asked = Mutex(0)
        let patience = Patience { _ in
            asked.withLock {
                $0 += 1; return $0 < 3
            }
        }
        for (digest, offset) in [(damaged, 0), (small, 1), (Registry.absent, 0)] {
            let code = await Registry.$patience.withValue(patience) {
                await faultCode {
                    try await registry.withBlobs("store", writing: 1) { blobs throws(Fault) in
                        var byte: UInt8 = 0
                        let reader = try blobs.reader(digest)
                        try withUnsafeMutablePointer(to: &byte) { (byte) throws(Fault) in
                            try reader.read(
                                into: UnsafeMutableRawBufferPointer(start: byte, count: 1),
                                at: offset)
                        }
                    }
                }
            }
            #expect(code == (digest == Registry.absent ? .notFound : .storage))
        }
        #expect(asked.withLock { $0 } == 0)
    }

    @Test("only a blob that is there can be kept for rows to come")
    func keeping() async throws {
        try await registry.keepBlob(try await registry.putBlob(bytes))
        #expect(await faultCode { try await registry.keepBlob(Registry.absent) } == .notFound)
    }
}

extension Registry {
    /// Of nothing that is stored.
    fileprivate static var absent: Digest { digest("nobody stored this") }
}

import Federation
import Foundation
import Registry
import Testing

@Suite("Blobs")
struct BlobStoreTests {
    private let scratch: Scratch
    private var registry: Registry { scratch.registry }
    private let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 * 7) }

    init() throws { scratch = try Scratch() }

    private func path(_ digest: Digest) -> String {
        "\(scratch.directory)/blobs/\(digest.hex.prefix(2))/\(digest.hex)"
    }

    @Test("a blob comes back whole, from a file named by its digest")
    func roundTrip() async throws {
        let digest = try await registry.putBlob(bytes)
        #expect(try await registry.blob(digest) == bytes)
        #expect(FileManager.default.contents(atPath: path(digest)) == Data(bytes))
        let empty = try await registry.putBlob([])
        #expect(try await registry.blob(empty).isEmpty)
    }

    @Test("storing the same bytes from many tasks at once leaves one file")
    func concurrent() async throws {
        let digests = try await withThrowingTaskGroup(of: Digest.self) { group in
            for _ in 0..<10 { group.addTask { try await registry.putBlob(bytes) } }
            return try await group.reduce(into: Set<Digest>()) { $0.insert($1) }
        }
        #expect(digests.count == 1)
        #expect(scratch.blobFiles().count == 1)
    }

    @Test("chunks put together are the blob; beyond the end there is nothing")
    func chunks() async throws {
        let digest = try await registry.putBlob(bytes)
        var whole: [UInt8] = []
        while whole.count < bytes.count {
            let chunk = try await registry.blobChunk(
                digest, offset: UInt64(whole.count), limit: 300)
            #expect(chunk.totalSize == 1000)
            #expect(chunk.bytes.count == min(300, 1000 - whole.count))
            whole += chunk.bytes
        }
        #expect(whole == bytes)
        for offset in [1000, UInt64.max] {
            let beyond = try await registry.blobChunk(digest, offset: offset, limit: 300)
            #expect(beyond.bytes.isEmpty && beyond.totalSize == 1000)
        }
        #expect(try await registry.blobChunk(digest, offset: 0, limit: -1).bytes.isEmpty)
    }

    @Test("an unknown digest is not found")
    func unknown() async throws {
        let absent = digest("nobody stored this")
        #expect(await faultCode { _ = try await registry.blob(absent) } == .notFound)
        let chunk = await faultCode {
            _ = try await registry.blobChunk(absent, offset: 0, limit: 1)
        }
        #expect(chunk == .notFound)
    }

    @Test("a changed or shortened file is refused, and storing the bytes again repairs it")
    func damage() async throws {
        let digest = try await registry.putBlob(bytes)
        var changed = bytes
        changed[500] ^= 1
        for damaged in [changed, Array(bytes.dropLast())] {
            try Data(damaged).write(to: URL(filePath: path(digest)))
            #expect(await faultCode { _ = try await registry.blob(digest) } == .storage)
            #expect(try await registry.putBlob(bytes) == digest)
            #expect(try await registry.blob(digest) == bytes)
        }
    }

    @Test("what a crash left half written is ignored, and removed at the next open")
    func leftovers() async throws {
        let digest = try await registry.putBlob(bytes)
        try Data([1, 2]).write(to: URL(filePath: scratch.directory + "/blobs/tmp-1-2"))
        #expect(try await registry.blob(digest) == bytes)
        #expect(scratch.blobFiles().count == 2)
        let again = try scratch.reopened()
        #expect(scratch.blobFiles() == ["\(digest.hex.prefix(2))/\(digest.hex)"])
        #expect(try await again.blob(digest) == bytes)
    }

    @Test("a write that fails says so and leaves nothing behind")
    func failedWrite() async throws {
        let blocked = path(digest("text"))
        let shelf = String(blocked.dropLast(65))
        #expect(FileManager.default.createFile(atPath: shelf, contents: nil))
        #expect(await faultCode { _ = try await registry.putBlob(Array("text".utf8)) } == .storage)
        let left = try FileManager.default.contentsOfDirectory(atPath: scratch.directory + "/blobs")
        #expect(left.count == 1)
    }
}

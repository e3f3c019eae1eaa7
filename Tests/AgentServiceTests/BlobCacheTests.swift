import AgentService
import Cryptography
import Federation
import Foundation
import Testing

@Suite("Blob cache")
struct BlobCacheTests {
    let directory: TemporaryDirectory
    let cache: BlobCache
    let bytes = (0..<1_000).map { UInt8(truncatingIfNeeded: $0 &* 37) }

    init() throws {
        directory = try TemporaryDirectory()
        cache = BlobCache(directory: directory.path)
    }

    @Test("a blob comes in pieces, is whole when its digest is right, and reads back")
    func pieces() throws {
        let digest = SHA256.digest(of: bytes)
        try cache.append(Array(bytes[..<400]), to: digest, size: 1_000)
        #expect(cache.fetched(digest) == 400)
        #expect(!cache.holds(digest))
        try cache.append(Array(bytes[400...]), to: digest, size: 1_000)
        try cache.complete(digest)
        #expect(cache.holds(digest))
        #expect(cache.held == [digest])
        #expect(cache.fetched(digest) == 0)
        #expect(try cache.read(digest) == bytes)
    }

    @Test("half a blob is found again by the next process")
    func resumes() throws {
        let digest = SHA256.digest(of: bytes)
        try cache.append(Array(bytes[..<400]), to: digest, size: 1_000)
        #expect(BlobCache(directory: directory.path).fetched(digest) == 400)
    }

    @Test("a blob that a power cut damaged is dropped, an intact one stays")
    func damagedByPowerCut() throws {
        let digest = SHA256.digest(of: bytes)
        #expect(!cache.holdsIntact(digest))
        try cache.append(bytes, to: digest, size: 1_000)
        try cache.complete(digest)
        #expect(cache.holdsIntact(digest))
        try Data(count: 1_000).write(to: URL(fileURLWithPath: cache.path(digest)))
        #expect(cache.holds(digest) && !cache.holdsIntact(digest))
        #expect(!cache.holds(digest))
    }

    @Test("a blob of no bytes is a blob")
    func empty() throws {
        let digest = SHA256.digest(of: [])
        try cache.complete(digest)
        #expect(try cache.read(digest).isEmpty)
    }

    @Test("bytes with another digest are refused and dropped")
    func wrongDigest() throws {
        let digest = SHA256.digest(of: bytes)
        try cache.append(Array(repeating: 0, count: 1_000), to: digest, size: 1_000)
        #expect(fault { () throws(Fault) in try cache.complete(digest) }?.code == .untrusted)
        #expect(!cache.holds(digest))
        #expect(cache.fetched(digest) == 0)
    }

    @Test("a blob cannot grow beyond the size that was announced")
    func tooLong() throws {
        let digest = SHA256.digest(of: bytes)
        try cache.append(Array(bytes[..<900]), to: digest, size: 1_000)
        let fault = fault { () throws(Fault) in
            try cache.append(Array(bytes[..<101]), to: digest, size: 1_000)
        }
        #expect(fault?.code == .invalid)
        #expect(cache.fetched(digest) == 0)
    }

    @Test("a blob that was changed on disk is not read")
    func changed() throws {
        let digest = SHA256.digest(of: bytes)
        try cache.append(bytes, to: digest, size: 1_000)
        try cache.complete(digest)
        try directory.write([1, 2, 3], to: digest.hex)
        #expect(fault { () throws(Fault) in _ = try cache.read(digest) }?.code == .untrusted)
        #expect(!cache.holds(digest))
    }

    @Test("pruning keeps what is wanted, whole or in part, and removes the rest")
    func prunes() throws {
        let kept = SHA256.digest(of: [1])
        let dropped = SHA256.digest(of: [2])
        let half = SHA256.digest(of: [3, 3])
        for byte in [1, 2] as [UInt8] {
            let digest = SHA256.digest(of: [byte])
            try cache.append([byte], to: digest, size: 1)
            try cache.complete(digest)
        }
        try cache.append([3], to: half, size: 2)
        cache.prune(keeping: [kept, half])
        #expect(cache.held == [kept])
        #expect(cache.fetched(half) == 1)
        cache.prune(keeping: [dropped])
        let names = try FileManager.default.contentsOfDirectory(atPath: directory.path)
        #expect(names.count == 1 && cache.held.isEmpty)
    }

    @Test("the next blob of a size is written where one was that is not wanted any more")
    func reuses() throws {
        func keep(_ byte: UInt8) throws -> UInt64? {
            let bytes = [UInt8](repeating: byte, count: 5_000 + Int(byte))
            let digest = SHA256.digest(of: bytes)
            try cache.append(bytes, to: digest, size: UInt64(bytes.count))
            try cache.complete(digest)
            #expect(try cache.read(digest) == bytes)
            let path = cache.path(digest)
            return try FileManager.default.attributesOfItem(atPath: path)[.systemFileNumber]
                as? UInt64
        }
        let first = try keep(1)
        cache.prune(keeping: [])
        #expect(try keep(9) == first)
        let link = "\(directory.path)-link"
        defer { try? FileManager.default.removeItem(atPath: link) }
        let held = try #require(cache.held.first)
        try FileManager.default.linkItem(atPath: cache.path(held), toPath: link)
        cache.prune(keeping: [])
        #expect(try keep(2) != first)
        #expect(try [UInt8](Data(contentsOf: URL(filePath: link))).allSatisfy { $0 == 9 })
    }
}

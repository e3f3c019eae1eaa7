import AdminConsole
import Federation
import Foundation
import Testing
import Wire

/// SHA-256 of "abc", the example of FIPS 180-4.
let digestOfABC = Digest(
    hex: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")

/// A coordinator that serves the blob `content` under any digest, `piece` bytes at a time.
func blobServer(_ content: String, piece: Int, totalSize: UInt64? = nil) -> ScriptedStream {
    ScriptedStream { message in
        guard case .blobRequest(let request) = message else { return nil }
        let bytes = Array(content.utf8)
        return .blobChunk(
            BlobChunk(
                digest: request.digest, offset: request.offset,
                totalSize: totalSize ?? UInt64(bytes.count),
                data: Array(bytes.dropFirst(Int(request.offset)).prefix(piece))))
    }
}

@Suite("Downloading blobs")
struct BlobDownloadTests {
    private let scratch: ScratchDirectory
    private let digest: Digest

    init() throws {
        scratch = try ScratchDirectory()
        digest = try #require(digestOfABC)
    }

    @Test("pieces are put together into a file with the right digest", arguments: [1, 2, 3, 100])
    func pieces(piece: Int) throws {
        var session = AdminSession(blobServer("abc", piece: piece))
        try session.download(digest, size: 3, to: scratch.path + "/file")
        #expect(scratch.text("file") == "abc")
        #expect(scratch.files() == ["file"])
    }

    @Test(
        "content that is not what was announced is refused and an older file stays",
        arguments: [
            ("abd", nil as UInt64?), ("abcd", nil), ("ab", nil), ("ab", 3),
        ])
    func damaged(content: String, totalSize: UInt64?) throws {
        try Data("old".utf8).write(to: URL(filePath: scratch.path + "/file"))
        var session = AdminSession(blobServer(content, piece: 2, totalSize: totalSize))
        let fault = #expect(throws: Fault.self) {
            try session.download(digest, size: 3, to: scratch.path + "/file")
        }
        #expect(fault?.code == .untrusted)
        #expect(scratch.files() == ["file"])
        #expect(scratch.text("file") == "old")
    }

    @Test("a piece of another blob or place is refused")
    func wrongPiece() throws {
        for wrongDigest in [true, false] {
            var session = AdminSession(
                ScriptedStream { message in
                    guard case .blobRequest(let request) = message else { return nil }
                    let other = [UInt8](repeating: 1, count: 32)
                    return .blobChunk(
                        BlobChunk(
                            digest: wrongDigest ? other : request.digest,
                            offset: wrongDigest ? 0 : 1, totalSize: 3, data: Array("abc".utf8)))
                })
            let fault = #expect(throws: Fault.self) {
                try session.download(digest, size: 3, to: scratch.path + "/file")
            }
            #expect(fault?.code == .untrusted)
            #expect(scratch.files().isEmpty)
        }
    }

    @Test("a directory that is not there is named")
    func nowhere() throws {
        var session = AdminSession(blobServer("abc", piece: 3))
        let fault = #expect(throws: Fault.self) {
            try session.download(digest, size: 3, to: scratch.path + "/none/file")
        }
        #expect(fault?.code == .storage)
        #expect(fault?.message.contains("/none/file.part: No such file") == true)
    }
}

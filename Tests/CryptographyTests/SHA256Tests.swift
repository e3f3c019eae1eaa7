import Cryptography
import Federation
import Testing

@Suite("SHA-256")
struct SHA256Tests {
    @Test(
        "gives the digests of RFC 6234",
        arguments: [
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
        ])
    func vectors(message: String, digest: String) {
        #expect(SHA256.digest(of: Array(message.utf8)).hex == digest)
        #expect(SHA256.digest(of: message.utf8).hex == digest)
    }

    @Test("is the same in pieces, and of a file")
    func pieces() throws {
        let expected = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
        let piece = [UInt8](repeating: UInt8(ascii: "a"), count: 1000)
        var hasher = SHA256.Hasher()
        for _ in 0..<1000 { hasher.update(piece) }
        #expect(hasher.finish().hex == expected)

        let directory = try TemporaryDirectory()
        let path = try directory.write("million", String(repeating: "a", count: 1_000_000))
        #expect(try SHA256.digest(ofFile: path).hex == expected)
    }

    @Test("of a missing file or a directory names the path")
    func noFile() throws {
        let directory = try TemporaryDirectory()
        let missing = #expect(throws: Fault.self) {
            try SHA256.digest(ofFile: directory.file("nothing"))
        }
        #expect(missing?.code == .notFound)
        #expect(missing?.message.contains(directory.file("nothing")) == true)
        let folder = #expect(throws: Fault.self) { try SHA256.digest(ofFile: directory.path) }
        #expect(folder?.code == .storage)
    }
}

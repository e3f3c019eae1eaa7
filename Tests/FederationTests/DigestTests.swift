import Federation
import Testing

@Suite("Digests and hexadecimal")
struct DigestTests {
    private static let hex = String(repeating: "00ff10a9", count: 8)

    @Test("a digest is 32 bytes or 64 hexadecimal digits, written in lower case")
    func digest() throws {
        let digest = try #require(Digest(hex: Self.hex))
        #expect(digest.bytes.prefix(4) == [0, 255, 16, 0xA9])
        #expect(digest == Digest(bytes: digest.bytes))
        #expect(Digest(hex: Self.hex.uppercased()) == digest)
        #expect("\(digest)" == Self.hex)
    }

    @Test(
        "anything else is no digest",
        arguments: [
            "", "00", hex + "00", String(hex.dropLast()), String(hex.dropLast(2)),
            String(hex.dropLast()) + "g", " " + hex.dropFirst(), "0x" + hex.dropFirst(2),
        ])
    func bad(text: String) {
        #expect(Digest(hex: text) == nil)
    }

    @Test("31 and 33 bytes are no digest")
    func wrongSize() {
        #expect(Digest(bytes: [UInt8](repeating: 1, count: 31)) == nil)
        #expect(Digest(bytes: [UInt8](repeating: 1, count: 33)) == nil)
        #expect(Digest(bytes: []) == nil)
    }

    @Test("every byte survives hexadecimal")
    func hexadecimalRoundTrip() {
        let bytes = (0...255).map { UInt8($0) }
        #expect(bytesFromHex(hexadecimal(bytes)) == bytes)
        #expect(hexadecimal([]).isEmpty)
        #expect(bytesFromHex("") == [])
        #expect(bytesFromHex("abc") == nil)
        #expect(bytesFromHex("a/") == nil)
        #expect(bytesFromHex("a:") == nil)
        #expect(bytesFromHex("@0") == nil)
        #expect(bytesFromHex("g0") == nil)
        #expect(bytesFromHex("é") == nil)
    }
}

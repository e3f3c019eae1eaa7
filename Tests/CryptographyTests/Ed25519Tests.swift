import Cryptography
import Federation
import Testing

@Suite("Ed25519 keys as 32 bytes")
struct Ed25519Tests {
    @Test("check a signature of RFC 8032's first test vector")
    func vector() throws {
        let bytes = try #require(
            bytesFromHex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"))
        let signature = try #require(
            bytesFromHex(
                "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bac"
                    + "c61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"))
        let key = try PublicKey(ed25519: bytes)
        #expect(key.ed25519 == bytes)
        #expect(key.kind == .ed25519)
        #expect(key.verifies(signature, of: []))
        #expect(!key.verifies(signature, of: [0]))
    }

    @Test("are the same key as in PEM")
    func roundTrip() throws {
        let key = try PrivateKey.generate(.ed25519).publicKey
        let bytes = try #require(key.ed25519)
        #expect(try PublicKey(ed25519: bytes) == key)
    }

    @Test("have 32 bytes and no other curve's")
    func refused() throws {
        for count in [0, 31, 33] {
            let fault = #expect(throws: Fault.self) {
                _ = try PublicKey(ed25519: [UInt8](repeating: 1, count: count))
            }
            #expect(fault?.code == .invalid)
        }
        #expect(try PrivateKey.generate(.p256).publicKey.ed25519 == nil)
    }
}

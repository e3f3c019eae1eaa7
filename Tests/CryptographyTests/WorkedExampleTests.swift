import Cryptography
import Testing

@Suite("The worked example of Cryptography")
struct WorkedExampleTests {
    @Test("does what its catalogue says")
    func example() throws {
        let key = try PrivateKey.generate(.ed25519)
        let message = Array("version 15".utf8)
        let signature = try key.sign(message)
        let holds = key.publicKey.verifies(signature, of: message)
        let other = key.publicKey.verifies(signature, of: Array("version 16".utf8))

        #expect(holds && !other)
    }
}

import Cryptography
import Provenance
import Testing

@Suite("The worked example of Provenance")
struct WorkedExampleTests {
    @Test("does what its catalogue says")
    func example() throws {
        let key = try PrivateKey.generate(.p256)

        let digest = SHA256.digest(of: Array("weights".utf8))
        let files = [ModelFile(name: "model.onnx", digest: digest)]
        let bundle = try ModelSignature.sign(name: "fashion-15", files: files, key: key)
        let signed = try ModelSignature.verify(bundle: bundle, trusted: [key.publicKey])

        #expect(signed.name == "fashion-15")
        #expect(signed.files.map(\.name) == ["model.onnx"])
    }
}

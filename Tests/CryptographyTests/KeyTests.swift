import Cryptography
import Federation
import Foundation
import Testing

@Suite("Keys")
struct KeyTests {
    @Test(
        "sign and verify, and the signature is for this message and key only",
        arguments: KeyKind.allCases)
    func signatures(kind: KeyKind) throws {
        let key = try PrivateKey.generate(kind)
        #expect(key.kind == kind)
        #expect(key.publicKey.kind == kind)
        let message = Array("the integers of a round".utf8)
        var signature = try key.sign(message)
        #expect(key.publicKey.verifies(signature, of: message))
        #expect(!key.publicKey.verifies(signature, of: message + [0]))
        let other = try PrivateKey.generate(kind).publicKey
        #expect(!other.verifies(signature, of: message))
        #expect(!key.publicKey.verifies([], of: message))
        signature[signature.count - 1] ^= 1
        #expect(!key.publicKey.verifies(signature, of: message))
    }

    @Test(
        "Ed25519 gives the signatures of RFC 8032",
        arguments: [
            (
                "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
                "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
                "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
                    + "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
            ),
            (
                "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
                "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
                "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
                    + "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
            ),
        ])
    func ed25519(secret: String, expected: String, message: String, signature: String) throws {
        let pkcs8 = try #require(bytesFromHex("302e020100300506032b657004220420" + secret))
        let key = try PrivateKey(
            pem: "-----BEGIN PRIVATE KEY-----\n\(Data(pkcs8).base64EncodedString())\n"
                + "-----END PRIVATE KEY-----\n")
        #expect(hexadecimal(key.publicKey.spki.suffix(32)) == expected)
        let bytes = try #require(bytesFromHex(message))
        #expect(hexadecimal(try key.sign(bytes)) == signature)
    }

    @Test("a written key file is its owner's only, and reads back as the same key")
    func files() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("agent.key")
        let key = try PrivateKey.generate(.p256)
        try key.write(pemFile: path)
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        let again = try PrivateKey(pemFile: path)
        #expect(again.publicKey == key.publicKey)
        #expect(
            try String(contentsOfFile: path, encoding: .utf8).hasPrefix("-----BEGIN PRIVATE KEY"))
    }

    @Test("an existing key file is never overwritten")
    func noOverwriting() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("agent.key", "precious")
        let key = try PrivateKey.generate(.p256)
        let fault = #expect(throws: Fault.self) { try key.write(pemFile: path) }
        #expect(fault?.code == .conflict)
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "precious")
    }

    @Test("a public key keeps its PEM text, and its digest is that of its SPKI")
    func publicPEM() throws {
        let pem = """
            -----BEGIN PUBLIC KEY-----
            MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
            -----END PUBLIC KEY-----

            """
        let key = try PublicKey(pem: pem)
        #expect(key.pem == pem)
        #expect(key.kind == .ed25519)
        #expect(key.spkiDigest == SHA256.digest(of: key.spki))
        #expect(key.spki.count == 44)
    }

    @Test("kinds of keys that are not used here are refused", arguments: ["RSA", "X25519"])
    func otherKinds(algorithm: String) throws {
        let directory = try TemporaryDirectory()
        let secret = directory.file("other.key")
        let open = directory.file("other.pub")
        try runOpenSSL(["genpkey", "-algorithm", algorithm, "-out", secret])
        try runOpenSSL(["pkey", "-in", secret, "-pubout", "-out", open])
        #expect(throws: Fault.self) { try PrivateKey(pemFile: secret) }
        #expect(throws: Fault.self) { try PublicKey(pemFile: open) }
    }

    @Test("damaged PEM is refused, whatever byte is wrong")
    func garbage() throws {
        let pem = Array(try PrivateKey.generate(.p256).pem().utf8)
        let open = Array(try PrivateKey.generate(.p256).publicKey.pem.utf8)
        for text in ["", "hello", "-----BEGIN PRIVATE KEY-----", "\0\0\0"] {
            #expect(throws: Fault.self) { try PrivateKey(pem: text) }
            #expect(throws: Fault.self) { try PublicKey(pem: text) }
        }
        // Some changes, such as of a newline, leave the key as it was; none may end the process.
        for index in pem.indices {
            var damaged = pem
            damaged[index] ^= 0x11
            _ = try? PrivateKey(pem: String(decoding: damaged, as: UTF8.self))
            _ = try? PrivateKey(pem: String(decoding: pem[..<index], as: UTF8.self))
        }
        for index in open.indices {
            var damaged = open
            damaged[index] ^= 0x11
            _ = try? PublicKey(pem: String(decoding: damaged, as: UTF8.self))
        }
        #expect(throws: Fault.self) {
            try PublicKey(pem: String(decoding: open.prefix(open.count / 2), as: UTF8.self))
        }
    }
}

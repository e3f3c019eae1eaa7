import Cryptography
import Federation
import Foundation
import Testing

@Suite("Encrypted keys")
struct EncryptedKeyTests {
    private let directory: TemporaryDirectory
    private let passphrase: Passphrase

    init() throws {
        directory = try TemporaryDirectory()
        passphrase = try Passphrase(file: directory.write("passphrase", "open sesame\n"))
    }

    @Test("are read back with their passphrase, of any kind", arguments: KeyKind.allCases)
    func roundTrip(kind: KeyKind) throws {
        let key = try PrivateKey.generate(kind)
        let path = directory.file("locked.key")
        try key.write(pemFile: path, passphrase: passphrase)
        let text = try String(contentsOfFile: path, encoding: .utf8)
        #expect(text.hasPrefix("-----BEGIN ENCRYPTED PRIVATE KEY-----"))
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        let again = try PrivateKey(pemFile: path, passphrase: passphrase)
        #expect(again.publicKey == key.publicKey)
        #expect(again.publicKey.verifies(try again.sign([1]), of: [1]))
    }

    @Test("are what openssl reads and writes", arguments: ["-aes128", "-aes256"])
    func openSSL(cipher: String) throws {
        let theirs = directory.file("theirs.key")
        let secret = "file:" + directory.file("passphrase")
        try runOpenSSL([
            "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384", cipher,
            "-pass", secret, "-out", theirs,
        ])
        let key = try PrivateKey(pemFile: theirs, passphrase: passphrase)
        #expect(key.kind == .p384)
        let ours = directory.file("ours.key")
        let open = directory.file("open.pem")
        try key.write(pemFile: ours, passphrase: passphrase)
        try runOpenSSL(["pkey", "-in", ours, "-passin", secret, "-pubout", "-out", open])
        #expect(try PublicKey(pemFile: open) == key.publicKey)
    }

    @Test("are refused without their passphrase or with another, and nothing asks for it")
    func refused() throws {
        let path = directory.file("locked.key")
        try PrivateKey.generate(.p256).write(pemFile: path, passphrase: passphrase)
        let none = #expect(throws: Fault.self) { try PrivateKey(pemFile: path) }
        #expect(none?.code == .invalid)
        #expect(none?.message.contains(path) == true)
        #expect(none?.message.contains("there is no passphrase") == true)
        for text in ["open Sesame\n", "open sesame \n", "\nopen sesame", "x"] {
            guard
                let other = try? Passphrase(file: directory.write("other", text))
            else { continue }
            let fault = #expect(throws: Fault.self) {
                try PrivateKey(pemFile: path, passphrase: other)
            }
            #expect(fault?.message.contains("does not decrypt") == true, "\(text)")
        }
        // A passphrase too many does no harm.
        let plain = directory.file("plain.key")
        try PrivateKey.generate(.p256).write(pemFile: plain)
        _ = try PrivateKey(pemFile: plain, passphrase: passphrase)
    }

    @Test("cut short ones are refused")
    func damaged() throws {
        let pem = try PrivateKey.generate(.p256).pem(passphrase: passphrase)
        for count in stride(from: 0, to: pem.utf8.count - 40, by: 61) {
            let text = String(decoding: pem.utf8.prefix(count), as: UTF8.self)
            #expect(throws: Fault.self, "\(count)") {
                try PrivateKey(pem: text, passphrase: passphrase)
            }
        }
    }

    @Test("a passphrase is one line of a file, and never shows")
    func passphrases() throws {
        let pem = try PrivateKey.generate(.p256).pem(passphrase: passphrase)
        for text in ["open sesame", "open sesame\r\n"] {
            let same = try Passphrase(file: directory.write("same", text))
            _ = try PrivateKey(pem: pem, passphrase: same)
        }
        #expect("\(passphrase)" == "(a secret)")
        #expect(!String(reflecting: passphrase).contains("111"))
        var dumped = ""
        dump(passphrase, to: &dumped)
        #expect(!dumped.contains("111"))
        for text in ["", "\n", "two\nlines\n", "a\0b", String(repeating: "x", count: 1001)] {
            let file = try directory.write("bad", text)
            let fault = #expect(throws: Fault.self) { try Passphrase(file: file) }
            #expect(fault?.code == .invalid && fault?.message.contains(file) == true)
        }
        let missing = #expect(throws: Fault.self) {
            try Passphrase(file: directory.file("missing"))
        }
        #expect(missing?.code == .notFound)
    }
}

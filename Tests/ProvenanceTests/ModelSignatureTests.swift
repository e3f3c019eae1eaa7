import Cryptography
import Federation
import Foundation
import Provenance
import ProvenanceSamples
import Testing

@Suite("Model signatures")
struct ModelSignatureTests {
    static let payloadType = "application/vnd.in-toto+json"

    private let files = [
        ModelFile(name: "sub/a", digest: SHA256.digest(of: "".utf8)),
        ModelFile(name: "é.md", digest: SHA256.digest(of: "x".utf8)),
        ModelFile(name: "model.onnx", digest: SHA256.digest(of: "abc".utf8)),
        ModelFile(name: "Z", digest: SHA256.digest(of: "y".utf8)),
    ]

    private func payload(of bundle: [UInt8]) throws -> [UInt8] {
        let envelope = try #require(try members(bundle)["dsseEnvelope"] as? [String: Any])
        let text = try #require(envelope["payload"] as? String)
        return Array(try #require(Data(base64Encoded: text)))
    }

    @Test("state exactly the bytes that an independent emitter states")
    func goldenStatement() throws {
        let bundle = try ModelSignature.sign(
            name: "fashion-v3", files: files, key: PrivateKey.generate(.p256))
        // Made by an emitter in Python from files of these contents.
        func resource(_ name: String, _ digest: String) -> String {
            #"{"algorithm":"sha256","digest":"\#(digest)","name":"\#(name)"}"#
        }
        let resources = [
            resource("Z", "a1fce4363854ff888cff4b8e7875d600c2682390412a8cf79b37d0b11148b0fa"),
            resource(
                "model.onnx", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            resource("sub/a", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            resource("é.md", "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"),
        ].joined(separator: ",")
        let expected =
            #"{"_type":"https://in-toto.io/Statement/v1","predicate":{"resources":[\#(resources)],"#
            + #""serialization":{"allow_symlinks":false,"hash_type":"sha256","method":"files"}},"#
            + #""predicateType":"https://model_signing/signature/v1.0","subject":[{"digest":{"#
            + #""sha256":"c3ea5851106abdc1831e3e0796b42e9e2af3b0679bc00fafdea8d3dc2a933a8c"},"#
            + #""name":"fashion-v3"}]}"#
        #expect(String(decoding: try payload(of: bundle), as: UTF8.self) == expected)
    }

    @Test("name the key by the digest of its PEM text and sign DSSE's encoding")
    func bundleShape() throws {
        let key = try PrivateKey.generate(.p256)
        let bundle = try ModelSignature.sign(name: "m", files: files, key: key)
        let json = try members(bundle)
        #expect(json["mediaType"] as? String == "application/vnd.dev.sigstore.bundle.v0.3+json")
        let material = try #require(json["verificationMaterial"] as? [String: Any])
        let hint = (material["publicKey"] as? [String: String])?["hint"]
        #expect(hint == SHA256.digest(of: key.publicKey.pem.utf8).hex)
        #expect((material["tlogEntries"] as? [Any])?.isEmpty == true)
        let envelope = try #require(json["dsseEnvelope"] as? [String: Any])
        #expect(envelope["payloadType"] as? String == Self.payloadType)
        let signatures = try #require(envelope["signatures"] as? [[String: String]])
        #expect(signatures.count == 1)
        #expect(signatures[0]["keyid"] == "")
        let signature = try #require(Data(base64Encoded: signatures[0]["sig"] ?? ""))
        let statement = try payload(of: bundle)
        let message = Array("DSSEv1 28 \(Self.payloadType) \(statement.count) ".utf8) + statement
        #expect(key.publicKey.verifies(Array(signature), of: message))
    }

    @Test("verify, and give back name, sorted files, signer and the statement's digest")
    func roundTrip() throws {
        let key = try PrivateKey.generate(.p256)
        let other = try PrivateKey.generate(.p256).publicKey
        // Names of every length modulo 3 exercise each padding of base64.
        for name in ["", "m", "mo", "mod", "mode"] {
            let bundle = try ModelSignature.sign(name: name, files: files, key: key)
            let model = try ModelSignature.verify(bundle: bundle, trusted: [other, key.publicKey])
            #expect(model.name == name)
            #expect(model.files.map(\.name) == ["Z", "model.onnx", "sub/a", "é.md"])
            #expect(Set(model.files.map(\.digest)) == Set(files.map(\.digest)))
            #expect(model.signer == key.publicKey)
            #expect(model.statementDigest == SHA256.digest(of: try payload(of: bundle)))
        }
    }

    @Test("of a key that is not trusted are refused")
    func untrustedKey() throws {
        let bundle = try ModelSignature.sign(
            name: "m", files: files, key: PrivateKey.generate(.p256))
        for trusted in [[], [try PrivateKey.generate(.p256).publicKey]] {
            let fault = #expect(throws: Fault.self) {
                try ModelSignature.verify(bundle: bundle, trusted: trusted)
            }
            #expect(fault?.code == .untrusted)
            #expect(fault?.message.contains("'key'") == true)
        }
    }

    @Test("verify to the same files or not at all, whichever byte changes")
    func everyByte() throws {
        let key = try PrivateKey.generate(.p256)
        let bundle = try ModelSignature.sign(name: "m", files: files, key: key)
        let model = try ModelSignature.verify(bundle: bundle, trusted: [key.publicKey])
        let text = String(decoding: bundle, as: UTF8.self)
        let envelope = try #require(try members(bundle)["dsseEnvelope"] as? [String: Any])
        let signature = (envelope["signatures"] as? [[String: String]])?.first?["sig"] ?? ""
        let signed = try [envelope["payload"] as? String ?? "", signature].map { part in
            let range = try #require(text.range(of: part))
            return text.utf8.distance(
                from: text.startIndex, to: range.lowerBound)..<text.utf8
                .distance(from: text.startIndex, to: range.upperBound)
        }
        for index in bundle.indices {
            for mask: UInt8 in [1, 0x20] {
                var damaged = bundle
                damaged[index] ^= mask
                let result = try? ModelSignature.verify(bundle: damaged, trusted: [key.publicKey])
                #expect(result == nil || result == model, "byte \(index)")
                if signed.contains(where: { $0.contains(index) }) {
                    #expect(result == nil, "byte \(index)")
                }
            }
            #expect(throws: Fault.self) {
                try ModelSignature.verify(
                    bundle: Array(bundle[..<index]), trusted: [key.publicKey])
            }
        }
    }

    @Test(
        "that are not even close are refused",
        arguments: [
            "", "{}", "[]", "null", "{\"mediaType\":1}", "\u{0}", "{\"a\":1,\"a\":2}",
            String(repeating: "[", count: 5000),
            String(repeating: "[", count: 100) + String(repeating: "]", count: 100),
        ])
    func junk(text: String) throws {
        let key = try PrivateKey.generate(.p256).publicKey
        let fault = #expect(throws: Fault.self) {
            try ModelSignature.verify(bundle: Array(text.utf8), trusted: [key])
        }
        #expect(fault?.code == .untrusted)
        #expect(throws: Fault.self) {
            try ModelSignature.verify(bundle: [0xff, 0xfe, 0x7b], trusted: [key])
        }
    }

    @Test("are made with keys on either curve, each with the digest of its size")
    func curves() throws {
        for kind in [KeyKind.p256, .p384] {
            let key = try PrivateKey.generate(kind)
            let bundle = try ModelSignature.sign(name: "m", files: files, key: key)
            let model = try ModelSignature.verify(bundle: bundle, trusted: [key.publicKey])
            #expect(model.signer == key.publicKey)
        }
    }

    @Test("refuse files that cannot be signed, and keys that third parties do not take")
    func unsignable() throws {
        let key = try PrivateKey.generate(.p256)
        let digest = SHA256.digest(of: [])
        for name in ["", "/etc/passwd", "../x", "a/../b", "a//b", "./a", "a/", "a\nb", "a\\b"] {
            #expect(throws: Fault.self, "'\(name)'") {
                try ModelSignature.sign(
                    name: "m", files: [ModelFile(name: name, digest: digest)], key: key)
            }
        }
        let twice = ModelFile(name: "a", digest: digest)
        #expect(throws: Fault.self) {
            try ModelSignature.sign(name: "m", files: [twice, twice], key: key)
        }
        #expect(throws: Fault.self) { try ModelSignature.sign(name: "m", files: [], key: key) }
        let fault = #expect(throws: Fault.self) {
            try ModelSignature.sign(
                name: "m", files: [twice], key: PrivateKey.generate(.ed25519))
        }
        #expect(fault?.message.contains("P-256") == true)
    }
}

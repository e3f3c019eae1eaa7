import Cryptography
import Federation
import Foundation
import Provenance
import Testing

/// Each test signs its statement properly, so that only the check under test can refuse it.
@Suite("A signed statement is refused")
struct ModelStatementTests {
    private static let digest = SHA256.digest(of: []).hex
    private static let subjectDigest = SHA256.digest(of: SHA256.digest(of: []).bytes).hex

    /// A statement of one empty file `a`.
    private static var statement: [String: Any] {
        [
            "_type": "https://in-toto.io/Statement/v1",
            "predicateType": "https://model_signing/signature/v1.0",
            "subject": [["name": "m", "digest": ["sha256": subjectDigest]] as [String: Any]],
            "predicate": [
                "serialization": serialization,
                "resources": [resource("a")],
            ],
        ]
    }

    private static let serialization: [String: any Sendable] = [
        "method": "files", "hash_type": "sha256", "allow_symlinks": false,
    ]

    private static func resource(_ name: String, digest: String = digest) -> [String: String] {
        ["name": name, "algorithm": "sha256", "digest": digest]
    }

    /// The statement with other resources and the subject digest that fits them.
    private static func statement(resources: [[String: String]]) -> [String: Any] {
        var statement = statement
        let digests = resources.flatMap { bytesFromHex($0["digest"] ?? "") ?? [] }
        statement["subject"] = [
            ["name": "m", "digest": ["sha256": SHA256.digest(of: digests).hex]] as [String: Any]
        ]
        statement["predicate"] = ["serialization": serialization, "resources": resources]
        return statement
    }

    /// Signs and verifies; nil when it is accepted.
    private func fault(
        _ statement: [String: Any], payloadType: String = ModelSignatureTests.payloadType,
        signatures: Int = 1, change: (inout [String: Any]) -> Void = { _ in }
    ) throws -> Fault? {
        let key = try PrivateKey.generate(.p256)
        let payload = Array(try JSONSerialization.data(withJSONObject: statement))
        let message = Array(
            "DSSEv1 \(payloadType.utf8.count) \(payloadType) \(payload.count) ".utf8)
        let signature = Data(try key.sign(message + payload)).base64EncodedString()
        var bundle: [String: Any] = [
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": [
                "publicKey": ["hint": ModelSignature.keyHint(of: key.publicKey).hex],
                "tlogEntries": [],
            ] as [String: Any],
            "dsseEnvelope": [
                "payload": Data(payload).base64EncodedString(), "payloadType": payloadType,
                "signatures": Array(repeating: ["sig": signature, "keyid": ""], count: signatures),
            ] as [String: Any],
        ]
        change(&bundle)
        let bytes = Array(try JSONSerialization.data(withJSONObject: bundle))
        do throws(Fault) {
            _ = try ModelSignature.verify(bundle: bytes, trusted: [key.publicKey])
            return nil
        } catch {
            #expect(error.code == .untrusted)
            return error
        }
    }

    @Test("not when it is in order")
    func inOrder() throws {
        #expect(try fault(Self.statement) == nil)
        #expect(
            try fault(Self.statement(resources: [Self.resource("a"), Self.resource("b/c")])) == nil)
    }

    @Test("for another media type, payload type or number of signatures")
    func envelope() throws {
        let media = try fault(Self.statement) { $0["mediaType"] = "application/json" }
        #expect(media?.message.contains("'media type'") == true)
        let type = try fault(Self.statement, payloadType: "application/json")
        #expect(type?.message.contains("'payload type'") == true)
        for count in [0, 2] {
            let number = try fault(Self.statement, signatures: count)
            #expect(number?.message.contains("'signature count'") == true)
        }
    }

    @Test("with certificates instead of a key")
    func certificates() throws {
        let result = try fault(Self.statement) {
            $0["verificationMaterial"] = ["x509CertificateChain": ["certificates": []]]
        }
        #expect(result?.message.contains("'key'") == true)
    }

    @Test("for another statement type, predicate type or serialisation")
    func types() throws {
        var statement = Self.statement
        statement["_type"] = "https://in-toto.io/Statement/v0.1"
        #expect(try fault(statement)?.message.contains("'statement type'") == true)
        statement = Self.statement
        statement["predicateType"] = "https://slsa.dev/provenance/v1"
        #expect(try fault(statement)?.message.contains("'predicate type'") == true)
        for (name, value) in [
            ("allow_symlinks", true), ("ignore_paths", [".git"]), ("method", "shards"),
            ("hash_type", "blake2b"),
        ] as [(String, any Sendable)] {
            statement = Self.statement
            var serialization = Self.serialization
            serialization[name] = value
            statement["predicate"] = [
                "serialization": serialization, "resources": [Self.resource("a")],
            ]
            #expect(try fault(statement)?.message.contains("'serialization'") == true, "\(name)")
        }
    }

    @Test("for no subject, two, or one with another digest")
    func subjects() throws {
        let subject: [String: Any] = ["name": "m", "digest": ["sha256": Self.subjectDigest]]
        for subjects in [[], [subject, subject]] {
            var statement = Self.statement
            statement["subject"] = subjects
            #expect(try fault(statement)?.message.contains("'subject'") == true)
        }
        var statement = Self.statement
        statement["subject"] = [["name": "m", "digest": ["sha256": Self.digest]]]
        #expect(try fault(statement)?.message.contains("'subject digest'") == true)
    }

    @Test(
        "for a file that would lie outside the directory or has an odd name",
        arguments: ["/etc/passwd", "../a", "a/../../b", "", ".", "a//b", "a\u{1b}[2J"])
    func names(name: String) throws {
        let statement = Self.statement(resources: [Self.resource(name)])
        #expect(try fault(statement)?.message.contains("'resources'") == true)
    }

    @Test("for files twice, out of order, with another hash, or none")
    func lists() throws {
        var odd = Self.resource("a")
        odd["algorithm"] = "blake2b"
        for resources in [
            [Self.resource("a"), Self.resource("a")], [Self.resource("b"), Self.resource("a")],
            [odd], [], [Self.resource("a", digest: "00")],
            [Self.resource("a", digest: Self.digest.uppercased())],
        ] {
            let statement = Self.statement(resources: resources)
            #expect(try fault(statement)?.message.contains("'resources'") == true, "\(resources)")
        }
    }

    @Test("when base64 has spare bits set, since a signed document has one spelling")
    func spareBits() throws {
        // One byte over a multiple of three, so that the payload's last character has four spare
        // bits.
        var statement = Self.statement
        for name in ["m", "mm", "mmm"] {
            statement["subject"] = [["name": name, "digest": ["sha256": Self.subjectDigest]]]
            let result = try fault(statement) { bundle in
                guard var envelope = bundle["dsseEnvelope"] as? [String: Any],
                    let payload = envelope["payload"] as? String, payload.hasSuffix("Q==")
                else { return }
                envelope["payload"] = payload.dropLast(3) + "R=="
                bundle["dsseEnvelope"] = envelope
            }
            let size = try JSONSerialization.data(withJSONObject: statement).count
            #expect((result != nil) == (size % 3 == 1))
            if size % 3 == 1 { #expect(result?.message.contains("'envelope'") == true) }
        }
    }
}

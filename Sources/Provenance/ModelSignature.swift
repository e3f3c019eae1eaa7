package import Cryptography
package import Federation

/// A model whose signature verified.
package struct SignedModel: Sendable, Equatable {
    /// The directory's name when it was signed.
    package let name: String
    /// All files, in code-point order of their names.
    package let files: [ModelFile]
    /// Which of the trusted keys signed.
    package let signer: PublicKey
    /// SHA-256 of the signed statement; the log names a signature by it.
    package let statementDigest: Digest
}

/// Signs models and verifies their signatures: OpenSSF Model Signing bundles with a bare public
/// key.
package enum ModelSignature {
    private static let mediaType = "application/vnd.dev.sigstore.bundle.v0.3+json"
    private static let payloadType = "application/vnd.in-toto+json"
    /// The largest bundle that is looked at, in bytes: a list of some thousand files fits.
    package static let largestBundleBytes = 1 << 20

    /// A bundle for the model directory `name` with exactly `files`, in any order.
    ///
    /// - Parameter key: on P-256; third-party checkers take no Ed25519.
    /// - Throws: `Fault.invalid` naming what cannot be signed.
    package static func sign(
        name: String, files: [ModelFile], key: PrivateKey
    ) throws(Fault) -> [UInt8] {
        guard key.kind == .p256 else {
            throw Fault(
                .invalid, "models are signed with a P-256 key, not \(key.kind.rawValue)",
                remedy: "use the fleet's model-signing key")
        }
        let statement = try ModelStatement(name: name, files: files).encoded()
        let envelope = try SignedEnvelope(
            payloadType: payloadType, payload: statement, keys: [key])
        let hint = keyHint(of: key.publicKey).hex
        return try JSONValue.object([
            "mediaType": .text(mediaType),
            "verificationMaterial": .object([
                "publicKey": .object(["hint": .text(hint)]), "tlogEntries": .array([]),
            ]),
            "dsseEnvelope": envelope.json,
        ]).encoded()
    }

    /// Checks a bundle down to the list of files. Any bytes are safe to pass.
    ///
    /// - Throws: `Fault.untrusted` naming the check that fails.
    package static func verify(
        bundle: [UInt8], trusted: [PublicKey]
    ) throws(Fault) -> SignedModel {
        guard bundle.count <= largestBundleBytes, let json = JSONValue(parsing: bundle) else {
            throw failedCheck(
                "bundle", "it is not JSON, or larger than \(largestBundleBytes) bytes")
        }
        guard json["mediaType"]?.text == mediaType else {
            throw failedCheck("media type", "it is not '\(mediaType)'")
        }
        let signer = try signer(json["verificationMaterial"], trusted)
        guard let envelope = json["dsseEnvelope"].flatMap(SignedEnvelope.init) else {
            throw failedCheck("envelope", "payload, type or signature is missing or not base64")
        }
        guard envelope.signatures.count == 1 else {
            throw failedCheck("signature count", "there are \(envelope.signatures.count), not one")
        }
        guard envelope.payloadType == payloadType else {
            throw failedCheck("payload type", "it is not '\(payloadType)'")
        }
        guard envelope.isSigned(by: [signer]) else {
            throw failedCheck("signature", "it is not that of the key it names")
        }
        let statement = try ModelStatement(payload: envelope.payload)
        return SignedModel(
            name: statement.name, files: statement.files, signer: signer,
            statementDigest: SHA256.digest(of: envelope.payload))
    }

    /// How a bundle names a key: SHA-256 of its PEM text, final newline included.
    package static func keyHint(of key: PublicKey) -> Digest {
        SHA256.digest(of: Array(key.pem.utf8))
    }

    private static func signer(
        _ material: JSONValue?, _ trusted: [PublicKey]
    ) throws(Fault) -> PublicKey {
        guard let hint = material?["publicKey"]?["hint"]?.text else {
            throw failedCheck("key", "the bundle names none (certificates are not accepted here)")
        }
        guard let key = trusted.first(where: { keyHint(of: $0).hex == hint }) else {
            throw failedCheck("key", "the signing key is none of the \(trusted.count) trusted ones")
        }
        return key
    }
}

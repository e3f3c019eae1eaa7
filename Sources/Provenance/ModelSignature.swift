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

/// Signs models and verifies their signatures: OpenSSF Model Signing bundles that name a bare public
/// key, or carry certificates for it.
package enum ModelSignature {
    private static let mediaType = "application/vnd.dev.sigstore.bundle.v0.3+json"
    private static let payloadType = "application/vnd.in-toto+json"
    /// The largest bundle that is looked at, in bytes: a list of some thousand files fits.
    package static let largestBundleBytes = 1 << 20

    /// The most certificates that a bundle may carry.
    private static let mostCertificates = 8

    /// A bundle for the model directory `name` with exactly `files`, in any order.
    ///
    /// - Parameters:
    ///   - key: on P-256 or P-384; third-party checkers take no Ed25519.
    ///   - certificates: the key's own certificate and what leads from it to an authority; the
    ///     bundle carries them in place of the key's name. Empty for a bare key.
    /// - Throws: `Fault.invalid` naming what cannot be signed.
    package static func sign(
        name: String, files: [ModelFile], key: PrivateKey, certificates: [Certificate] = []
    ) throws(Fault) -> [UInt8] {
        guard key.kind == .p256 || key.kind == .p384 else {
            throw Fault(
                .invalid, "models are signed with a P-256 or P-384 key, not \(key.kind.rawValue)",
                remedy: "use the fleet's model-signing key")
        }
        let statement = try ModelStatement(name: name, files: files).encoded()
        let envelope = try SignedEnvelope(
            payloadType: payloadType, payload: statement, keys: [key])
        var material = try names(key.publicKey, certificates)
        material["tlogEntries"] = .array([])
        return try CanonicalJSON.object([
            "mediaType": .text(mediaType), "verificationMaterial": .object(material),
            "dsseEnvelope": envelope.json,
        ]).encoded()
    }

    /// How a bundle says whose signature it has.
    private static func names(
        _ key: PublicKey, _ certificates: [Certificate]
    ) throws(Fault) -> [String: CanonicalJSON] {
        guard let leaf = certificates.first else {
            return ["publicKey": .object(["hint": .text(keyHint(of: key).hex)])]
        }
        guard leaf.publicKey == key, leaf.isForSigning, certificates.count <= mostCertificates
        else {
            throw Fault(
                .invalid, "the first certificate is not one for signing with the model-signing key",
                remedy: "give the key's own certificate first, with the key usage digitalSignature"
                    + " and the extended key usage codeSigning")
        }
        return [
            "x509CertificateChain": .object([
                "certificates": .array(
                    certificates.map { .object(["rawBytes": .text(Base64.encode($0.der))]) })
            ])
        ]
    }

    /// Checks a bundle down to the list of files. Any bytes are safe to pass.
    ///
    /// - Parameters:
    ///   - trusted: the keys one of which must have signed, whether or not there are certificates.
    ///   - authorities: where a bundle's certificates, if it has any, must lead, whenever they were
    ///     valid; nil when the trusted key is enough, so that models outlive the authority that
    ///     certified their key.
    /// - Throws: `Fault.untrusted` naming the check that fails.
    package static func verify(
        bundle: [UInt8], trusted: [PublicKey], authorities: [Certificate]? = nil
    ) throws(Fault) -> SignedModel {
        guard bundle.count <= largestBundleBytes, let json = CanonicalJSON(parsing: bundle) else {
            throw failedCheck(
                "bundle", "it is not JSON, or larger than \(largestBundleBytes) bytes")
        }
        guard json["mediaType"]?.text == mediaType else {
            throw failedCheck("media type", "it is not '\(mediaType)'")
        }
        let signer = try signer(json["verificationMaterial"], trusted, authorities)
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

    /// The digest of the statement that a bundle is about, whoever signed it; nil for one that cannot be read.
    package static func statementDigest(of bundle: [UInt8]) -> Digest? {
        guard bundle.count <= largestBundleBytes,
            let envelope = CanonicalJSON(parsing: bundle)?["dsseEnvelope"]
        else { return nil }
        return SignedEnvelope(envelope).map { SHA256.digest(of: $0.payload) }
    }

    /// How a bundle names a key: SHA-256 of its PEM text, final newline included.
    package static func keyHint(of key: PublicKey) -> Digest {
        SHA256.digest(of: Array(key.pem.utf8))
    }

    private static func signer(
        _ material: CanonicalJSON?, _ trusted: [PublicKey], _ authorities: [Certificate]?
    ) throws(Fault) -> PublicKey {
        let signer: PublicKey?
        if let chain = material?["x509CertificateChain"]?["certificates"]?.elements {
            let key = try certifiedKey(chain, authorities)
            signer = trusted.first { $0 == key }
        } else if let hint = material?["publicKey"]?["hint"]?.text {
            signer = trusted.first { keyHint(of: $0).hex == hint }
        } else {
            throw failedCheck("key", "the bundle names none")
        }
        guard let signer else {
            throw failedCheck("key", "the signing key is none of the \(trusted.count) trusted ones")
        }
        return signer
    }

    /// The key of the first of a bundle's certificates, which lead to one of `authorities`.
    private static func certifiedKey(
        _ chain: [CanonicalJSON], _ authorities: [Certificate]?
    ) throws(Fault) -> PublicKey {
        guard chain.count <= mostCertificates else {
            throw failedCheck("certificates", "there are more than \(mostCertificates)")
        }
        var certificates: [Certificate] = []
        for item in chain {
            guard let der = item["rawBytes"]?.text.flatMap(Base64.decode),
                let certificate = try? Certificate(der: der)
            else { throw failedCheck("certificates", "one of them is none") }
            certificates.append(certificate)
        }
        guard let leaf = certificates.first else {
            throw failedCheck("key", "the bundle has no certificate")
        }
        guard leaf.isForSigning else {
            throw failedCheck("certificates", "the first is not for signing")
        }
        if let authorities {
            let problem = leaf.chainProblem(
                intermediates: Array(certificates.dropFirst()), authorities: authorities)
            if let problem {
                throw failedCheck(
                    "certificates", "they lead to none of the trusted authorities: \(problem)")
            }
        }
        return leaf.publicKey
    }
}

package import Cryptography
package import Federation

/// The keys that a device believes, numbered, and replaced only by a set that one of its own model
/// keys signed.
///
/// The document is a DSSE envelope in JSON. Its payload is compact JSON with sorted members:
/// `authorities` (DER in base64), `fleet`, `logKey` and `modelKeys` (PEM), `version`.
package struct TrustSet: Sendable, Equatable {
    /// Counts up from 1.
    package let version: UInt64
    /// Whose keys these are.
    package let fleet: String
    /// Who may have signed the coordinator's certificate.
    package let authorities: [Certificate]
    /// Who may sign models, and the next trust set.
    package let modelKeys: [PublicKey]
    /// Who signs the transparency log's checkpoints.
    package let logKey: PublicKey
    /// The signed document as it is stored and sent.
    package let document: [UInt8]

    private static let payloadType = "application/vnd.tributary.trust-set+json"
    /// The most authorities, keys or signatures in one set; rotation needs two of each.
    private static let mostEntries = 16
    /// The largest document that is looked at, in bytes.
    package static let largestDocumentBytes = 256 << 10

    /// A fleet's first set.
    ///
    /// - Parameter key: the private half of one of `modelKeys`.
    /// - Throws: `Fault.invalid` when the keys or authorities cannot make a set.
    package static func initial(
        fleet: String, authorities: [Certificate], modelKeys: [PublicKey], logKey: PublicKey,
        signedBy key: PrivateKey
    ) throws(Fault) -> TrustSet {
        let body = Body(
            version: 1, fleet: fleet, authorities: authorities, modelKeys: modelKeys,
            logKey: logKey)
        return try TrustSet(body, keys: [key])
    }

    /// The set after this one.
    ///
    /// - Parameter keys: the private halves of one of this set's model keys and of one of
    ///   `modelKeys`: devices check the first when they replace their set, and the second whenever
    ///   they read it.
    /// - Throws: `Fault.invalid` when either is missing.
    package func successor(
        authorities: [Certificate], modelKeys: [PublicKey], logKey: PublicKey,
        signedBy keys: [PrivateKey]
    ) throws(Fault) -> TrustSet {
        let body = Body(
            version: version + 1, fleet: fleet, authorities: authorities, modelKeys: modelKeys,
            logKey: logKey)
        guard keys.contains(where: { self.modelKeys.contains($0.publicKey) }) else {
            throw Fault(
                .invalid, "no key of the current trust set signs the next one",
                remedy: "sign with the current model-signing key too")
        }
        return try TrustSet(body, keys: keys)
    }

    /// Reads a set from storage, or the first one from the coordinator; it must be signed by one of
    /// its own model keys.
    ///
    /// - Throws: `Fault.untrusted` naming what is wrong.
    package init(document: [UInt8]) throws(Fault) {
        try self.init(document: document, envelope: TrustSet.envelope(in: document))
    }

    /// The set in `document`, if it may take this one's place: same fleet, higher version, signed
    /// by one of this set's model keys.
    ///
    /// - Throws: `Fault.untrusted` naming what is wrong.
    package func replaced(by document: [UInt8]) throws(Fault) -> TrustSet {
        let envelope = try TrustSet.envelope(in: document)
        guard envelope.isSigned(by: modelKeys) else {
            throw TrustSet.refused("none of the keys trusted so far signed it")
        }
        let next = try TrustSet(document: document, envelope: envelope)
        guard next.fleet == fleet else {
            throw TrustSet.refused("it is the fleet '\(next.fleet)'s, not '\(fleet)'s")
        }
        guard next.version > version else {
            throw TrustSet.refused(
                "it is version \(next.version), not newer than version \(version)")
        }
        return next
    }

    private static func envelope(in document: [UInt8]) throws(Fault) -> SignedEnvelope {
        guard document.count <= largestDocumentBytes,
            let envelope = JSONValue(parsing: document).flatMap(SignedEnvelope.init),
            envelope.payloadType == payloadType, envelope.signatures.count <= mostEntries
        else { throw refused("it is not a trust set's document") }
        return envelope
    }

    private init(document: [UInt8], envelope: SignedEnvelope) throws(Fault) {
        guard let body = JSONValue(parsing: envelope.payload).flatMap(Body.init) else {
            throw TrustSet.refused("its content is not a trust set's")
        }
        if let problem = body.problem { throw TrustSet.refused(problem) }
        guard envelope.isSigned(by: body.modelKeys) else {
            throw TrustSet.refused("none of its own model keys signed it")
        }
        self.init(body, document: document)
    }

    private init(_ body: Body, keys: [PrivateKey]) throws(Fault) {
        if let problem = body.problem {
            throw Fault(.invalid, "cannot make a trust set: \(problem)")
        }
        guard keys.contains(where: { body.modelKeys.contains($0.publicKey) }) else {
            throw Fault(.invalid, "a trust set must be signed by one of its own model keys")
        }
        let envelope = try SignedEnvelope(
            payloadType: TrustSet.payloadType, payload: try body.json.encoded(), keys: keys)
        self.init(body, document: try envelope.json.encoded())
    }

    private init(_ body: Body, document: [UInt8]) {
        version = body.version
        fleet = body.fleet
        authorities = body.authorities
        modelKeys = body.modelKeys
        logKey = body.logKey
        self.document = document
    }

    private static func refused(_ why: String) -> Fault {
        Fault(
            .untrusted, "the trust set is refused: \(why)",
            remedy: "enrol again with a new token if the fleet's keys were replaced")
    }

    /// What is signed.
    private struct Body {
        let version: UInt64
        let fleet: String
        let authorities: [Certificate]
        let modelKeys: [PublicKey]
        let logKey: PublicKey

        init(
            version: UInt64, fleet: String, authorities: [Certificate], modelKeys: [PublicKey],
            logKey: PublicKey
        ) {
            self.version = version
            self.fleet = fleet
            self.authorities = authorities
            self.modelKeys = modelKeys
            self.logKey = logKey
        }

        /// nil when a member is missing or does not parse.
        init?(_ json: JSONValue) {
            guard case .integer(let number)? = json["version"],
                let version = UInt64(exactly: number),
                let fleet = json["fleet"]?.text,
                let authorities = json["authorities"]?.texts, authorities.count <= mostEntries,
                let modelKeys = json["modelKeys"]?.texts, modelKeys.count <= mostEntries,
                let logKey = json["logKey"]?.text
            else { return nil }
            do {
                var certificates: [Certificate] = []
                for text in authorities {
                    guard let der = Base64.decode(text) else { return nil }
                    certificates.append(try Certificate(der: der))
                }
                var keys: [PublicKey] = []
                for pem in modelKeys { keys.append(try PublicKey(pem: pem)) }
                self.init(
                    version: version, fleet: fleet, authorities: certificates, modelKeys: keys,
                    logKey: try PublicKey(pem: logKey))
            } catch { return nil }
        }

        var json: JSONValue {
            .object([
                "version": .integer(Int64(clamping: version)),
                "fleet": .text(fleet),
                "authorities": .array(authorities.map { .text(Base64.encode($0.der)) }),
                "modelKeys": .array(modelKeys.map { .text($0.pem) }),
                "logKey": .text(logKey.pem),
            ])
        }

        /// Why this cannot be a trust set; nil when it can.
        var problem: String? {
            if version == 0 { return "versions count from 1" }
            if !isName(fleet, atMost: 64) { return "its fleet has no proper name" }
            if authorities.isEmpty || !authorities.allSatisfy(\.isAuthority) {
                return "it needs authorities, and each must be one"
            }
            if modelKeys.isEmpty || !modelKeys.allSatisfy({ $0.kind == .p256 }) {
                return "it needs model keys, each on P-256"
            }
            if logKey.kind != .ed25519 { return "its log key is not Ed25519" }
            return nil
        }
    }
}

package import Cryptography
package import Federation

/// The keys that a device or an auditor believes, numbered, and replaced only by a set that an
/// active model key of its predecessor signed.
///
/// The document is a DSSE envelope in JSON. Its payload is compact JSON with sorted members:
/// `authorities` (DER in base64), `fleet`, `log` (a vkey), `modelKeys` (objects of `pem`, `from`
/// and, once they apply, `until` and `revoked`), `version`.
package struct TrustSet: Sendable, Equatable {
    /// Counts up from 1.
    package let version: UInt64
    /// Whose keys these are.
    package let fleet: String
    /// Who may have signed the coordinator's certificate and the devices'; the first issues.
    package let authorities: [Certificate]
    /// Who may sign models, each for a part of the log; the active ones also the next trust set.
    package let modelKeys: [ModelKey]
    /// Who signs the transparency log's checkpoints.
    package let log: LogKey
    /// The signed document as it is stored and sent.
    package let document: [UInt8]

    private static let payloadType = "application/vnd.tributary.trust-set.v2+json"
    /// What a set had before its model keys were tied to positions in the log.
    private static let oldPayloadType = "application/vnd.tributary.trust-set+json"
    /// The most signatures on one set; rotation needs two.
    private static let mostSignatures = 4
    /// The largest document that is looked at, in bytes: `mostModelKeys` and `mostAuthorities` fit.
    package static let largestDocumentBytes = 64 << 10

    /// A fleet's first set.
    ///
    /// - Parameter key: the private half of one of `modelKeys`.
    /// - Throws: `Fault.invalid` when the keys or authorities cannot make a set.
    package static func initial(
        fleet: String, authorities: [Certificate], modelKeys: [ModelKey], log: LogKey,
        signedBy key: PrivateKey
    ) throws(Fault) -> TrustSet {
        let content = TrustSetContent(
            version: 1, fleet: fleet, authorities: authorities, modelKeys: modelKeys, log: log)
        return try TrustSet(content, keys: [key])
    }

    /// The set after this one.
    ///
    /// - Parameter keys: the private halves of one of this set's active model keys and of one of
    ///   the active `modelKeys`: devices check the first when they replace their set, and the
    ///   second whenever they read it.
    /// - Throws: `Fault.invalid` when either is missing, or a key of this set would count for more
    ///   than before.
    package func successor(
        authorities: [Certificate], modelKeys: [ModelKey], log: LogKey, signedBy keys: [PrivateKey]
    ) throws(Fault) -> TrustSet {
        let content = TrustSetContent(
            version: version + 1, fleet: fleet, authorities: authorities, modelKeys: modelKeys,
            log: log)
        guard keys.contains(where: { activeModelKeys.contains($0.publicKey) }) else {
            throw Fault(
                .invalid, "no active key of the current trust set signs the next one",
                remedy: "sign with the current model-signing key too")
        }
        if let problem = problem(of: modelKeys) {
            throw Fault(.invalid, "cannot make a trust set: \(problem)")
        }
        return try TrustSet(content, keys: keys)
    }

    /// Reads a set from storage, or the first one from the coordinator; it must be signed by one of
    /// its own active model keys.
    ///
    /// - Throws: `Fault.untrusted` naming what is wrong.
    package init(document: [UInt8]) throws(Fault) {
        try self.init(document: document, envelope: TrustSet.envelope(in: document))
    }

    /// The set in `document`, if it may take this one's place: same fleet, higher version, signed
    /// by one of this set's active model keys, and no retired key counts for more than before.
    ///
    /// - Throws: `Fault.untrusted` naming what is wrong.
    package func replaced(by document: [UInt8]) throws(Fault) -> TrustSet {
        let envelope = try TrustSet.envelope(in: document)
        guard envelope.isSigned(by: activeModelKeys) else {
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
        if let problem = problem(of: next.modelKeys) { throw TrustSet.refused(problem) }
        return next
    }

    /// The keys that may have signed a model, whatever its position in the log.
    package var publicModelKeys: [PublicKey] { modelKeys.map(\.key) }

    /// The keys that sign new models and the next trust set.
    package var activeModelKeys: [PublicKey] {
        modelKeys.filter { $0.until == nil }.map(\.key)
    }

    /// Why `next` cannot follow this set's keys; nil when it can.
    private func problem(of next: [ModelKey]) -> String? {
        for key in modelKeys {
            guard let until = key.until, let later = next.first(where: { $0.key == key.key }) else {
                continue
            }
            if later.until.map({ $0 > until }) ?? true {
                return "a retired key cannot come back"
            }
        }
        return nil
    }

    private static func envelope(in document: [UInt8]) throws(Fault) -> SignedEnvelope {
        guard document.count <= largestDocumentBytes,
            let envelope = CanonicalJSON(parsing: document).flatMap(SignedEnvelope.init),
            envelope.signatures.count <= mostSignatures
        else { throw refused("it is not a trust set's document") }
        guard envelope.payloadType != oldPayloadType else {
            throw Fault(
                .untrusted, "the trust set is of an older Tributary, without a log to check it",
                remedy: "enrol again with a new token")
        }
        guard envelope.payloadType == payloadType else {
            throw refused("it is not a trust set's document")
        }
        return envelope
    }

    private init(document: [UInt8], envelope: SignedEnvelope) throws(Fault) {
        guard let content = CanonicalJSON(parsing: envelope.payload).flatMap(TrustSetContent.init)
        else { throw TrustSet.refused("its content is not a trust set's") }
        if let problem = content.problem { throw TrustSet.refused(problem) }
        self.init(content, document: document)
        guard envelope.isSigned(by: activeModelKeys) else {
            throw TrustSet.refused("none of its own active model keys signed it")
        }
    }

    private init(_ content: TrustSetContent, keys: [PrivateKey]) throws(Fault) {
        if let problem = content.problem {
            throw Fault(.invalid, "cannot make a trust set: \(problem)")
        }
        let envelope = try SignedEnvelope(
            payloadType: TrustSet.payloadType, payload: try content.json.encoded(), keys: keys)
        self.init(content, document: try envelope.json.encoded())
        guard keys.contains(where: { activeModelKeys.contains($0.publicKey) }) else {
            throw Fault(
                .invalid, "a trust set must be signed by one of its own active model keys")
        }
    }

    private init(_ content: TrustSetContent, document: [UInt8]) {
        version = content.version
        fleet = content.fleet
        authorities = content.authorities
        modelKeys = content.modelKeys
        log = content.log
        self.document = document
    }

    private static func refused(_ why: String) -> Fault {
        Fault(
            .untrusted, "the trust set is refused: \(why)",
            remedy: "enrol again with a new token if the fleet's keys were replaced")
    }
}

extension TrustSet {
    /// A key that signs models, and the part of the log in which its signatures count.
    package struct ModelKey: Sendable, Equatable {
        package let key: PublicKey
        /// The position of the leaf that added it; it counts after that.
        package let from: UInt64
        /// The first position at which it no longer counts; nil while it is active.
        package let until: UInt64?
        /// Since when it is not believed, in Unix seconds; nil unless it was revoked.
        package let revokedUnix: UInt64?

        package init(
            key: PublicKey, from: UInt64, until: UInt64? = nil, revokedUnix: UInt64? = nil
        ) {
            self.key = key
            self.from = from
            self.until = until
            self.revokedUnix = revokedUnix
        }

        /// Whether a model whose leaf is at `position` may be signed with this key.
        package func isValid(at position: UInt64) -> Bool {
            from < position && until.map { position < $0 } ?? true
        }
    }
}

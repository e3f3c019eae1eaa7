import Cryptography
import Federation

/// A DSSE envelope: a payload, its type, and signatures over both
/// (github.com/secure-systems-lab/dsse).
struct SignedEnvelope {
    let payloadType: String
    let payload: [UInt8]
    let signatures: [[UInt8]]

    /// Signs with each of `keys`.
    init(payloadType: String, payload: [UInt8], keys: [PrivateKey]) throws(Fault) {
        self.payloadType = payloadType
        self.payload = payload
        var signatures: [[UInt8]] = []
        for key in keys {
            signatures.append(
                try key.sign(SignedEnvelope.authenticated(payloadType, payload)))
        }
        self.signatures = signatures
    }

    /// Reads an envelope; nil when a member is missing or of the wrong shape. Says nothing about
    /// the signatures.
    init?(_ json: CanonicalJSON) {
        guard let payloadType = json["payloadType"]?.text,
            let payload = json["payload"]?.text.flatMap(Base64.decode),
            let entries = json["signatures"]?.elements
        else { return nil }
        let signatures = entries.compactMap { $0["sig"]?.text.flatMap(Base64.decode) }
        guard signatures.count == entries.count else { return nil }
        self.payloadType = payloadType
        self.payload = payload
        self.signatures = signatures
    }

    var json: CanonicalJSON {
        .object([
            "payload": .text(Base64.encode(payload)),
            "payloadType": .text(payloadType),
            "signatures": .array(
                signatures.map {
                    .object(["keyid": .text(""), "sig": .text(Base64.encode($0))])
                }),
        ])
    }

    /// Whether one of the signatures is one of `keys`'s.
    func isSigned(by keys: [PublicKey]) -> Bool {
        let message = SignedEnvelope.authenticated(payloadType, payload)
        return signatures.contains { signature in
            keys.contains { $0.verifies(signature, of: message) }
        }
    }

    /// What is signed, DSSE's pre-authentication encoding: no payload can be taken for one of
    /// another type.
    static func authenticated(_ type: String, _ payload: [UInt8]) -> [UInt8] {
        Array("DSSEv1 \(type.utf8.count) \(type) \(payload.count) ".utf8) + payload
    }
}

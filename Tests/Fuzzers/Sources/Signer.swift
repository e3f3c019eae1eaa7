import Cryptography
import Federation
import Provenance

/// Wraps fuzzed bytes in a signature that holds.
struct Signer: Sendable {
    let fleet: ExampleFleet

    /// A model signature's bundle around `payload`.
    func bundle(around payload: [UInt8]) throws -> [UInt8] {
        let type = "application/vnd.in-toto+json"
        let message = Array("DSSEv1 \(type.utf8.count) \(type) \(payload.count) ".utf8) + payload
        let signature = base64(try fleet.modelKey.sign(message))
        let hint = ModelSignature.keyHint(of: fleet.modelKey.publicKey).hex
        let text = """
            {"dsseEnvelope":{"payload":"\(base64(payload))","payloadType":"\(type)",\
            "signatures":[{"keyid":"","sig":"\(signature)"}]},\
            "mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json",\
            "verificationMaterial":{"publicKey":{"hint":"\(hint)"},"tlogEntries":[]}}
            """
        return Array(text.utf8)
    }
}

private let alphabet = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

func base64(_ bytes: [UInt8]) -> String {
    var text: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 3) {
        let group = bytes[start..<min(start + 3, bytes.count)]
        let word = (0..<3).reduce(0) { word, index in
            word << 8 | (index < group.count ? Int(group[start + index]) : 0)
        }
        for index in 0..<4 {
            text.append(
                index <= group.count
                    ? alphabet[word >> (18 - 6 * index) & 63] : UInt8(ascii: "="))
        }
    }
    return String(decoding: text, as: UTF8.self)
}

func base64Decoded(_ text: [UInt8]) -> [UInt8] {
    var bytes: [UInt8] = []
    var word = 0
    var held = 0
    for value in text.compactMap({ alphabet.firstIndex(of: $0) }) {
        word = word << 6 | value
        held += 6
        guard held >= 8 else { continue }
        held -= 8
        bytes.append(UInt8(word >> held & 255))
    }
    return bytes
}

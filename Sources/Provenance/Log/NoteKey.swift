import Cryptography
import Federation

/// An Ed25519 key under the name that signature lines and vkeys give it.
struct NoteKey: Sendable, Hashable {
    /// What a signature is over, and the byte that says so.
    enum Algorithm: UInt8, Sendable {
        /// The note's text.
        case note = 1
        /// The time and the note's text, by a witness.
        case cosignature = 4
    }

    let name: String
    let algorithm: Algorithm
    let key: PublicKey
    private let raw: [UInt8]
    /// The first four bytes of the SHA-256 of name, algorithm and key.
    private let id: [UInt8]

    /// - Throws: `Fault.invalid` for a name that a note cannot carry or a key of another kind.
    init(name: String, algorithm: Algorithm, key: PublicKey) throws(Fault) {
        try NoteKey.check(name: name)
        guard let raw = key.ed25519 else {
            throw Fault(.invalid, "the key of \(name) is not an Ed25519 key")
        }
        self.name = name
        self.algorithm = algorithm
        self.key = key
        self.raw = raw
        let identity = Array(name.utf8) + [0x0A, algorithm.rawValue] + raw
        id = Array(SHA256.digest(of: identity).bytes.prefix(4))
    }

    /// Reads a vkey, NAME+ID+KEY.
    ///
    /// - Throws: `Fault.invalid` unless it is exactly what `vkey` writes for a key of `algorithm`.
    init(vkey: String, algorithm: Algorithm) throws(Fault) {
        // Base64 has a plus of its own; a name has none.
        let parts = vkey.split(separator: "+", maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, let bytes = Base64.decode(String(parts[2])),
            bytes.first == algorithm.rawValue
        else {
            throw Fault(
                .invalid, "this is not a verifier key of the kind wanted",
                remedy: "give it as NAME+ID+KEY, as the log or witness publishes it")
        }
        try self.init(
            name: String(parts[0]), algorithm: algorithm,
            key: PublicKey(ed25519: Array(bytes.dropFirst())))
        guard self.vkey == vkey else {
            throw Fault(.invalid, "the verifier key of \(name) does not have the ID it names")
        }
    }

    var vkey: String {
        "\(name)+\(hexadecimal(id))+\(Base64.encode([algorithm.rawValue] + raw))"
    }

    /// Names here are ASCII, so that equal names have equal bytes.
    ///
    /// - Throws: `Fault.invalid` when it is empty or has a space, a plus or a control character.
    static func check(name: String) throws(Fault) {
        let plus = UInt8(ascii: "+")
        guard !name.isEmpty, name.utf8.count <= 255,
            name.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != plus })
        else {
            throw Fault(
                .invalid, "a log or witness cannot have this name",
                remedy: "use 1 to 255 ASCII letters, digits and signs but no space or plus")
        }
    }

    /// A line with this key's signature.
    func line(_ signature: [UInt8]) -> SignedNote.Signature {
        SignedNote.Signature(name: name, keyID: id, bytes: signature)
    }

    /// The signatures on `note` that claim to be by this key, unchecked.
    func signatures(on note: SignedNote) -> [[UInt8]] {
        note.signatures.filter { $0.name == name && $0.keyID == id }.map(\.bytes)
    }
}

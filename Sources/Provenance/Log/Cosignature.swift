package import Cryptography
package import Federation

/// The key that a witness cosigns checkpoints with, as readers hold it.
package struct WitnessKey: Sendable, Hashable {
    fileprivate let noteKey: NoteKey

    package var name: String { noteKey.name }
    package var key: PublicKey { noteKey.key }

    /// - Throws: as `LogKey.init(name:key:)`.
    package init(name: String, key: PublicKey) throws(Fault) {
        noteKey = try NoteKey(name: name, algorithm: .cosignature, key: key)
    }

    /// Reads what `vkey` writes.
    ///
    /// - Throws: `Fault.invalid` for anything else.
    package init(vkey: String) throws(Fault) {
        noteKey = try NoteKey(vkey: vkey, algorithm: .cosignature)
    }

    /// The key as one line, NAME+ID+KEY.
    package var vkey: String { noteKey.vkey }
}

/// A witness's word that it saw a checkpoint, consistent with all that it saw of the log before.
package struct Cosignature: Sendable, Equatable {
    package let witness: WitnessKey
    /// When it cosigned, in Unix seconds.
    package let unix: UInt64

    /// The newest cosignature by `witness` on `signed`.
    ///
    /// - Throws: `Fault.untrusted` when there is none, or one does not verify.
    package init(by witness: WitnessKey, on signed: SignedCheckpoint) throws(Fault) {
        let note = try SignedNote(parsing: signed.note)
        var newest: UInt64?
        for line in witness.noteKey.signatures(on: note) {
            let unix = line.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            guard line.count == 8 + 64,
                witness.key.verifies(
                    Array(line[8...]), of: Cosignature.message(note.text, unix: unix))
            else {
                throw Fault(
                    .untrusted, "the cosignature of \(witness.name) does not verify")
            }
            newest = max(newest ?? 0, unix)
        }
        guard let newest else {
            throw Fault(.untrusted, "\(witness.name) has not cosigned the checkpoint")
        }
        self.witness = witness
        unix = newest
    }

    /// What a witness signs.
    fileprivate static func message(_ text: String, unix: UInt64) -> [UInt8] {
        Array("cosignature/v1\ntime \(unix)\n\(text)".utf8)
    }
}

/// What cosigns checkpoints. It signs what it is given: that the log is consistent with what was
/// seen of it before is for the caller to check.
package struct WitnessSigner: Sendable {
    /// What readers need.
    package let verifier: WitnessKey
    private let key: PrivateKey

    /// - Throws: as `LogKey.init(name:key:)`.
    package init(name: String, key: PrivateKey) throws(Fault) {
        verifier = try WitnessKey(name: name, key: key.publicKey)
        self.key = key
    }

    /// The checkpoint with a cosignature as the note's last line.
    ///
    /// - Throws: `Fault.exhausted` when the note can take no more.
    package func cosign(_ signed: SignedCheckpoint, unix: UInt64) throws(Fault) -> SignedCheckpoint
    {
        let note = try SignedNote(parsing: signed.note)
        let time = (0..<8).map { UInt8(truncatingIfNeeded: unix >> UInt64(56 - 8 * $0)) }
        let signature = try key.sign(Cosignature.message(note.text, unix: unix))
        let cosigned = SignedNote(
            text: note.text,
            signatures: note.signatures + [verifier.noteKey.line(time + signature)]
        ).encoded()
        guard note.signatures.count < SignedNote.mostSignatures,
            cosigned.count <= SignedNote.largestBytes
        else { throw Fault(.exhausted, "the checkpoint can take no more signatures") }
        return SignedCheckpoint(signed, note: cosigned)
    }
}

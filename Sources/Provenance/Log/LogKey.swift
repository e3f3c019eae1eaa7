package import Cryptography
package import Federation

/// The key that a log signs its checkpoints with, as its readers hold it. Its name is the log's
/// origin.
package struct LogKey: Sendable, Hashable {
    let noteKey: NoteKey

    package var name: String { noteKey.name }
    package var key: PublicKey { noteKey.key }

    /// - Throws: `Fault.invalid` for a key that is not Ed25519, or a name that is empty, longer
    ///   than 255 bytes, not ASCII, or has a space or plus.
    package init(name: String, key: PublicKey) throws(Fault) {
        noteKey = try NoteKey(name: name, algorithm: .note, key: key)
    }

    /// Reads what `vkey` writes.
    ///
    /// - Throws: `Fault.invalid` for anything else.
    package init(vkey: String) throws(Fault) {
        noteKey = try NoteKey(vkey: vkey, algorithm: .note)
    }

    /// The key as one line, NAME+ID+KEY, which other readers of signed notes take too.
    package var vkey: String { noteKey.vkey }
}

/// What signs a log's checkpoints.
package struct LogSigner: Sendable {
    /// What readers need.
    package let verifier: LogKey
    private let key: PrivateKey

    /// - Throws: as `LogKey.init(name:key:)`.
    package init(name: String, key: PrivateKey) throws(Fault) {
        verifier = try LogKey(name: name, key: key.publicKey)
        self.key = key
    }

    /// Signs a checkpoint of this signer's own log.
    ///
    /// - Throws: `Fault.invalid` for one of another log.
    package func sign(_ checkpoint: Checkpoint) throws(Fault) -> SignedCheckpoint {
        let text = checkpoint.text
        let line = verifier.noteKey.line(try key.sign(Array(text.utf8)))
        let note = SignedNote(text: text, signatures: [line])
        return try SignedCheckpoint(note: note.encoded(), key: verifier)
    }
}

import Cryptography
package import Federation

/// A checkpoint that its log's key signed, with all signatures of the note it came in.
package struct SignedCheckpoint: Sendable, Equatable {
    package let checkpoint: Checkpoint
    /// The note's bytes, as they were signed and cosigned.
    package let note: [UInt8]

    /// Reads a note and checks the log's own signature; other lines are kept and ignored.
    ///
    /// - Throws: `Fault.invalid` for what is no checkpoint's note, `Fault.untrusted` unless `key`
    ///   signed it and it is of the log that `key` names.
    package init(note bytes: [UInt8], key: LogKey) throws(Fault) {
        let note = try SignedNote(parsing: bytes)
        let signatures = key.noteKey.signatures(on: note)
        let text = Array(note.text.utf8)
        guard !signatures.isEmpty else {
            throw Fault(.untrusted, "the checkpoint is not signed by the key of \(key.name)")
        }
        guard signatures.allSatisfy({ key.key.verifies($0, of: text) }) else {
            throw Fault(
                .untrusted, "the signature of \(key.name) on the checkpoint does not verify")
        }
        let checkpoint = try Checkpoint(text: note.text)
        guard checkpoint.origin == key.name else {
            throw Fault(
                .untrusted, "the checkpoint is of \(checkpoint.origin), not of \(key.name)")
        }
        self.checkpoint = checkpoint
        self.note = bytes
    }

    /// The same checkpoint in a note with more lines under it.
    init(_ signed: SignedCheckpoint, note: [UInt8]) {
        checkpoint = signed.checkpoint
        self.note = note
    }
}

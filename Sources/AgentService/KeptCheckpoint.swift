import Cryptography
package import Federation
package import Provenance

/// The newest checkpoint of the coordinator's log that this device has verified. From there the log may only grow: one that
/// is shorter, or that tells another history, is refused, with whatever comes from it.
package struct KeptCheckpoint: Sendable, Equatable {
    /// The signed note.
    package let note: [UInt8]
    package let checkpoint: Checkpoint

    package init(_ signed: SignedCheckpoint) {
        note = signed.note
        checkpoint = signed.checkpoint
    }

    /// What the device keeps; nil before it has seen a log.
    ///
    /// The note's signature was checked before it was stored, by a log key that may have been replaced since.
    ///
    /// - Throws: `Fault.storage` when the file is damaged.
    package static func load(_ directory: StateDirectory) throws(Fault) -> KeptCheckpoint? {
        let file = directory.checkpointFile
        guard fileSize(file) != nil else { return nil }
        do throws(Fault) { return try KeptCheckpoint(note: try CredentialFile.read(file)) } catch {
            throw Fault(
                .storage, "\(file): \(error.message)",
                remedy: "check the disk; remove the file only if nobody else could have changed it:"
                    + " it tells a coordinator that was set back")
        }
    }

    private init(note: [UInt8]) throws(Fault) {
        self.note = note
        checkpoint = try Checkpoint(text: SignedNote(parsing: note).text)
    }

    /// Stores it in place of an older one.
    ///
    /// - Throws: `Fault.storage`.
    package func store(in directory: StateDirectory) throws(Fault) {
        try RewrittenFile.replace(
            directory.checkpointFile, note, mode: CredentialFile.publicMode)
    }

    /// Sees that the log which `evidence` is from goes on from here. What proves nothing passes: whoever looks at the model
    /// refuses that.
    ///
    /// - Parameter key: the log's.
    /// - Throws: as `check(_:path:)`.
    package func check(_ evidence: ModelEvidence, key: LogKey) throws(Fault) {
        guard let path = evidence.consistency,
            let proof = try? LogProof(parsing: evidence.proof),
            let signed = try? SignedCheckpoint(note: proof.checkpoint, key: key)
        else { return }
        try check(signed.checkpoint, path: path)
    }

    /// Sees that the log at `next` is the one of this checkpoint, as it was or grown.
    ///
    /// - Parameter path: the consistency proof from this checkpoint's size to `next`'s.
    /// - Throws: `Fault.untrusted` saying that the log shrank or forked.
    package func check(_ next: Checkpoint, path: [Digest]) throws(Fault) {
        try checkSize(next)
        let isConsistent = LogTree.isConsistent(
            from: checkpoint.size, fromRoot: checkpoint.root, to: next.size, toRoot: next.root,
            path: path)
        guard isConsistent else { throw forked(next) }
    }

    /// As `check`, with nothing to show what lies between: a longer log passes.
    package func checkSize(_ next: Checkpoint) throws(Fault) {
        guard next.size >= checkpoint.size else {
            throw Fault(
                .untrusted,
                "the coordinator's log has \(next.size) entries, and this device has seen"
                    + " \(checkpoint.size) of them: the coordinator was set back",
                remedy: KeptCheckpoint.remedy)
        }
        guard next.size > checkpoint.size || next.root == checkpoint.root else {
            throw forked(next)
        }
    }

    private func forked(_ next: Checkpoint) -> Fault {
        Fault(
            .untrusted,
            "the coordinator's log of \(next.size) entries does not contain the \(checkpoint.size)"
                + " that this device has seen: it tells another history",
            remedy: KeptCheckpoint.remedy)
    }

    private static let remedy =
        "most likely an older backup of the coordinator was restored: its admin must bring back the"
        + " newest state; if that is lost, enroll with --force and a new token"
}

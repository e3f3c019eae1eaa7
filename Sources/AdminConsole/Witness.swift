import Cryptography
package import Federation
package import Provenance
package import Wire

/// An independent party that cosigns a log's checkpoints, each only when it continues the last one it saw.
///
/// Whoever asks for its cosignature learns that the log did not show the witness another history.
package struct Witness: Sendable {
    /// The log that it watches, pinned when it first saw it.
    package let log: LogKey
    /// The checkpoint that it cosigned last; nil before the first.
    package private(set) var last: SignedCheckpoint?

    private static let header = "tributary witness v1"

    /// One that has not seen `log` yet.
    package init(log: LogKey) { self.log = log }

    /// Reads what `state` wrote.
    ///
    /// - Throws: `invalid` when it is damaged, `untrusted` when its checkpoint is not the log's.
    package init(state: [UInt8]) throws(Fault) {
        let lines = state.split(separator: 0x0a, maxSplits: 2, omittingEmptySubsequences: false)
        guard lines.count == 3, String(decoding: lines[0], as: UTF8.self) == Witness.header else {
            throw Fault(.invalid, "this is not a witness's state")
        }
        log = try LogKey(vkey: String(decoding: lines[1], as: UTF8.self))
        last = lines[2].isEmpty ? nil : try SignedCheckpoint(note: Array(lines[2]), key: log)
    }

    /// What it must remember: the log's key and the last checkpoint, so that it never cosigns two histories.
    package var state: [UInt8] {
        Array("\(Witness.header)\n\(log.vkey)\n".utf8) + (last?.note ?? [])
    }

    /// The size of the log that its next checkpoint must continue.
    package var size: UInt64 { last?.checkpoint.size ?? 0 }

    /// Cosigns the log's newest checkpoint and remembers it.
    ///
    /// - Parameters:
    ///   - record: the checkpoint with the path that leads to it from `size`.
    ///   - unix: the present time, in Unix seconds.
    /// - Throws: `untrusted` when the log's key did not sign it, or it does not continue what was seen before.
    package mutating func cosign(
        _ record: CheckpointRecord, with signer: WitnessSigner, unix: UInt64
    ) throws(Fault) -> SignedCheckpoint {
        let signed = try SignedCheckpoint(note: record.note, key: log)
        if let last { try check(signed.checkpoint, continues: last.checkpoint, record.consistency) }
        let cosigned = try signer.cosign(signed, unix: unix)
        last = cosigned
        return cosigned
    }

    private func check(
        _ next: Checkpoint, continues last: Checkpoint, _ path: [[UInt8]]
    ) throws(Fault) {
        guard next.size >= last.size else {
            throw refusal(
                "the log of \(last.size) leaves was set back to \(next.size)")
        }
        var hashes: [Digest] = []
        for bytes in path {
            guard let hash = Digest(bytes: bytes) else {
                throw Fault(.invalid, "a consistency path is made of SHA-256 digests")
            }
            hashes.append(hash)
        }
        let isConsistent = LogTree.isConsistent(
            from: last.size, fromRoot: last.root, to: next.size, toRoot: next.root, path: hashes)
        guard isConsistent else {
            throw refusal(
                "the log was forked: its \(next.size) leaves do not begin with the \(last.size) seen before"
            )
        }
    }

    private func refusal(_ why: String) -> Fault {
        Fault(
            .untrusted, why,
            remedy: "keep both checkpoints, they prove it, and ask who runs the log of \(log.name)")
    }
}

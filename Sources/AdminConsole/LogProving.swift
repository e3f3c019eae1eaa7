package import Federation
package import Provenance
package import Wire

// Proofs and checkpoints, checked before they are passed on.

extension AdminSession where Stream: ~Copyable {
    /// The fleet's trust set, as the coordinator tells it.
    ///
    /// - Throws: as `perform`; `untrusted` when it is not signed by a key of its own.
    package mutating func trustSet() throws(Fault) -> TrustSet {
        let answer = try perform(.trustShow(TrustShow()))
        guard case .trust(let record) = answer else { throw unexpectedAnswer() }
        return try TrustSet(document: record.document)
    }

    /// The newest checkpoint of the log of `key`.
    ///
    /// - Throws: as `perform`; `untrusted` when `key` did not sign it.
    package mutating func checkpoint(key: LogKey) throws(Fault) -> SignedCheckpoint {
        try SignedCheckpoint(note: try checkpointRecord(from: 0).note, key: key)
    }

    /// The newest checkpoint with what leads to it from one of `size` leaves; unchecked.
    ///
    /// - Throws: as `perform`.
    package mutating func checkpointRecord(
        from size: UInt64
    ) throws(Fault) -> CheckpointRecord {
        let answer = try perform(.auditCheckpoint(AuditCheckpoint(fromSize: size)))
        guard case .checkpoint(let record) = answer else { throw unexpectedAnswer() }
        return record
    }

    /// The proof of a leaf.
    ///
    /// - Throws: as `perform`; `untrusted` when it does not hold.
    package mutating func proof(_ request: AuditProve) throws(Fault) -> ProvenLeaf {
        let answer = try perform(.auditProve(request))
        guard case .logProof(let record) = answer else { throw unexpectedAnswer() }
        let proof = try Provenance.LogProof(parsing: record.proof)
        let signed = try proof.verify(key: try trustSet().log)
        return ProvenLeaf(proof: proof, checkpoint: signed.checkpoint)
    }
}

/// A leaf that is in the log.
package struct ProvenLeaf: Sendable {
    package let proof: Provenance.LogProof
    /// What the proof leads to.
    package let checkpoint: Checkpoint

    /// The proof itself.
    package var proofText: String { String(decoding: proof.encoded(), as: UTF8.self) }

    /// That it was written to `file`.
    package func text(writtenTo file: String) -> String {
        let leaf = LeafText(proof.leaf)
        return
            "leaf \(proof.index) of \(checkpoint.size), \(leaf.event): proof written to \(file)\n"
    }

    /// The proof as one document.
    package var json: JSONValue {
        .object([
            ("index", .number(proof.index)), ("size", .number(checkpoint.size)),
            ("origin", .string(checkpoint.origin)),
            ("leaf", .string(String(decoding: proof.leaf, as: UTF8.self))),
            ("proof", .string(proofText)),
        ])
    }
}

extension SignedCheckpoint {
    /// What it commits to, in words.
    package var facts: String {
        "checkpoint of \(checkpoint.origin): \(checkpoint.size) leaves, root \(checkpoint.root.hex)"
    }

    /// The checkpoint as one document.
    package var json: JSONValue { .object(members) }

    /// The checkpoint as one document, with the key that verifies the cosignature on it.
    package func json(cosignedBy witness: WitnessKey) -> JSONValue {
        .object(members + [("witness", .string(witness.vkey))])
    }

    private var members: [(String, JSONValue)] {
        [
            ("origin", .string(checkpoint.origin)), ("size", .number(checkpoint.size)),
            ("root", .string(checkpoint.root.hex)),
            ("note", .string(String(decoding: note, as: UTF8.self))),
        ]
    }
}

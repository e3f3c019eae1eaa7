import Cryptography
package import Federation
import Provenance
package import Wire

/// Where an exported model version lies: what a verifier, this project's or another, needs.
package struct ExportedModel: Sendable, Equatable {
    /// The directory with every signed file.
    package let modelDirectory: String
    /// The OpenSSF Model Signing bundle beside it.
    package let signature: String
    /// The signing key, SPKI PEM.
    package let publicKey: String
    /// The C2SP proof that the version is in the log.
    package let proof: String
    /// The fleet's trust set.
    package let trustSet: String
    /// The log's public tiles and checkpoint.
    package let log: String
    package let version: UInt64
    /// On the coordinator's test data; nil when not measured.
    package let accuracy: Double?

    /// `model_dir`, `signature`, `public_key`, `proof`, `trust`, `log`, `version`, `accuracy`.
    package var json: JSONValue {
        .object([
            ("model_dir", .string(modelDirectory)), ("signature", .string(signature)),
            ("public_key", .string(publicKey)), ("proof", .string(proof)),
            ("trust", .string(trustSet)), ("log", .string(log)), ("version", .number(version)),
            ("accuracy", .measured(accuracy ?? -1)),
        ])
    }

    /// One line a path.
    package var text: String {
        keyValues([
            ("model", modelDirectory), ("signature", signature), ("public key", publicKey),
            ("proof", proof), ("trust set", trustSet), ("log", log),
            ("version", String(version)), ("accuracy", fraction(accuracy ?? -1)),
        ])
    }
}

extension AdminSession where Stream: ~Copyable {
    /// Leaves that one turn of copying the log holds in memory.
    private static var leavesAtOnce: UInt64 { 4096 }

    /// Writes everything that somebody without this fleet needs to check `model`: its files in
    /// `output/PLAN-VERSION/`, beside them `.sig` and `.tlog-proof`, and in `output` the signing key
    /// `model-signing.pub`, `trust-set.json` and the log's public files in `log/`.
    ///
    /// Everything is checked against everything else on the way, but for whether the signing key
    /// still counts: a version whose key was revoked can be exported, to be looked at.
    ///
    /// - Parameters:
    ///   - model: as `ModelShow` answers.
    ///   - progress: called with what is fetched and the share in [0, 1] of it that has arrived.
    /// - Throws: `invalid` when the record is incomplete, or names a file that would lie elsewhere;
    ///   `untrusted` when signature, files, proof and log do not belong together, or are of another
    ///   log than the one an earlier export wrote; else as `download`.
    package mutating func export(
        _ model: ModelRecord, to output: String,
        progress: (_ what: String, _ done: Double) -> Void = { _, _ in }
    ) throws(Fault) -> ExportedModel {
        guard let reference = model.model, PlanID(reference.plan) != nil, !model.files.isEmpty,
            let signatureDigest = Digest(bytes: reference.signatureDigest)
        else { throw unexpectedAnswer() }
        let directory = "\(output)/\(reference.plan)-\(reference.version)"
        try createDirectory(output)
        try createDirectory(directory)
        for file in model.files {
            guard isPlainName(file.name), let digest = Digest(bytes: file.digest) else {
                throw Fault(.invalid, "the model names a file '\(file.name)'")
            }
            try download(digest, size: file.size, to: "\(directory)/\(file.name)") {
                progress(file.name, $0)
            }
        }
        try download(signatureDigest, size: reference.signatureSize, to: directory + ".sig")
        let trust = try trustSet()
        let signed = try ModelSignature.verify(
            bundle: try CredentialFile.read(directory + ".sig"), trusted: trust.publicModelKeys)
        try check(signed, against: model)
        let proof = try proof(of: reference, signed, trust)
        let log = output + "/log"
        try copyLog(to: log, covering: proof.checkpoint, trust) { progress("log", $0) }
        return try write(model, signed.signer, proof.bytes, trust, to: directory, in: output)
    }

    /// Checks that the signature is of exactly the files that were written.
    private func check(_ signed: SignedModel, against model: ModelRecord) throws(Fault) {
        // As bytes: two texts that are equal to Swift may be two names to the file system.
        let sent = Set(model.files.map { $0.digest + Array($0.name.utf8) })
        guard sent == Set(signed.files.map { $0.digest.bytes + Array($0.name.utf8) }) else {
            throw Fault(.untrusted, "the signature is of other files than the coordinator sent")
        }
    }

    private mutating func proof(
        of model: ModelRef, _ signed: SignedModel, _ trust: TrustSet
    ) throws(Fault) -> (bytes: [UInt8], checkpoint: Checkpoint) {
        let answer = try perform(
            .auditProve(AuditProve(byModel: true, plan: model.plan, version: model.version)))
        guard case .logProof(let record) = answer else { throw unexpectedAnswer() }
        let proof = try LogProof(parsing: record.proof)
        let checkpoint = try proof.verify(key: trust.log).checkpoint
        let leaf = LeafFields(proof.leaf)
        guard leaf?.event == FleetEvent.Kind.modelSigned.rawValue,
            leaf?.text("plan") == model.plan, leaf?.number("version") == model.version,
            leaf?.text("statement") == signed.statementDigest.hex
        else {
            throw Fault(
                .untrusted, "leaf \(proof.index) of the log is not about this version's signature")
        }
        return (record.proof, checkpoint)
    }

    /// Renders the log's public files from its leaves.
    ///
    /// - Parameter proved: a checkpoint that the copy has to agree with.
    private mutating func copyLog(
        to directory: String, covering proved: Checkpoint, _ trust: TrustSet,
        progress: (Double) -> Void
    ) throws(Fault) {
        let answer = try perform(.auditCheckpoint(AuditCheckpoint()))
        guard case .checkpoint(let record) = answer else { throw unexpectedAnswer() }
        let signed = try SignedCheckpoint(note: record.note, key: trust.log)
        var copy = try LogExport(directory: directory)
        var known = [proved, signed.checkpoint]
        if let previous = try copy.previous(key: trust.log) {
            guard previous.size <= signed.checkpoint.size else { throw forked(directory) }
            known.append(previous)
        }
        do {
            try fill(&copy, checking: known.filter { $0.size > 0 }, progress: progress)
            try copy.finish(signed)
        } catch {
            copy.undo()
            throw error
        }
    }

    /// Copies leaves up to the last of `known`, and checks the root at each of them.
    private mutating func fill(
        _ copy: inout LogExport, checking known: [Checkpoint], progress: (Double) -> Void
    ) throws(Fault) {
        let last = Double(known.map(\.size).max() ?? 0)
        for checkpoint in known.sorted(by: { $0.size < $1.size }) {
            while copy.size < checkpoint.size {
                let wanted = min(checkpoint.size - copy.size, Self.leavesAtOnce)
                let entries = try log(LogQuery(first: copy.size, limit: Int(wanted))).items
                guard !entries.isEmpty else {
                    throw Fault(
                        .untrusted,
                        "the coordinator's log ends after \(copy.size) leaves, and a checkpoint of"
                            + " it covers \(checkpoint.size)")
                }
                for entry in entries { try copy.append(entry.leaf) }
                progress(Double(copy.size) / last)
            }
            guard try copy.root == checkpoint.root else {
                throw Fault(
                    .untrusted,
                    "the first \(checkpoint.size) leaves that the coordinator sent are not those of"
                        + " its signed checkpoint",
                    remedy: "keep both: this shows that the log was changed")
            }
        }
    }

    private func write(
        _ model: ModelRecord, _ signer: PublicKey, _ proof: [UInt8], _ trust: TrustSet,
        to directory: String, in output: String
    ) throws(Fault) -> ExportedModel {
        let exported = ExportedModel(
            modelDirectory: directory, signature: directory + ".sig",
            publicKey: output + "/model-signing.pub", proof: directory + ".tlog-proof",
            trustSet: output + "/trust-set.json", log: output + "/log",
            version: model.model?.version ?? 0, accuracy: model.accuracy < 0 ? nil : model.accuracy)
        for (path, bytes) in [
            (exported.publicKey, Array(signer.pem.utf8)), (exported.proof, proof),
            (exported.trustSet, trust.document),
        ] { try CredentialFile.replace(path, bytes, mode: CredentialFile.publicMode) }
        return exported
    }
}

/// Whether `name` is a file's name and not a path: it comes from the network and is written below
/// the user's directory.
private func isPlainName(_ name: String) -> Bool {
    !name.isEmpty && !name.hasPrefix(".") && !name.utf8.contains { $0 == 0x2f || $0 < 0x20 }
}

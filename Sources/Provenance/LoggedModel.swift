import Cryptography
package import Federation

/// A model whose signature, place in the log and signing key agree with a trust set.
package struct LoggedModel: Sendable, Equatable {
    package let signed: SignedModel
    package let plan: PlanID
    package let version: UInt64
    package let round: UInt64
    /// SHA-256 of model.onnx.
    package let model: Digest
    /// SHA-256 of the parent's model.onnx; nil for version 0.
    package let parent: Digest?
    /// The version that it was made from; nil for version 0.
    package let parentVersion: UInt64?
    /// Its leaf's position in the log.
    package let position: UInt64
    /// The one that the proof ends in.
    package let checkpoint: SignedCheckpoint

    /// The file of a model directory that devices run.
    package static let modelFile = "model.onnx"

    /// Checks bundle, proof and trust set against each other. Any bytes are safe to pass.
    ///
    /// - Throws: `Fault.untrusted` naming the check that fails.
    package static func verify(
        bundle: [UInt8], proof: [UInt8], trust: TrustSet
    ) throws(Fault) -> LoggedModel {
        let signed = try ModelSignature.verify(bundle: bundle, trusted: trust.publicModelKeys)
        var report = VerificationReport()
        if let model = verify(signed, proof: proof, trust: trust, report: &report) { return model }
        let failed = report.checks.first { $0.result == .failed }
        throw Fault(
            .untrusted,
            "the model fails the check '\(failed?.name ?? "proof")': \(failed?.detail ?? "")",
            remedy: "do not use this model; get it again from the fleet's coordinator")
    }

    /// The checks after that of the signature, each noted in `report`, up to the first that fails.
    package static func verify(
        _ signed: SignedModel, proof bytes: [UInt8], trust: TrustSet,
        report: inout VerificationReport
    ) -> LoggedModel? {
        let proof = report.find("proof") { () throws(Fault) in
            let proof = try LogProof(parsing: bytes)
            return (proof, "leaf \(proof.index) and \(proof.path.count) hashes")
        }
        guard let proof,
            let checkpoint = report.makeCheckpoint(note: proof.checkpoint, key: trust.log)
        else { return nil }
        let isIncluded = report.make("inclusion") { () throws(Fault) in
            try inclusion(of: proof, in: checkpoint.checkpoint)
        }
        guard isIncluded else { return nil }
        let leaf = report.find("leaf") { () throws(Fault) in
            let leaf = try modelLeaf(of: proof, for: signed)
            return (leaf, "\(leaf.words) is this signature's")
        }
        guard let leaf else { return nil }
        let isValid = report.make("signing key") { () throws(Fault) in
            try validity(of: signed.signer, at: proof.index, trust)
        }
        guard isValid else { return nil }
        return LoggedModel(
            signed: signed, plan: leaf.plan, version: leaf.version, round: leaf.round,
            model: leaf.model, parent: leaf.parent, parentVersion: leaf.parentVersion,
            position: leaf.position, checkpoint: checkpoint)
    }

    private static func inclusion(
        of proof: LogProof, in checkpoint: Checkpoint
    ) throws(Fault) -> String {
        let included = LogTree.includes(
            leaf: Merkle.leafHash(proof.leaf), index: proof.index, size: checkpoint.size,
            path: proof.path, root: checkpoint.root)
        guard included else {
            throw wrong(
                "the path does not lead from leaf \(proof.index) to the root of the checkpoint of"
                    + " \(checkpoint.size) leaves")
        }
        return "leaf \(proof.index) of \(checkpoint.size)"
    }

    private static func modelLeaf(
        of proof: LogProof, for signed: SignedModel
    ) throws(Fault) -> ModelLeaf {
        guard let fields = LeafFields(proof.leaf),
            let leaf = ModelLeaf(fields, position: proof.index)
        else { throw wrong("leaf \(proof.index) is not that of a signed model") }
        guard leaf.statement == signed.statementDigest else {
            throw wrong("leaf \(proof.index) is that of another signature: of \(leaf.words)")
        }
        guard leaf.key == signed.signer.spkiDigest else {
            throw wrong("leaf \(proof.index) names another signing key")
        }
        let file = signed.files.first { $0.name.utf8.elementsEqual(modelFile.utf8) }
        guard leaf.model == file?.digest else {
            throw wrong("leaf \(proof.index) names another \(modelFile)")
        }
        guard (leaf.version == 0) == (leaf.parent == nil),
            (leaf.parent == nil) == (leaf.parentVersion == nil)
        else { throw wrong("leaf \(proof.index) is of a version without its parent") }
        return leaf
    }

    private static func validity(
        of signer: PublicKey, at position: UInt64, _ trust: TrustSet
    ) throws(Fault) -> String {
        guard let key = trust.modelKeys.first(where: { $0.key == signer }) else {
            throw wrong("the signing key is not in the trust set")
        }
        guard key.isValid(at: position) else {
            let end = key.until.map { " and before leaf \($0)" } ?? ""
            throw wrong(
                "the signing key counts after leaf \(key.from)\(end), and the model's leaf is"
                    + " \(position)" + (key.revokedUnix == nil ? "" : "; the key was revoked"))
        }
        return "pinned, added at leaf \(key.from)"
            + (key.until.map { ", ended at leaf \($0)" } ?? ", active")
    }
}

extension VerificationReport {
    /// The check that a note is a checkpoint which the log's key signed.
    package mutating func makeCheckpoint(note: [UInt8], key: LogKey) -> SignedCheckpoint? {
        find("checkpoint signature") { () throws(Fault) in
            let signed = try SignedCheckpoint(note: note, key: key)
            let checkpoint = signed.checkpoint
            return (signed, "\(checkpoint.origin), \(checkpoint.size) leaves")
        }
    }
}

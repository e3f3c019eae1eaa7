import Cryptography
package import Federation
import Glibc
import Provenance

/// The version of a model that a device holds.
package struct HeldVersion: Sendable, Equatable {
    package let version: UInt64
    /// SHA-256 of the model file; nil when what vouches for it is damaged.
    package let model: Digest?

    package init(version: UInt64, model: Digest?) {
        self.version = version
        self.model = model
    }
}

/// The verified models that this device predicts with: `models/<plan>/model.onnx`, beside it what vouches for it.
///
/// `models/<plan>` is a link to `models/<plan>.<version>`, so that a reader sees one whole version at any time. The
/// version held is in the link's text, and so survives with it.
///
/// Nothing waits for the disk: a device may have a slow one, and a version can be fetched again. Instead the version before
/// stays beside the one held, and `repair` goes back to it if a power cut took part of the newer one.
package struct ServingModels: Sendable {
    private let directory: String

    /// - Parameter directory: exists and is this type's alone.
    package init(directory: String) { self.directory = directory }

    /// The version held; nil when there is none.
    package func version(of plan: PlanID) -> UInt64? {
        guard let target = link(plan), target.hasPrefix("\(plan).") else { return nil }
        return UInt64(target.dropFirst(plan.name.utf8.count + 1))
    }

    /// The directory of the version held, if there is one.
    package func directory(of plan: PlanID) -> String { "\(directory)/\(plan)" }

    /// The version held, and which file its proof is about; nil when there is none.
    package func held(_ plan: PlanID) -> HeldVersion? {
        guard let version = version(of: plan) else { return nil }
        // Of the proof and not of the file, so that a damaged file can be replaced by what it was.
        return HeldVersion(version: version, model: loggedDigest(directory(of: plan)))
    }

    /// The digest of the model that the proof in `folder` is about.
    private func loggedDigest(_ folder: String) -> Digest? {
        leaf(folder)?.text("model").flatMap(Digest.init(hex:))
    }

    /// The log's entry that the proof in `folder` is of.
    private func leaf(_ folder: String) -> LeafFields? {
        let proof = try? LogProof(
            parsing: CredentialFile.read("\(folder)/\(HeldModel.proofFile)"))
        return proof.flatMap { LeafFields($0.leaf) }
    }

    /// Replaces the version held by another that was verified, or by the same if a file of it was damaged.
    ///
    /// - Parameters:
    ///   - model: the path of the model file.
    ///   - signature: its bundle.
    ///   - proof: that the log has it.
    ///   - cache: gets the room of a model that is not needed any more.
    /// - Throws: `Fault.storage`; the version held before then stays.
    package func install(
        _ plan: PlanID, version: UInt64, model: String, signature: [UInt8], proof: [UInt8],
        leaving cache: BlobCache? = nil
    ) throws(Fault) {
        let name = "\(plan).\(version)"
        let folder = "\(directory)/\(name)"
        let before = link(plan)
        if before != name || !isWhole(plan, model: model, signature: signature) {
            removeDirectory(folder)
            if rename(spare(plan), folder) != 0 { try createDirectory(folder) }
            let file = "\(folder)/\(LoggedModel.modelFile)"
            guard Glibc.link(model, file) == 0 else { throw storageFault("cannot create", file) }
            let evidence = [(HeldModel.signatureFile, signature), (HeldModel.proofFile, proof)]
            for (name, bytes) in evidence {
                try RewrittenFile.replace(
                    "\(folder)/\(name)", bytes, mode: CredentialFile.publicMode,
                    durability: .none)
            }
            try point(plan, to: name)
            if let before, before != name {
                removeOthers(plan, keeping: [name, before], leaving: cache)
            }
        }
    }

    /// Goes back to the version before where the one held is not what its log entry says: a power cut may have taken what
    /// had not reached the disk.
    ///
    /// - Returns: the version that is held now, if that is another.
    package func repair(_ plan: PlanID) -> UInt64? {
        guard let name = link(plan), !isIntact(name) else { return nil }
        for other in versions(of: plan) where other != name && isIntact(other) {
            guard (try? point(plan, to: other)) != nil else { return nil }
            removeDirectory("\(directory)/\(name)")
            return version(of: plan)
        }
        return nil
    }

    /// Whether a version's model and signature are those that its proof is about. Who made them is not looked at.
    private func isIntact(_ name: String) -> Bool {
        let folder = "\(directory)/\(name)"
        guard let leaf = leaf(folder),
            let model = try? SHA256.digest(ofFile: "\(folder)/\(LoggedModel.modelFile)"),
            let signature = try? CredentialFile.read("\(folder)/\(HeldModel.signatureFile)"),
            let statement = ModelSignature.statementDigest(of: signature)
        else { return false }
        return leaf.text("model") == model.hex && leaf.text("statement") == statement.hex
    }

    /// Whether the files of the version held are what they were.
    private func isWhole(_ plan: PlanID, model: String, signature: [UInt8]) -> Bool {
        let folder = directory(of: plan)
        guard let digest = try? SHA256.digest(ofFile: "\(folder)/\(LoggedModel.modelFile)"),
            digest == (try? SHA256.digest(ofFile: model))
        else { return false }
        return (try? CredentialFile.read("\(folder)/\(HeldModel.signatureFile)")) == signature
            && held(plan)?.model == digest
    }

    private func link(_ plan: PlanID) -> String? {
        var buffer = [UInt8](repeating: 0, count: 256)
        let count = buffer.withUnsafeMutableBytes { bytes in
            bytes.withMemoryRebound(to: CChar.self) { text in
                text.baseAddress.map { readlink("\(directory)/\(plan)", $0, text.count) } ?? 0
            }
        }
        return count > 0 ? String(decoding: buffer.prefix(count), as: UTF8.self) : nil
    }

    private func point(_ plan: PlanID, to name: String) throws(Fault) {
        let path = "\(directory)/\(plan)"
        let new = path + ".new"
        unlink(new)
        guard symlink(name, new) == 0 else { throw storageFault("cannot create", new) }
        guard rename(new, path) == 0 else { throw storageFault("cannot replace", path) }
    }

    /// The directories of a plan's versions.
    private func versions(of plan: PlanID) -> [String] {
        names(in: directory).filter { name in
            name.hasPrefix("\(plan).") && UInt64(name.dropFirst(plan.name.utf8.count + 1)) != nil
        }
    }

    /// Removes the other versions, but keeps the folder of one, with what vouched for it, to write the next into.
    private func removeOthers(
        _ plan: PlanID, keeping kept: Set<String>, leaving cache: BlobCache?
    ) {
        for other in versions(of: plan) where !kept.contains(other) {
            let folder = "\(directory)/\(other)"
            let model = "\(folder)/\(LoggedModel.modelFile)"
            if let cache { cache.remove(model) } else { unlink(model) }
            if rename(folder, spare(plan)) != 0 { removeDirectory(folder) }
        }
    }

    private func spare(_ plan: PlanID) -> String { "\(directory)/\(plan).spare" }
}

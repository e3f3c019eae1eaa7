import Cryptography
import Federation
import Provenance

/// The files of a model directory that say what the model is, compared with its leaf.
struct ModelDocuments {
    private let directory: String
    private let model: LoggedModel

    init(directory: String, model: LoggedModel) {
        self.directory = directory
        self.model = model
    }

    /// Makes the checks `card`, `provenance` and `bill of materials`.
    ///
    /// - Returns: what provenance.json says; nil when there is none, or it fails.
    func check(fleet: String, report: inout VerificationReport) -> StatedProvenance? {
        make(ModelCard.fileName, "card", &report) { (bytes) throws(Fault) in
            ((), try card(String(decoding: bytes, as: UTF8.self)))
        }
        make(BillOfMaterials.fileName, "bill of materials", &report) { (bytes) throws(Fault) in
            ((), try billOfMaterials(bytes))
        }
        return make(ProvenanceStatement.fileName, "provenance", &report) {
            (bytes) throws(Fault) in
            let stated = try StatedProvenance(bytes)
            return (stated, try stated.check(against: model, fleet: fleet))
        }
    }

    @discardableResult
    private func make<Found>(
        _ file: String, _ name: String, _ report: inout VerificationReport,
        _ body: ([UInt8]) throws(Fault) -> (found: Found, detail: String)
    ) -> Found? {
        guard let signed = model.signed.files.first(where: { $0.name == file }) else {
            report.add(name, .skipped, "this version has no \(file)")
            return nil
        }
        return report.find(name) { () throws(Fault) in
            let bytes = try CredentialFile.read("\(directory)/\(file)")
            guard SHA256.digest(of: bytes) == signed.digest else {
                throw wrong("\(file) is not the one that was signed")
            }
            return try body(bytes)
        }
    }

    private func card(_ text: String) throws(Fault) -> String {
        let title = "# \(model.plan), version \(model.version)"
        guard text.utf8.starts(with: Array("\(title)\n".utf8)) else {
            throw wrong("its title is not '\(title)'")
        }
        for digest in [model.model, model.parent].compactMap({ $0 }) {
            guard text.utf8.contains("`\(digest)`".utf8) else {
                throw wrong("it does not name \(digest)")
            }
        }
        return "of \(model.plan) version \(model.version)"
    }

    private func billOfMaterials(_ bytes: [UInt8]) throws(Fault) -> String {
        guard let json = CanonicalJSON(parsing: bytes), json["bomFormat"]?.text == "CycloneDX",
            let components = json["components"]?.elements, components.count == 1
        else { throw wrong("it is no CycloneDX document of one component") }
        let component = components[0]
        guard component["type"]?.text == "machine-learning-model",
            component["name"]?.text == model.plan.name,
            component["version"]?.text == "\(model.version)"
        else { throw wrong("its component is not \(model.plan) version \(model.version)") }
        guard component.hash == model.model.hex else {
            throw wrong("its hash is not that of \(LoggedModel.modelFile)")
        }
        let ancestors = component["pedigree"]?["ancestors"]?.elements ?? []
        guard ancestors.map(\.hash) == (model.parent.map { [$0.hex] } ?? []) else {
            throw wrong("it names another parent than the leaf does")
        }
        return "of \(model.plan) version \(model.version)"
    }
}

extension CanonicalJSON {
    /// A CycloneDX component's only hash, when that is a SHA-256.
    fileprivate var hash: String? {
        guard let hashes = self["hashes"]?.elements, hashes.count == 1,
            hashes[0]["alg"]?.text == "SHA-256"
        else { return nil }
        return hashes[0]["content"]?.text
    }
}

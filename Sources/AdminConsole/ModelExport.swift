import Cryptography
package import Federation
package import Wire

/// Where an exported model version lies: what a verifier, this project's or another, needs.
package struct ExportedModel: Sendable, Equatable {
    /// The directory with every signed file.
    package let modelDirectory: String
    /// The OpenSSF Model Signing bundle beside it.
    package let signature: String
    /// The signing key, SPKI PEM.
    package let publicKey: String
    package let version: UInt64
    /// On the coordinator's test data; nil when not measured.
    package let accuracy: Double?

    /// `model_dir`, `signature`, `public_key`, `version`, `accuracy`.
    package var json: JSONValue {
        .object([
            ("model_dir", .string(modelDirectory)), ("signature", .string(signature)),
            ("public_key", .string(publicKey)), ("version", .number(version)),
            ("accuracy", .measured(accuracy ?? -1)),
        ])
    }

    /// One line a path.
    package var text: String {
        keyValues([
            ("model", modelDirectory), ("signature", signature), ("public key", publicKey),
            ("version", String(version)), ("accuracy", fraction(accuracy ?? -1)),
        ])
    }
}

extension AdminSession where Stream: ~Copyable {
    /// Downloads every file of `model` to `output/PLAN-VERSION/`, its signature to
    /// `output/PLAN-VERSION.sig` and the signing key to `output/model-signing.pub`.
    ///
    /// - Parameter model: as `ModelShow` answers.
    /// - Throws: `invalid` when the record is incomplete, or names a file that would lie elsewhere;
    ///   else as `download`.
    package mutating func export(
        _ model: ModelRecord, to output: String
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
            try download(digest, size: file.size, to: "\(directory)/\(file.name)")
        }
        try download(signatureDigest, size: reference.signatureSize, to: directory + ".sig")
        let key = output + "/model-signing.pub"
        try CredentialFile.replace(key, model.publicKey, mode: CredentialFile.publicMode)
        return ExportedModel(
            modelDirectory: directory, signature: directory + ".sig", publicKey: key,
            version: reference.version, accuracy: model.accuracy < 0 ? nil : model.accuracy)
    }
}

/// Whether `name` is a file's name and not a path: it comes from the network and is written below
/// the user's directory.
private func isPlainName(_ name: String) -> Bool {
    !name.isEmpty && !name.hasPrefix(".") && !name.utf8.contains { $0 == 0x2f || $0 < 0x20 }
}

import Federation

/// The `[keys]` table of `coordinator.toml`: where the key that signs models is, and in which form it signs.
package struct CoordinatorKeys: Sendable, Equatable {
    /// The path of a PEM file, or a PKCS#11 URI.
    package var modelSigning: String
    /// Holds the passphrase of an encrypted key file.
    package var passphraseFile: String?
    /// Holds the PIN of a token whose URI names none.
    package var pinFile: String?
    /// What a model's signature says about its signer.
    package var signature: SignatureForm

    /// What names the signer in a model's signature.
    package enum SignatureForm: String, Sendable, CaseIterable {
        /// A digest of the bare public key.
        case key
        /// A certificate that the fleet's authority issued to it.
        case certificate
    }

    package init(
        modelSigning: String = standardFile, passphraseFile: String? = nil,
        pinFile: String? = nil, signature: SignatureForm = .key
    ) {
        self.modelSigning = modelSigning
        self.passphraseFile = passphraseFile
        self.pinFile = pinFile
        self.signature = signature
    }

    /// The file that `init` makes, in the state directory.
    package static let standardFile = "keys/model-signing.key"

    enum Key: String, SectionKey {
        case modelSigning = "model_signing"
        case passphraseFile = "passphrase_file"
        case pinFile = "pin_file"
        case signature
    }

    /// Reads the table, or takes every default without one.
    init(_ section: Section<Key>?, file: String) throws(Fault) {
        guard let section else {
            self.init(modelSigning: resolved(Self.standardFile, besides: file))
            return
        }
        let location = try section.text(
            .modelSigning, "the path of a key file or a PKCS#11 URI", default: Self.standardFile,
            where: isPath)
        let word = try section.word(
            .signature, SignatureForm.allCases.map(\.rawValue),
            default: SignatureForm.key.rawValue)
        self.init(
            modelSigning: location.hasPrefix("pkcs11:")
                ? location : resolved(location, besides: file),
            passphraseFile: try section.file(.passphraseFile),
            pinFile: try section.file(.pinFile), signature: SignatureForm(rawValue: word) ?? .key)
    }
}

extension Section {
    /// The path of a file, relative to this one's directory unless it is absolute; nil without one.
    func file(_ key: Key) throws(Fault) -> String? {
        guard has(key) else { return nil }
        return resolved(try text(key, "the path of a file", where: isPath), besides: file)
    }
}

private func isPath(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.allSatisfy { $0 >= 0x20 }
}

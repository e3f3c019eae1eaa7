import Configuration
import Cryptography
import Federation

/// Where the model-signing key is, and which files unlock it.
struct KeySource: Equatable {
    let location: KeyLocation
    let passphraseFile: String?
    let pinFile: String?

    init(location: KeyLocation, passphraseFile: String? = nil, pinFile: String? = nil) {
        self.location = location
        self.passphraseFile = passphraseFile
        self.pinFile = pinFile
    }

    /// What `[keys]` says, with paths from the root.
    ///
    /// - Throws: `Fault.invalid` for a PKCS#11 URI that is none.
    init(_ keys: CoordinatorKeys) throws(Fault) {
        var location = try KeyLocation(keys.modelSigning)
        if case .file(let path) = location { location = .file(absolute(path)) }
        self.init(
            location: location,
            passphraseFile: keys.passphraseFile.map(absolute), pinFile: keys.pinFile.map(absolute))
    }

    /// Reads what `write` wrote; nil when it has not been written yet.
    init?(file: String) throws(Fault) {
        let bytes: [UInt8]
        do throws(Fault) {
            bytes = try CredentialFile.read(file)
        } catch {
            guard error.code == .notFound else { throw error }
            return nil
        }
        let lines = String(decoding: bytes, as: UTF8.self).split(
            separator: "\n", omittingEmptySubsequences: false
        ).map(String.init)
        guard lines.count == 4 else {
            throw Fault(.storage, "\(file) is damaged", remedy: "restore it from a backup")
        }
        self.init(
            location: try KeyLocation(lines[0]),
            passphraseFile: lines[1].isEmpty ? nil : lines[1],
            pinFile: lines[2].isEmpty ? nil : lines[2])
    }

    /// Remembers this source in `file`: names only, no secret.
    func write(_ file: String) throws(Fault) {
        let lines = [location.text, passphraseFile ?? "", pinFile ?? ""]
        try CredentialFile.replace(
            file, Array(lines.map { $0 + "\n" }.joined().utf8), mode: CredentialFile.secretMode)
    }

    /// Reads the key, or reaches for it.
    func key() throws(Fault) -> PrivateKey {
        try location.key(passphraseFile: passphraseFile, pinFile: pinFile)
    }
}

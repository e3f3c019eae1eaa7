import Configuration
import Cryptography
import Federation
import Glibc
import Provenance
import Registry

extension KeyCustody {
    /// The key that signs models from now on: the configured one. If that is new, the one before signs it in.
    ///
    /// - Throws: `Fault.conflict` when the configured key is retired or the one before cannot sign; what reading a key
    ///   throws.
    mutating func settleModelKey() async throws(Fault) -> PrivateKey {
        let source = try KeySource(configuration.keys)
        if case .file(let file) = source.location { try await finishRotation(of: file, source) }
        let key = try source.key()
        try await handOver(to: key)
        try setAsideLastFile(unless: source)
        try remember(source)
        return key
    }

    /// Makes `key` the one that signs models, retires the others, and brings the trust set up to date.
    private mutating func handOver(to key: PrivateKey) async throws(Fault) {
        let digest = key.publicKey.spkiDigest
        let known = trust.trustSet.modelKeys.first { $0.key == key.publicKey }
        guard key.kind == .p256 || key.kind == .p384 else {
            throw Fault(
                .invalid, "models cannot be signed with a key on \(key.kind.rawValue)",
                remedy: "use one on P-256 or P-384")
        }
        guard known?.until == nil else {
            throw Fault(
                .conflict, "the model-signing key \(abbreviated(digest)) is retired",
                remedy: "name the current key in [keys] of coordinator.toml")
        }
        guard known == nil else { return try await followLog(using: [key]) }
        // Before a leaf is written it is certain that the trust set can follow.
        let previous = try previousKey()
        if try await history().modelKeys[digest]?.added == nil {
            try await record(
                .keyAdded,
                [
                    ("use", .text(KeyHistory.modelSigning)), ("key", .text(digest.hex)),
                    ("curve", .text(key.kind.rawValue)),
                ])
        }
        for old in trust.trustSet.activeModelKeys {
            try await record(
                .keyRetired,
                [("use", .text(KeyHistory.modelSigning)), ("key", .text(old.spkiDigest.hex))])
        }
        note("the key \(abbreviated(digest)) signs models from now on")
        try await followLog(using: [key, previous])
    }

    /// The private half of an active key of the trust set.
    private func previousKey() throws(Fault) -> PrivateKey {
        let source = try lastSource()
        let key: PrivateKey
        do throws(Fault) {
            key = try source.key()
        } catch {
            throw Fault(
                error.code,
                "the model-signing key used so far cannot sign its successor in: \(error.message)",
                remedy: error.remedy)
        }
        guard trust.trustSet.activeModelKeys.contains(key.publicKey) else {
            throw Fault(
                .conflict, "\(source.location) is not the model-signing key used so far",
                remedy: "restore that from a backup: without it devices must enrol again")
        }
        return key
    }

    /// Where the key was that signed models at the last start.
    private func lastSource() throws(Fault) -> KeySource {
        try KeySource(file: directory.keySourceFile)
            ?? KeySource(location: .file(absolute(directory.keyFile(.modelSigning))))
    }

    private func remember(_ source: KeySource) throws(Fault) {
        guard try KeySource(file: directory.keySourceFile) != source else { return }
        try source.write(directory.keySourceFile)
    }

    /// Renames the last start's key file in the state directory when its key is no longer used.
    private func setAsideLastFile(unless source: KeySource) throws(Fault) {
        let last = try lastSource()
        guard last.location != source.location, case .file(let file) = last.location,
            file.hasPrefix(absolute(directory.path) + "/keys/"), access(file, F_OK) == 0,
            let key = try? last.key().publicKey,
            !trust.trustSet.activeModelKeys.contains(key)
        else { return }
        try rename(file, to: retiredFile(file, key))
    }

    private func retiredFile(_ file: String, _ key: PublicKey) -> String {
        "\(file).\(abbreviated(key.spkiDigest)).retired"
    }
}

// Rotation of a key file.
extension KeyCustody {
    /// Replaces the key file by a new key. The old one's models stay verifiable.
    ///
    /// - Parameters:
    ///   - kind: the new key's curve; nil for that of the old one.
    ///   - passphraseFile: encrypts the new key; nil takes what the configuration names.
    ///   - destroysOld: deletes the old private key instead of setting it aside.
    mutating func rotateModelKey(
        _ kind: KeyKind?, passphraseFile: String?, destroysOld: Bool
    ) async throws(Fault) {
        let current = try KeySource(configuration.keys)
        guard case .file(let file) = current.location else {
            throw Fault(
                .conflict, "the model-signing key is on a token",
                remedy: "make the new key there, name it in [keys] of coordinator.toml, and start"
                    + " the coordinator: it hands over by itself")
        }
        // What an earlier rotation or a change of the configuration left open comes first.
        let old = try await settleModelKey()
        let secret = passphraseFile ?? current.passphraseFile
        let source = KeySource(location: current.location, passphraseFile: secret)
        try PrivateKey.generate(kind ?? old.kind).write(
            pemFile: nextFile(file), passphrase: try Passphrase.read(secret))
        try await finishRotation(of: file, source)
        try remember(source)
        let retired = retiredFile(file, old.publicKey)
        if destroysOld {
            guard unlink(retired) == 0 else { throw storageFault("delete \(retired)") }
            note("the old private key is deleted")
        } else {
            note("the old private key is kept in \(retired)")
        }
        if let secret, secret != current.passphraseFile {
            note(
                "before the next start, set passphrase_file = \"\(secret)\" in [keys] of \(directory.configurationFile)"
            )
        }
    }

    /// Takes the new key beside `file` into use, if there is one.
    private mutating func finishRotation(of file: String, _ source: KeySource) async throws(Fault) {
        let next = nextFile(file)
        guard access(next, F_OK) == 0 else { return }
        let key: PrivateKey
        do throws(Fault) {
            key = try KeySource(
                location: .file(next), passphraseFile: source.passphraseFile
            ).key()
        } catch {
            throw Fault(
                error.code,
                "a rotation was interrupted, and its new key cannot be read: \(error.message)",
                remedy: "set passphrase_file in [keys] to the one that `key rotate` was given")
        }
        try await handOver(to: key)
        // The set lists its keys in the order in which they were added.
        if access(file, F_OK) == 0,
            let old = trust.trustSet.modelKeys.last(where: { $0.until != nil })
        {
            try rename(file, to: retiredFile(file, old.key))
        }
        try rename(next, to: file)
    }

    private func nextFile(_ file: String) -> String { file + ".next" }

    private func rename(_ file: String, to name: String) throws(Fault) {
        guard Glibc.rename(file, name) == 0 else { throw storageFault("rename \(file)") }
    }
}

/// The beginning of a key's digest, which is enough for people.
func abbreviated(_ digest: Digest) -> String { String(digest.hex.prefix(8)) }

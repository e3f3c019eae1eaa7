import COpenSSL
package import Federation

/// A key that signs. Nothing but `pem` and `write(pemFile:)` ever shows its secret part.
package struct PrivateKey: Sendable {
    let handle: KeyHandle
    /// Its curve.
    package let kind: KeyKind
    /// The half that anybody may know.
    package let publicKey: PublicKey

    /// A fresh key from the cryptographic random generator.
    package static func generate(_ kind: KeyKind) throws(Fault) -> PrivateKey {
        let made =
            switch kind {
            case .p256, .p384, .p521: tributary_generate_ec(kind.rawValue)
            case .ed25519: tributary_generate_ed25519()
            }
        guard let made else { throw libraryFault("make a \(kind.rawValue) key") }
        return try PrivateKey(KeyHandle(owning: made))
    }

    /// Reads an unencrypted PKCS#8 or SEC 1 key.
    ///
    /// - Throws: `Fault.invalid` for anything else, an encrypted key or a kind that Tributary does
    ///   not use.
    package init(pem: String) throws(Fault) {
        // Without a callback of ours OpenSSL would ask for a passphrase on the terminal.
        let read = withReader(of: Array(pem.utf8)) { bio in
            PEM_read_bio_PrivateKey(bio, nil, { _, _, _, _ in -1 }, nil)
        }
        guard let read else {
            throw Fault(
                .invalid, "this is not an unencrypted private key in PEM",
                remedy: "an encrypted key can be decrypted with `openssl pkey`")
        }
        try self.init(KeyHandle(owning: read))
    }

    /// Reads a key file.
    ///
    /// - Throws: `Fault.notFound`, `Fault.storage`, or `Fault.invalid` naming the file.
    package init(pemFile path: String) throws(Fault) {
        let bytes = try CredentialFile.read(path)
        do { try self.init(pem: String(decoding: bytes, as: UTF8.self)) } catch {
            throw error.about(path)
        }
    }

    private init(_ handle: KeyHandle) throws(Fault) {
        guard let kind = handle.kind else {
            throw Fault(
                .invalid, "this kind of private key is not used here",
                remedy: "use a P-256 or Ed25519 key")
        }
        self.handle = handle
        self.kind = kind
        publicKey = try PublicKey(ofPrivate: handle)
    }

    /// The key as unencrypted PKCS#8.
    package func pem() throws(Fault) -> String {
        let bytes = bytesWritten {
            PEM_write_bio_PKCS8PrivateKey($0, handle.pointer, nil, nil, 0, nil, nil)
        }
        guard let bytes else { throw libraryFault("write a private key") }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Writes the key as unencrypted PKCS#8 into a new file that only its owner can read.
    ///
    /// - Throws: `Fault.conflict` when the file exists, `Fault.storage`.
    package func write(pemFile path: String) throws(Fault) {
        try CredentialFile.create(path, Array(pem().utf8), mode: CredentialFile.secretMode)
    }

    /// A signature of `message`: ECDSA in DER with the SHA-2 of the curve's size (SHA-256 for
    /// P-256), or Ed25519.
    package func sign(_ message: [UInt8]) throws(Fault) -> [UInt8] {
        guard let context = EVP_MD_CTX_new() else { throw libraryFault("sign") }
        defer { EVP_MD_CTX_free(context) }
        var length = 0
        guard
            EVP_DigestSignInit(context, nil, handle.signatureDigest, nil, handle.pointer) == 1,
            EVP_DigestSign(context, nil, &length, message, message.count) == 1
        else { throw libraryFault("sign") }
        var signature = [UInt8](repeating: 0, count: length)
        guard EVP_DigestSign(context, &signature, &length, message, message.count) == 1 else {
            throw libraryFault("sign")
        }
        return Array(signature.prefix(length))
    }
}

extension Fault {
    /// The same fault, naming the file or peer that it is about.
    func about(_ subject: String) -> Fault { Fault(code, "\(subject): \(message)", remedy: remedy) }
}

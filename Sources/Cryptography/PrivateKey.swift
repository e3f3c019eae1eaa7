import COpenSSL
package import Federation

/// A key that signs. Nothing but `pem` and `write(pemFile:)` ever shows its secret part.
package struct PrivateKey: Sendable {
    /// OpenSSL's object.
    package let handle: KeyHandle
    /// Its curve.
    package let kind: KeyKind
    /// The half that anybody may know.
    package let publicKey: PublicKey
    /// Whether a token holds the secret part, so that it cannot be written.
    package let isOnToken: Bool

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

    /// Reads a PKCS#8 or SEC 1 key; never asks for a passphrase.
    ///
    /// - Parameter passphrase: decrypts the key; nil for one that is not encrypted.
    /// - Throws: `Fault.invalid` for anything else, a kind that Tributary does not use, or a
    ///   passphrase that is missing or wrong.
    package init(pem: String, passphrase: Passphrase? = nil) throws(Fault) {
        var wasAsked = false
        let read = withReader(of: Array(pem.utf8)) { bio in
            (passphrase?.bytes ?? []).withUnsafeBufferPointer { bytes in
                var given = tributary_passphrase(
                    bytes: passphrase == nil ? nil : bytes.baseAddress, count: Int32(bytes.count),
                    was_asked: 0)
                defer { wasAsked = given.was_asked != 0 }
                return tributary_read_private_key(bio, &given)
            }
        }
        guard let read else {
            throw PrivateKey.unreadable(encrypted: wasAsked, hasPassphrase: passphrase != nil)
        }
        try self.init(KeyHandle(owning: read))
    }

    private static func unreadable(encrypted: Bool, hasPassphrase: Bool) -> Fault {
        guard encrypted else {
            return Fault(
                .invalid, "this is not a private key in PEM",
                remedy: "`openssl pkey` writes one from other formats")
        }
        guard hasPassphrase else {
            return Fault(
                .invalid, "this private key is encrypted, and there is no passphrase for it",
                remedy: "name the file that holds its passphrase, or decrypt it with `openssl pkey`"
            )
        }
        return Fault(
            .invalid, "this private key does not decrypt with the passphrase given",
            remedy: "check the passphrase file: it holds the passphrase and nothing else")
    }

    /// Reads a key file.
    ///
    /// - Throws: `Fault.notFound`, `Fault.storage`, or `Fault.invalid` naming the file.
    package init(pemFile path: String, passphrase: Passphrase? = nil) throws(Fault) {
        let bytes = try CredentialFile.read(path)
        do {
            try self.init(pem: String(decoding: bytes, as: UTF8.self), passphrase: passphrase)
        } catch {
            throw error.about(path)
        }
    }

    init(_ handle: KeyHandle, isOnToken: Bool = false) throws(Fault) {
        guard let kind = handle.kind else {
            throw Fault(
                .invalid, "this kind of private key is not used here",
                remedy: "use a P-256, P-384 or Ed25519 key")
        }
        self.handle = handle
        self.kind = kind
        self.isOnToken = isOnToken
        publicKey = try PublicKey(ofPrivate: handle)
    }

    /// The key as PKCS#8, encrypted when there is a passphrase (AES-256, scrypt).
    ///
    /// - Throws: `Fault.invalid` for a key on a token.
    package func pem(passphrase: Passphrase? = nil) throws(Fault) -> String {
        guard !isOnToken else {
            throw Fault(.invalid, "a key on a token cannot be written to a file")
        }
        let bytes = bytesWritten { bio in
            guard let passphrase else {
                return PEM_write_bio_PKCS8PrivateKey(bio, handle.pointer, nil, nil, 0, nil, nil)
            }
            let secret = passphrase.bytes
            return tributary_write_encrypted_key(
                bio, handle.pointer, secret, Int32(secret.count))
        }
        guard let bytes else { throw libraryFault("write a private key") }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Writes the key as PKCS#8 into a new file that only its owner can read, encrypted when there
    /// is a passphrase.
    ///
    /// - Throws: `Fault.conflict` when the file exists, `Fault.storage`.
    package func write(pemFile path: String, passphrase: Passphrase? = nil) throws(Fault) {
        try CredentialFile.create(
            path, Array(pem(passphrase: passphrase).utf8), mode: CredentialFile.secretMode)
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

import COpenSSL
package import Federation

/// A key that checks signatures. Two are equal when their SubjectPublicKeyInfo is.
package struct PublicKey: Sendable, Hashable {
    let handle: KeyHandle
    /// nil for a kind of key that Tributary does not use, which can come only from a foreign
    /// certificate.
    package let kind: KeyKind?
    /// SubjectPublicKeyInfo in DER.
    package let spki: [UInt8]
    /// SubjectPublicKeyInfo in PEM, final newline included.
    package let pem: String

    /// Reads a SubjectPublicKeyInfo in PEM.
    ///
    /// - Throws: `Fault.invalid` for anything else, or a kind that Tributary does not use.
    package init(pem: String) throws(Fault) {
        let read = withReader(of: Array(pem.utf8)) { bio in
            PEM_read_bio_PUBKEY(bio, nil, { _, _, _, _ in -1 }, nil)
        }
        guard let read else {
            throw Fault(
                .invalid, "this is not a public key in PEM",
                remedy: "`openssl pkey -in KEY -pubout` writes one")
        }
        let handle = KeyHandle(owning: read)
        guard handle.kind != nil else {
            throw Fault(
                .invalid, "this kind of public key is not used here",
                remedy: "use a P-256, P-384 or Ed25519 key")
        }
        try self.init(handle)
    }

    /// Reads a public-key file.
    ///
    /// - Throws: `Fault.notFound`, `Fault.storage`, or `Fault.invalid` naming the file.
    package init(pemFile path: String) throws(Fault) {
        let bytes = try CredentialFile.read(path)
        do { try self.init(pem: String(decoding: bytes, as: UTF8.self)) } catch {
            throw error.about(path)
        }
    }

    /// Takes over a key that may hold a secret part too, leaving that behind.
    init(ofPrivate handle: KeyHandle) throws(Fault) {
        guard let spki = derBytes({ i2d_PUBKEY(handle.pointer, $0) }),
            let pointer = fromDER(spki, { d2i_PUBKEY(nil, $0, $1) }, free: EVP_PKEY_free)
        else { throw libraryFault("take the public part of a key") }
        try self.init(KeyHandle(owning: pointer))
    }

    init(_ handle: KeyHandle) throws(Fault) {
        guard let spki = derBytes({ i2d_PUBKEY(handle.pointer, $0) }),
            let pem = bytesWritten({ PEM_write_bio_PUBKEY($0, handle.pointer) })
        else { throw libraryFault("write a public key") }
        self.handle = handle
        self.spki = spki
        self.pem = String(decoding: pem, as: UTF8.self)
        kind = handle.kind
    }

    /// SHA-256 of the SubjectPublicKeyInfo; enrolment tokens pin it.
    package var spkiDigest: Digest { SHA256.digest(of: spki) }

    /// Whether `signature` is this key's for `message`, as `PrivateKey.sign` makes it. Any bytes
    /// are safe to pass.
    package func verifies(_ signature: [UInt8], of message: [UInt8]) -> Bool {
        guard kind != nil, let context = EVP_MD_CTX_new() else { return false }
        defer {
            EVP_MD_CTX_free(context)
            ERR_clear_error()
        }
        return EVP_DigestVerifyInit(context, nil, handle.signatureDigest, nil, handle.pointer) == 1
            && EVP_DigestVerify(
                context, signature, signature.count, message, message.count) == 1
    }

    package static func == (left: PublicKey, right: PublicKey) -> Bool { left.spki == right.spki }
    package func hash(into hasher: inout Hasher) { hasher.combine(spki) }
}

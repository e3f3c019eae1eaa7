import COpenSSL
package import Federation

/// A PKCS#10 request: a public key, and the proof that who asks holds its private half.
///
/// The name in it is not used; the coordinator gives the identity.
package struct CertificateRequest: Sendable {
    /// The key that a certificate is wanted for.
    package let publicKey: PublicKey

    /// A request for `key`, in DER.
    package static func make(key: PrivateKey) throws(Fault) -> [UInt8] {
        guard let request = X509_REQ_new() else { throw libraryFault("make a request") }
        defer { X509_REQ_free(request) }
        guard X509_REQ_set_version(request, 0) == 1,
            X509_NAME_add_entry_by_txt(
                X509_REQ_get_subject_name(request), "CN", MBSTRING_UTF8, "tributary", -1, -1, 0)
                == 1,
            X509_REQ_set_pubkey(request, key.handle.pointer) == 1,
            X509_REQ_sign(request, key.handle.pointer, key.handle.signatureDigest) > 0,
            let der = derBytes({ i2d_X509_REQ(request, $0) })
        else { throw libraryFault("sign a certificate request") }
        return der
    }

    /// Parses a request and checks its signature.
    ///
    /// - Throws: `Fault.invalid` when it does not parse or its key is not on P-256 or a larger NIST
    ///   curve, `Fault.untrusted` when the signature is not that key's.
    package init(der: [UInt8]) throws(Fault) {
        let remedy = "make the request with `tributary-agent enroll`"
        let damaged = Fault(.invalid, "the certificate request does not parse", remedy: remedy)
        guard let request = fromDER(der, { d2i_X509_REQ(nil, $0, $1) }, free: X509_REQ_free) else {
            throw damaged
        }
        defer {
            X509_REQ_free(request)
            ERR_clear_error()
        }
        guard let key = X509_REQ_get_pubkey(request) else { throw damaged }
        publicKey = try PublicKey(KeyHandle(owning: key))
        guard let kind = publicKey.kind, kind != .ed25519 else {
            throw Fault(
                .invalid, "the certificate request's key is not on P-256 or a larger NIST curve",
                remedy: remedy)
        }
        guard X509_REQ_verify(request, key) == 1 else {
            throw Fault(
                .untrusted, "the certificate request is not signed by its own key", remedy: remedy)
        }
    }
}

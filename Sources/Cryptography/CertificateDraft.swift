import COpenSSL
import Federation

/// A certificate while it is being made, or an issuer's as its drafts look at it.
struct CertificateDraft {
    private let handle: CertificateHandle

    /// An existing certificate, to be an issuer.
    init(_ certificate: Certificate) { handle = certificate.handle }

    /// A version 3 draft for `key` with a random 128-bit serial number.
    init(key: PublicKey) throws(Fault) {
        guard let pointer = X509_new() else { throw libraryFault("make a certificate") }
        handle = CertificateHandle(owning: pointer)
        var random = SystemRandom()
        var serial = random.bytes(16)
        // Positive and 16 bytes long in DER: the first bit clear, the one after it set.
        serial[0] = serial[0] & 0x7f | 0x40
        guard X509_set_version(pointer, 2) == 1,
            X509_set_pubkey(pointer, key.handle.pointer) == 1,
            let number = BN_bin2bn(serial, Int32(serial.count), nil)
        else { throw libraryFault("make a certificate") }
        defer { BN_free(number) }
        guard BN_to_ASN1_INTEGER(number, X509_get_serialNumber(pointer)) != nil else {
            throw libraryFault("number a certificate")
        }
    }

    func setSubject(organisation: String?, name: String) throws(Fault) {
        let subject = X509_get_subject_name(handle.pointer)
        var entries = [("CN", name)]
        if let organisation { entries.insert(("O", organisation), at: 0) }
        for (field, value) in entries {
            guard
                X509_NAME_add_entry_by_txt(subject, field, MBSTRING_UTF8, value, -1, -1, 0) == 1
            else { throw libraryFault("name a certificate") }
        }
    }

    func setIssuer(_ issuer: CertificateDraft) throws(Fault) {
        let name = X509_get_subject_name(issuer.handle.pointer)
        guard X509_set_issuer_name(handle.pointer, name) == 1 else {
            throw libraryFault("name a certificate's issuer")
        }
    }

    /// First and last second, Unix time.
    func setValidity(notBefore: Int64, notAfter: Int64) throws(Fault) {
        guard ASN1_TIME_set(X509_getm_notBefore(handle.pointer), Int(notBefore)) != nil,
            ASN1_TIME_set(X509_getm_notAfter(handle.pointer), Int(notAfter)) != nil
        else { throw libraryFault("date a certificate") }
    }

    /// Adds the extension `identifier` with a value in the notation of x509v3_config(5).
    func extend(
        _ identifier: Int32, _ value: String, issuer: CertificateDraft
    ) throws(Fault) {
        var context = X509V3_CTX()
        X509V3_set_ctx(&context, issuer.handle.pointer, handle.pointer, nil, nil, 0)
        guard let made = X509V3_EXT_nconf_nid(nil, &context, identifier, value) else {
            throw libraryFault("make the certificate extension '\(value)'")
        }
        defer { X509_EXTENSION_free(made) }
        guard X509_add_ext(handle.pointer, made, -1) == 1 else {
            throw libraryFault("add a certificate extension")
        }
    }

    /// The finished certificate.
    func signed(by key: PrivateKey) throws(Fault) -> Certificate {
        guard X509_sign(handle.pointer, key.handle.pointer, key.handle.signatureDigest) > 0 else {
            throw libraryFault("sign a certificate")
        }
        // Parsed anew: the draft's object keeps stale caches.
        guard let der = derBytes({ i2d_X509(handle.pointer, $0) }) else {
            throw libraryFault("write a certificate")
        }
        return try Certificate(der: der)
    }
}

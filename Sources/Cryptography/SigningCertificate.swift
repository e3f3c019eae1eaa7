import COpenSSL
package import Federation

extension CertificateAuthority {
    /// A certificate for the key that signs this fleet's models; good for nothing else.
    ///
    /// Its name, `tributary://<fleet>/model-signing`, is no identity: nobody speaks to the
    /// coordinator with it.
    ///
    /// - Throws: `Fault.invalid` when `days` is not positive.
    package func issueSigning(
        fleet: String, key: PublicKey, days: Int, nowUnix: Int64
    ) throws(Fault) -> Certificate {
        try issue(
            name: "Tributary model signing",
            alternativeNames: "URI:tributary://\(fleet)/model-signing", usage: "codeSigning",
            key: key, seconds: Int64(days) * Self.secondsPerDay, nowUnix: nowUnix)
    }
}

extension Certificate {
    /// Whether the certificate says that its key signs: digital signatures, of code. A device's or
    /// a server's own certificate does not.
    package var isForSigning: Bool {
        let usage = X509_get_key_usage(handle.pointer)
        let extended = X509_get_extended_key_usage(handle.pointer)
        // Without the extension OpenSSL says that everything is allowed.
        return usage != .max && usage & UInt32(KU_DIGITAL_SIGNATURE) != 0
            && extended != .max && extended & UInt32(XKU_CODE_SIGN) != 0
    }

    /// Why no chain leads from this certificate, over some of `intermediates`, to one of
    /// `authorities`; nil when one does. Validity periods are not looked at: what counts for a
    /// signature is when it was logged.
    package func chainProblem(
        intermediates: [Certificate], authorities: [Certificate]
    ) -> String? {
        guard let store = X509_STORE_new(), let context = X509_STORE_CTX_new(),
            let untrusted = tributary_certificates_new()
        else { return "memory is short" }
        defer {
            tributary_certificates_free(untrusted)
            X509_STORE_CTX_free(context)
            X509_STORE_free(store)
            ERR_clear_error()
        }
        for authority in authorities { X509_STORE_add_cert(store, authority.handle.pointer) }
        for certificate in intermediates {
            guard tributary_certificates_push(untrusted, certificate.handle.pointer) > 0 else {
                return "memory is short"
            }
        }
        guard X509_STORE_CTX_init(context, store, handle.pointer, untrusted) == 1,
            let parameters = X509_STORE_CTX_get0_param(context)
        else { return "memory is short" }
        X509_VERIFY_PARAM_set_flags(parameters, UInt(X509_V_FLAG_NO_CHECK_TIME))
        guard X509_verify_cert(context) != 1 else { return nil }
        let error = Int(X509_STORE_CTX_get_error(context))
        return String(cString: X509_verify_cert_error_string(error))
    }
}

import COpenSSL
import Federation

/// Checks a certificate against the authorities that are trusted, and nothing else: the system's
/// store is not used.
package struct ChainVerification {
    /// Who may have signed.
    package let authorities: [Certificate]
    /// Whether every validity period must hold now, by the system clock.
    package var checksTime = true
    /// When set, the certificate must be for a TLS server of this name or address.
    package var serverHost: String?

    package init(
        authorities: [Certificate], checksTime: Bool = true, serverHost: String? = nil
    ) {
        self.authorities = authorities
        self.checksTime = checksTime
        self.serverHost = serverHost
    }

    /// nil when `leaf` is trusted, otherwise OpenSSL's verification error (`X509_V_ERR_...`).
    package func verify(_ leaf: Certificate) -> Int32? {
        guard let store = X509_STORE_new() else { return X509_V_ERR_OUT_OF_MEM }
        defer { X509_STORE_free(store) }
        add(to: store)
        guard let context = X509_STORE_CTX_new() else { return X509_V_ERR_OUT_OF_MEM }
        defer {
            X509_STORE_CTX_free(context)
            ERR_clear_error()
        }
        guard X509_STORE_CTX_init(context, store, leaf.handle.pointer, nil) == 1,
            let parameters = X509_STORE_CTX_get0_param(context)
        else { return X509_V_ERR_UNSPECIFIED }
        if !checksTime { X509_VERIFY_PARAM_set_flags(parameters, UInt(X509_V_FLAG_NO_CHECK_TIME)) }
        if let serverHost {
            guard X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_SSL_SERVER) == 1,
                ChainVerification.expect(host: serverHost, parameters)
            else { return X509_V_ERR_UNSPECIFIED }
        }
        return X509_verify_cert(context) == 1 ? nil : X509_STORE_CTX_get_error(context)
    }

    /// Adds the trusted authorities to `store`, which takes references of its own.
    package func add(to store: OpaquePointer) {
        for authority in authorities { X509_STORE_add_cert(store, authority.handle.pointer) }
    }

    /// Makes verification demand that the certificate names `host`; false when that cannot be set.
    package static func expect(host: String, _ parameters: OpaquePointer) -> Bool {
        // Names count only where they belong, in the SAN; a subject's CN is free text.
        X509_VERIFY_PARAM_set_hostflags(
            parameters, UInt32(X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_WILDCARDS))
        if isAddress(host) { return X509_VERIFY_PARAM_set1_ip_asc(parameters, host) == 1 }
        return X509_VERIFY_PARAM_set1_host(parameters, host, host.utf8.count) == 1
    }
}

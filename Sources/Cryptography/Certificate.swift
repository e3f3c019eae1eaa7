import COpenSSL
package import Federation
import Glibc

/// Owns one `X509`.
///
/// Sendable because a certificate is never changed once it is here; OpenSSL guards the extension
/// values that it caches with a lock of its own.
package final class CertificateHandle: @unchecked Sendable {
    /// The certificate, for as long as this object lives.
    package let pointer: OpaquePointer

    /// Takes over the caller's reference.
    package init(owning pointer: OpaquePointer) { self.pointer = pointer }

    deinit { X509_free(pointer) }
}

/// An X.509 certificate. That it parses says nothing about who signed it.
package struct Certificate: Sendable, Hashable {
    /// OpenSSL's object.
    package let handle: CertificateHandle
    /// The certificate's exact bytes.
    package let der: [UInt8]
    /// The key of whoever it is about.
    package let publicKey: PublicKey
    /// First second of its validity, Unix time.
    package let notBeforeUnix: Int64
    /// Last second of its validity, Unix time.
    package let notAfterUnix: Int64

    /// Parses one certificate.
    ///
    /// - Throws: `Fault.invalid` unless `der` is exactly one certificate.
    package init(der: [UInt8]) throws(Fault) {
        guard let pointer = fromDER(der, { d2i_X509(nil, $0, $1) }, free: X509_free) else {
            throw Fault(.invalid, "these bytes are not an X.509 certificate")
        }
        try self.init(CertificateHandle(owning: pointer))
    }

    /// Reads the first certificate in `pem`.
    ///
    /// - Throws: `Fault.invalid` when there is none.
    package init(pem: String) throws(Fault) {
        self = try Certificate.chain(pem: pem)[0]
    }

    /// Reads a certificate file.
    ///
    /// - Throws: `Fault.notFound`, `Fault.storage`, or `Fault.invalid` naming the file.
    package init(pemFile path: String) throws(Fault) {
        self = try Certificate.chain(pemFile: path)[0]
    }

    /// Reads every certificate in a file, in order.
    ///
    /// - Throws: `Fault.notFound`, `Fault.storage`, or `Fault.invalid` naming the file.
    package static func chain(pemFile path: String) throws(Fault) -> [Certificate] {
        let bytes = try CredentialFile.read(path)
        do { return try chain(pem: String(decoding: bytes, as: UTF8.self)) } catch {
            throw error.about(path)
        }
    }

    /// Every certificate in `pem`, in order.
    ///
    /// - Throws: `Fault.invalid` when there is none.
    package static func chain(pem: String) throws(Fault) -> [Certificate] {
        let pointers = withReader(of: Array(pem.utf8)) { bio in
            var found: [CertificateHandle] = []
            while let next = PEM_read_bio_X509(bio, nil, { _, _, _, _ in -1 }, nil) {
                found.append(CertificateHandle(owning: next))
            }
            return found
        }
        guard let pointers, !pointers.isEmpty else {
            throw Fault(
                .invalid, "there is no certificate in PEM here",
                remedy: "it begins with -----BEGIN CERTIFICATE-----")
        }
        var certificates: [Certificate] = []
        for pointer in pointers { certificates.append(try Certificate(pointer)) }
        return certificates
    }

    /// Reads what it is about.
    ///
    /// - Throws: `Fault.invalid` when it has no usable key or validity period.
    package init(_ handle: CertificateHandle) throws(Fault) {
        guard let der = derBytes({ i2d_X509(handle.pointer, $0) }),
            let key = X509_get_pubkey(handle.pointer).map({ KeyHandle(owning: $0) }),
            let notBefore = unixTime(X509_get0_notBefore(handle.pointer)),
            let notAfter = unixTime(X509_get0_notAfter(handle.pointer))
        else {
            ERR_clear_error()
            throw Fault(.invalid, "the certificate has no usable key or validity period")
        }
        self.handle = handle
        self.der = der
        publicKey = try PublicKey(key)
        notBeforeUnix = notBefore
        notAfterUnix = notAfter
    }

    /// When it was issued, Unix time, if an authority of a fleet issued it.
    package var issuedUnix: Int64 { notBeforeUnix + CertificateAuthority.backdatedSeconds }

    /// The certificate in PEM, final newline included.
    package var pem: String {
        let bytes = bytesWritten { PEM_write_bio_X509($0, handle.pointer) }
        return String(decoding: bytes ?? [], as: UTF8.self)
    }

    /// Writes the certificate in PEM, in place of an older one.
    ///
    /// - Throws: `Fault.storage`.
    package func write(pemFile path: String) throws(Fault) {
        try CredentialFile.replace(path, Array(pem.utf8), mode: CredentialFile.publicMode)
    }

    /// Serial number as lower-case hexadecimal, two digits a byte; revocation names it.
    package var serial: String {
        guard let number = X509_get0_serialNumber(handle.pointer),
            let data = ASN1_STRING_get0_data(number)
        else { return "" }
        let count = Int(ASN1_STRING_length(number))
        return hexadecimal(UnsafeBufferPointer(start: data, count: count))
    }

    /// Who the certificate speaks for: its one SAN URI; nil without one, with several, or with a
    /// foreign one.
    package var identity: Identity? {
        let uris = alternativeNames.filter { $0.kind == .uri }
        guard uris.count == 1, let uri = uris.first else { return nil }
        return Identity(uri: uri.text)
    }

    /// The DNS names and IP addresses that a server with this certificate may be reached under.
    package var hostNames: [String] {
        alternativeNames.filter { $0.kind != .uri }.map(\.text)
    }

    /// The subject on one line, as in `O = fleet, CN = name`, control characters escaped.
    package var subject: String {
        let bytes = bytesWritten {
            tributary_print_name($0, X509_get_subject_name(handle.pointer))
        }
        return String(decoding: bytes ?? [], as: UTF8.self)
    }

    /// Whether the certificate may sign others.
    package var isAuthority: Bool { X509_check_ca(handle.pointer) == 1 }

    /// Whether one of `authorities` signed it and was allowed to. Says nothing about validity
    /// periods.
    package func isSigned(by authorities: [Certificate]) -> Bool {
        let chain = ChainVerification(authorities: authorities, checksTime: false)
        return chain.verify(self) == nil
    }

    package static func == (left: Certificate, right: Certificate) -> Bool { left.der == right.der }
    package func hash(into hasher: inout Hasher) { hasher.combine(der) }
}

/// `time` in Unix seconds; nil when it is no date.
private func unixTime(_ time: UnsafePointer<ASN1_TIME>?) -> Int64? {
    var parts = tm()
    guard let time, ASN1_TIME_to_tm(time, &parts) == 1 else { return nil }
    return Int64(timegm(&parts))
}

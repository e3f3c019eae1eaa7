package import Cryptography
import Federation
import Logging
package import Provenance
import Wire

/// When a device's certificate is due for renewal.
package enum Renewal {
    /// The Unix time from which a certificate is to be renewed: at two thirds to three quarters of its life. Where in
    /// between depends on the certificate alone, so that a fleet enrolled in one day does not renew at one instant, and a
    /// restart changes nothing.
    package static func dueUnix(_ certificate: Certificate) -> Int64 {
        let life = max(0, certificate.notAfterUnix - certificate.issuedUnix)
        let spread = Double(SHA256.digest(of: certificate.der).bytes[0]) / 256
        return certificate.issuedUnix + Int64(Double(life) * (2.0 / 3 + spread / 12))
    }

    /// Whether to ask for a new certificate now: for its age, or because another authority issues certificates now.
    ///
    /// - Parameter unixSeconds: this device's wall clock.
    package static func isDue(
        _ certificate: Certificate, trust: TrustSet, unixSeconds: UInt64
    ) -> Bool {
        let isOfIssuer = certificate.isSigned(by: Array(trust.authorities.prefix(1)))
        return !isOfIssuer || Int64(clamping: unixSeconds) >= dueUnix(certificate)
    }
}

extension Agent {
    /// Whether to ask for a new certificate now.
    var renewalIsDue: Bool {
        Renewal.isDue(
            enrolment.certificate, trust: enrolment.trustSet, unixSeconds: clock.unixSeconds)
    }

    /// Has a certificate issued for a new key and stores both; the connection at hand goes on with the old ones.
    mutating func renewCertificate() throws(Setback) {
        let (key, request) = try locally { () throws(Fault) in
            let key = try PrivateKey.generate(.p256)
            return (key, try CertificateRequest.make(key: key))
        }
        let answer = try link.exchange(.renewRequest(RenewRequest(certificateRequest: request)))
        guard case .renewResponse(let response) = answer else { throw link.unexpected() }
        try locally { () throws(Fault) in
            let certificate = try Certificate(der: response.certificate)
            let renewed = try enrolment.renewed(certificate, key: key)
            try RenewedIdentity.store(certificate, key: key, in: directory)
            enrolment = renewed
        }
        log.notice(
            "certificate renewed",
            metadata: ["until": "\(dateText(enrolment.certificate.notAfterUnix))"])
    }
}

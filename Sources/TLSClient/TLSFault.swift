import COpenSSL
import Cryptography
import Federation
import Glibc

/// Turns what OpenSSL reports about a connection into its cause and remedy.
enum TLSFault {
    /// The fault for the error that a TLS call left in OpenSSL's queue, which is drained.
    ///
    /// - Parameters:
    ///   - verifyResult: `SSL_get_verify_result` of the connection.
    ///   - sent: the server's certificates, as far as they came.
    static func fromQueue(
        verifyResult: Int, sent: [Certificate], peer: NetworkAddress
    ) -> Fault {
        let code = ERR_get_error()
        let words = ERR_reason_error_string(code).map { String(cString: $0) } ?? "no reason given"
        ERR_clear_error()
        let reason = ERR_GET_REASON(code)
        // An alert that the peer sent has the reason 1000 + its number (RFC 8446, section 6).
        if (1001..<1256).contains(reason) { return alert(reason - 1000, words, peer) }
        switch reason {
        case SSL_R_CERTIFICATE_VERIFY_FAILED:
            return certificate(
                code: Int32(truncatingIfNeeded: verifyResult), sent: sent, peer: peer)
        case SSL_R_WRONG_VERSION_NUMBER, SSL_R_PACKET_LENGTH_TOO_LONG, SSL_R_BAD_RECORD_TYPE,
            SSL_R_BAD_PACKET_LENGTH, SSL_R_HTTP_REQUEST, SSL_R_UNEXPECTED_MESSAGE:
            return noTLS(peer)
        case SSL_R_UNSUPPORTED_PROTOCOL, SSL_R_WRONG_SSL_VERSION:
            return noCommonVersion(peer)
        case SSL_R_UNEXPECTED_EOF_WHILE_READING:
            return closed(peer)
        default:
            return Fault(
                .unavailable, "TLS with \(peer) failed: \(words)",
                remedy: "check that this is a Tributary coordinator's port")
        }
    }

    /// Why verification refused the server's certificate.
    ///
    /// - Parameter code: one of OpenSSL's `X509_V_ERR_...`.
    static func certificate(code: Int32, sent: [Certificate], peer: NetworkAddress) -> Fault {
        let leaf = sent.first
        switch code {
        case X509_V_ERR_CERT_NOT_YET_VALID:
            return Fault(
                .untrusted,
                "the certificate of \(peer) is not valid before \(date(leaf?.notBeforeUnix)); this"
                    + " machine's clock says \(date(now()))",
                remedy: "set the clock of this machine, then of the coordinator's, right")
        case X509_V_ERR_CERT_HAS_EXPIRED:
            return Fault(
                .untrusted,
                "the certificate of \(peer) expired on \(date(leaf?.notAfterUnix)); this machine's"
                    + " clock says \(date(now()))",
                remedy: "check this machine's clock; if it is right, renew the coordinator's"
                    + " certificate")
        case X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH:
            let names = leaf?.hostNames ?? []
            return Fault(
                .untrusted,
                "the coordinator's certificate is not for '\(peer.host)', only for "
                    + (names.isEmpty ? "no host at all" : names.joined(separator: ", ")),
                remedy:
                    "connect by one of the names it has, or issue it a certificate with this one")
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN,
            X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
            X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, X509_V_ERR_CERT_SIGNATURE_FAILURE,
            X509_V_ERR_CERT_UNTRUSTED:
            let signer = sent.count > 1 ? " (\(sent[sent.count - 1].subject))" : ""
            return Fault(
                .untrusted,
                "the coordinator at \(peer) belongs to another fleet: its certificate is signed by"
                    + " another authority\(signer)",
                remedy:
                    "check the address; if the fleet was set up anew, or its authority was replaced"
                    + " while this machine was away, a device must enrol again and a person needs a"
                    + " new credential")
        case X509_V_ERR_INVALID_PURPOSE:
            return Fault(
                .untrusted, "the certificate of \(peer) is not a server's",
                remedy: "check that this is the coordinator's address")
        default:
            let words = X509_verify_cert_error_string(Int(code)).map { String(cString: $0) }
            return Fault(
                .untrusted, "the certificate of \(peer) is refused: \(words ?? "error \(code)")",
                remedy: "check that this is the coordinator's address")
        }
    }

    static func noTLS(_ peer: NetworkAddress) -> Fault {
        Fault(
            .unavailable, "\(peer) does not speak TLS",
            remedy: "check the port, and that no plain-text proxy is in between")
    }

    static func noCommonVersion(_ peer: NetworkAddress) -> Fault {
        Fault(
            .unavailable, "\(peer) does not offer TLS 1.3, the only version used here",
            remedy: "check that this is the coordinator itself and not an older proxy")
    }

    static func noCommonProtocol(_ peer: NetworkAddress) -> Fault {
        Fault(
            .unavailable, "\(peer) speaks TLS, but not the protocol \(applicationProtocol)",
            remedy: "check that this is the coordinator's port, and update the older side")
    }

    static func closed(_ peer: NetworkAddress) -> Fault {
        Fault(
            .unavailable, "\(peer) closed the connection without notice",
            remedy: "try again; if it goes on, look into the coordinator's log")
    }

    static func broken(_ peer: NetworkAddress, code: Int32) -> Fault {
        Fault(
            .unavailable, "the connection to \(peer) broke: \(systemError(code))",
            remedy: "try again")
    }

    /// An alert that the peer sent: in TLS 1.3 its verdict on our certificate comes only after the
    /// handshake.
    private static func alert(_ number: Int32, _ words: String, _ peer: NetworkAddress) -> Fault {
        let enrol =
            "a device must enrol again with a new token, a person needs a credential from"
            + " `tributary-coordinator admin issue`"
        func refused(_ why: String, _ remedy: String, _ code: Fault.Code = .unauthenticated)
            -> Fault
        {
            Fault(code, "\(peer) refused our certificate: \(why)", remedy: remedy)
        }
        switch number {
        case SSL_AD_UNKNOWN_CA:
            return refused(
                "another fleet's authority signed it, or one that this fleet has retired", enrol)
        case SSL_AD_CERTIFICATE_REVOKED:
            return refused("it is revoked", enrol, .forbidden)
        case SSL_AD_CERTIFICATE_EXPIRED:
            return refused("it has expired", "check this machine's clock; if it is right, \(enrol)")
        case SSL_AD_BAD_CERTIFICATE, SSL_AD_UNSUPPORTED_CERTIFICATE, SSL_AD_CERTIFICATE_UNKNOWN,
            SSL_AD_DECRYPT_ERROR:
            return refused("it does not verify", enrol)
        case SSL3_AD_NO_CERTIFICATE, SSL_AD_CERTIFICATE_REQUIRED:
            return Fault(
                .unauthenticated, "\(peer) demands a certificate and we showed none",
                remedy: "enrol first")
        case SSL_AD_ACCESS_DENIED:
            return refused("access is denied", "ask the fleet's admin", .forbidden)
        case SSL_AD_PROTOCOL_VERSION: return noCommonVersion(peer)
        case SSL_AD_NO_APPLICATION_PROTOCOL: return noCommonProtocol(peer)
        default:
            return Fault(
                .unavailable, "\(peer) broke off TLS: \(words)",
                remedy: "look into the coordinator's log")
        }
    }

    private static func now() -> Int64 { Int64(time(nil)) }

    /// `unix` as a date and time in UTC.
    private static func date(_ unix: Int64?) -> String {
        guard let unix else { return "an unknown date" }
        var seconds = time_t(unix)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        var text = [CChar](repeating: 0, count: 32)
        let count = strftime(&text, text.count, "%Y-%m-%d %H:%M UTC", &parts)
        return String(decoding: text.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

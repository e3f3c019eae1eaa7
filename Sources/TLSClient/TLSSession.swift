import COpenSSL
import Cryptography
import Federation

/// Owns the OpenSSL state of one client connection.
///
/// OpenSSL reads and writes memory here, and `TLSConnection` moves the bytes: so each call has a
/// deadline, no signal is raised, and the socket's errors keep their names.
///
/// Sendable because only one `TLSConnection`, which cannot be copied, holds it and uses it
/// exclusively.
final class TLSSession: @unchecked Sendable {
    private let ssl: OpaquePointer
    /// What came from the peer, for OpenSSL to read.
    private let incoming: OpaquePointer
    /// What OpenSSL wrote, for the peer.
    private let outgoing: OpaquePointer

    /// A client session that will trust and show what is given.
    init(
        peer: NetworkAddress, trust: ServerTrust, identity: (Certificate, PrivateKey)?
    ) throws(Fault) {
        guard let context = SSL_CTX_new(TLS_client_method()) else {
            throw libraryFault("start TLS")
        }
        // The session keeps a reference of its own.
        defer { SSL_CTX_free(context) }
        try TLSSession.configure(context, trust: trust, identity: identity)
        guard let ssl = SSL_new(context) else { throw libraryFault("start TLS") }
        guard let incoming = BIO_new(BIO_s_mem()), let outgoing = BIO_new(BIO_s_mem()) else {
            SSL_free(ssl)
            throw libraryFault("start TLS")
        }
        SSL_set_bio(ssl, incoming, outgoing)
        self.ssl = ssl
        self.incoming = incoming
        self.outgoing = outgoing
        if trust.handshakeAuthorities != nil {
            guard let parameters = SSL_get0_param(ssl),
                ChainVerification.expect(host: peer.host, parameters)
            else { throw libraryFault("check the server's name") }
        }
        if !isAddress(peer.host), tributary_set_server_name(ssl, peer.host) != 1 {
            throw libraryFault("send the server's name")
        }
        SSL_set_connect_state(ssl)
    }

    deinit { SSL_free(ssl) }

    private static func configure(
        _ context: OpaquePointer, trust: ServerTrust, identity: (Certificate, PrivateKey)?
    ) throws(Fault) {
        let alpn = Array(applicationProtocol.utf8)
        let protocols = [UInt8(alpn.count)] + alpn
        // SSL_CTX_set_alpn_protos is the one that returns 0 on success.
        guard tributary_require_tls13(context) == 1,
            SSL_CTX_set_alpn_protos(context, protocols, UInt32(protocols.count)) == 0
        else { throw libraryFault("set up TLS 1.3") }
        if let authorities = trust.handshakeAuthorities {
            guard let store = SSL_CTX_get_cert_store(context) else {
                throw libraryFault("set up TLS 1.3")
            }
            ChainVerification(authorities: authorities).add(to: store)
            SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nil)
        } else {
            SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nil)
        }
        if let (certificate, key) = identity {
            guard SSL_CTX_use_certificate(context, certificate.handle.pointer) == 1,
                SSL_CTX_use_PrivateKey(context, key.handle.pointer) == 1
            else {
                _ = lastLibraryError()
                throw Fault(
                    .invalid, "our certificate and private key do not belong together",
                    remedy: "restore both from the same backup, or enrol again")
            }
        }
    }

    /// What a call of OpenSSL came to.
    enum Step {
        /// Done; bytes transferred where the call transfers any.
        case done(Int)
        /// It needs more bytes from the peer.
        case needsInput
        /// The peer ended the connection in order.
        case end
        /// The reason is in OpenSSL's error queue.
        case failed
    }

    func handshake() -> Step { step { SSL_do_handshake(ssl) } }

    /// `buffer` must not be empty.
    func read(into buffer: UnsafeMutableRawBufferPointer) -> Step {
        step { SSL_read(ssl, buffer.baseAddress, Int32(clamping: buffer.count)) }
    }

    /// Processes what has arrived without taking data.
    func peek() -> Step {
        step {
            var byte: UInt8 = 0
            return SSL_peek(ssl, &byte, 1)
        }
    }

    /// `bytes` must not be empty.
    func write(_ bytes: UnsafeRawBufferPointer) -> Step {
        step { SSL_write(ssl, bytes.baseAddress, Int32(clamping: bytes.count)) }
    }

    /// Tells the peer that nothing more will come.
    func finish() { _ = step { SSL_shutdown(ssl) } }

    private func step(_ call: () -> Int32) -> Step {
        // A stale error from elsewhere in this thread would be taken for this call's.
        ERR_clear_error()
        let result = call()
        if result > 0 { return .done(Int(result)) }
        switch SSL_get_error(ssl, result) {
        case SSL_ERROR_WANT_READ: return .needsInput
        case SSL_ERROR_ZERO_RETURN: return .end
        default: return .failed
        }
    }

    /// Hands over bytes that the peer sent.
    func receive(_ bytes: UnsafeRawBufferPointer) {
        BIO_write(incoming, bytes.baseAddress, Int32(clamping: bytes.count))
    }

    /// Moves bytes for the peer into `buffer`; 0 when there are none.
    func takeOutgoing(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        max(0, Int(BIO_read(outgoing, buffer.baseAddress, Int32(clamping: buffer.count))))
    }

    /// The certificates that the server sent, its own first.
    var sentCertificates: [Certificate] {
        guard let stack = SSL_get_peer_cert_chain(ssl) else { return [] }
        return (0..<tributary_certificates_count(stack)).compactMap { index in
            guard let pointer = tributary_certificates_at(stack, index), X509_up_ref(pointer) == 1
            else { return nil }
            return try? Certificate(CertificateHandle(owning: pointer))
        }
    }

    /// The authority that the verified chain of a finished handshake ends in.
    var verifiedAuthority: Certificate? {
        guard let stack = SSL_get0_verified_chain(ssl) else { return nil }
        let last = tributary_certificates_count(stack) - 1
        guard last >= 0, let pointer = tributary_certificates_at(stack, last),
            X509_up_ref(pointer) == 1
        else { return nil }
        return try? Certificate(CertificateHandle(owning: pointer))
    }

    /// OpenSSL's verdict on the server's certificate, `X509_V_OK` or an `X509_V_ERR_...`.
    var verifyResult: Int { SSL_get_verify_result(ssl) }

    /// The version in use, such as `TLSv1.3`.
    var version: String { String(cString: SSL_get_version(ssl)) }

    /// Whether both sides agreed on the application protocol.
    var speaksTributary: Bool {
        var name: UnsafePointer<UInt8>?
        var length: UInt32 = 0
        SSL_get0_alpn_selected(ssl, &name, &length)
        return UnsafeBufferPointer(start: name, count: Int(length)).elementsEqual(
            applicationProtocol.utf8)
    }
}

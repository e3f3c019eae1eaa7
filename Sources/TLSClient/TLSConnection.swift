package import Cryptography
package import Federation

/// A client's connection to the coordinator: TLS 1.3 with `tributary/1`, the server's certificate
/// checked.
///
/// Every fault names its cause. A certificate of ours that the server refuses shows at the first
/// read: TLS 1.3 has no earlier place for it.
package struct TLSConnection: ~Copyable, ByteStream {
    /// The authority that vouches for the server; a device saves it when it enrols.
    package let peerAuthority: Certificate
    /// The version in use, `TLSv1.3`.
    package let tlsVersion: String

    private let transport: TLSTransport

    /// How long a write may stand still before the connection counts as dead, in seconds.
    private static let writeStallSeconds = 60.0

    /// Connects and finishes the handshake; nothing of the caller's is sent before the server is
    /// trusted.
    ///
    /// - Parameters:
    ///   - host: DNS name or IP address; the server's certificate must name it.
    ///   - identity: the certificate to show and its key; nil to come without.
    ///   - timeoutSeconds: for name look-up aside, everything up to the end of the handshake.
    ///   - interruption: ends this and every later wait on the connection, which is broken then.
    ///   - reached: called once something takes the connection, before the handshake.
    /// - Throws: `Fault.unavailable` (cannot be reached, or is no coordinator), `Fault.untrusted`
    ///   (not our coordinator), `Fault.unauthenticated` or `Fault.forbidden` (it refuses us).
    package static func connect(
        host: String, port: UInt16, trust: ServerTrust, identity: (Certificate, PrivateKey)?,
        timeoutSeconds: Double, interruption: Interruption? = nil, reached: () -> Void = {}
    ) throws(Fault) -> TLSConnection {
        let peer = NetworkAddress(host: host, port: port)
        let deadline = Deadline(seconds: timeoutSeconds)
        let session = try TLSSession(peer: peer, trust: trust, identity: identity)
        let socket = try TCPSocket.connect(
            to: peer, deadline: deadline, interruption: interruption)
        reached()
        let transport = TLSTransport(peer: peer, session: session, socket: socket)
        _ = try transport.run(deadline, waitingFor: "TLS handshake") { session.handshake() }
        let authority: Certificate?
        switch trust {
        case .authorities: authority = session.verifiedAuthority
        case .pinnedAuthority(let digest):
            authority = try ServerTrust.authority(
                pinned: digest, in: session.sentCertificates, for: peer)
        }
        guard let authority else { throw libraryFault("find the server's authority") }
        guard session.speaksTributary else { throw TLSFault.noCommonProtocol(peer) }
        return TLSConnection(
            peerAuthority: authority, tlsVersion: session.version, transport: transport)
    }

    private init(
        peerAuthority: Certificate, tlsVersion: String, transport: consuming TLSTransport
    ) {
        self.peerAuthority = peerAuthority
        self.tlsVersion = tlsVersion
        self.transport = transport
    }

    deinit { transport.finish() }

    /// Reads what has come, as `ByteStream` says; waits at most `timeoutSeconds` for the first
    /// byte.
    ///
    /// - Throws: `Fault.unavailable`, or the server's refusal of our certificate as
    ///   `Fault.unauthenticated` or `Fault.forbidden`. After a time-out the connection can still be
    ///   used.
    package mutating func read(
        into buffer: UnsafeMutableRawBufferPointer, timeoutSeconds: Double
    ) throws(Fault) -> Int {
        guard !buffer.isEmpty else { return 0 }
        let session = transport.session
        return try transport.run(Deadline(seconds: timeoutSeconds), waitingFor: "answer") {
            session.read(into: buffer)
        }
    }

    /// Writes all of `bytes`, a TLS record at a time.
    ///
    /// - Throws: as `read` does, and `Fault.unavailable` when the peer takes no bytes for a minute.
    package mutating func write(_ bytes: UnsafeRawBufferPointer) throws(Fault) {
        let session = transport.session
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(16 << 10))
            let count = try transport.run(
                Deadline(seconds: TLSConnection.writeStallSeconds), waitingFor: "sign of life"
            ) { session.write(piece) }
            guard count > 0 else { throw TLSFault.closed(transport.peer) }
            rest = rest.dropFirst(count)
        }
    }
}

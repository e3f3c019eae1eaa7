package import Cryptography
package import Federation

/// How a client decides whether the server is its fleet's coordinator.
package enum ServerTrust: Sendable {
    /// One of these must have signed the server's certificate.
    case authorities([Certificate])
    /// For enrolment, when a device knows only what its token says: the server must send an
    /// authority whose key has this SHA-256 (of its SubjectPublicKeyInfo) and which signed the
    /// server's certificate.
    case pinnedAuthority(spkiDigest: Digest)
}

extension ServerTrust {
    /// The authorities to trust in a handshake; none when the decision comes after it.
    var handshakeAuthorities: [Certificate]? {
        switch self {
        case .authorities(let authorities): authorities
        case .pinnedAuthority: nil
        }
    }

    /// Finds the pinned authority in what the server sent and checks the server's certificate
    /// against it alone.
    ///
    /// - Parameter sent: the server's chain, its own certificate first.
    static func authority(
        pinned digest: Digest, in sent: [Certificate], for peer: NetworkAddress
    ) throws(Fault) -> Certificate {
        let found = sent.first { $0.isAuthority && $0.publicKey.spkiDigest == digest }
        guard let leaf = sent.first, let authority = found else {
            throw Fault(
                .untrusted,
                "the coordinator at \(peer) belongs to another fleet than the enrolment token: its"
                    + " authority has another key",
                remedy: "check the address, or get a token from that coordinator")
        }
        let check = ChainVerification(authorities: [authority], serverHost: peer.host)
        if let code = check.verify(leaf) {
            throw TLSFault.certificate(code: code, sent: sent, peer: peer)
        }
        return authority
    }
}

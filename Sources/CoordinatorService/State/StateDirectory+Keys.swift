package import Cryptography
package import Federation
import Provenance
import Registry

/// One of a fleet's keys, as `key list` shows it.
package struct FleetKeyRecord: Sendable, Equatable {
    /// `model-signing`, `log` or `authority`.
    package let use: String
    /// SHA-256 of its SubjectPublicKeyInfo.
    package let digest: Digest
    package let curve: String
    /// `active`, `retired` or `revoked`.
    package let state: String
    /// The positions of the log between which a model key counts; nil for what is not a model key, or has no end.
    package let from: UInt64?
    package let until: UInt64?
    /// Since when it is not believed, in Unix seconds.
    package let revokedUnix: UInt64?
}

// Changes of keys and certificates, which need that nobody serves the directory. Each says in words what was done.
extension StateDirectory {
    /// The keys of the current trust set, in its order.
    package func keys() throws(Fault) -> [FleetKeyRecord] {
        let set = try FleetTrust(directory: self).trustSet
        let models = set.modelKeys.map { key in
            FleetKeyRecord(
                use: KeyHistory.modelSigning, digest: key.key.spkiDigest,
                curve: key.key.kind?.rawValue ?? "",
                state: key.until == nil
                    ? "active" : key.revokedUnix == nil ? "retired" : "revoked",
                from: key.from, until: key.until, revokedUnix: key.revokedUnix)
        }
        return models + [other("log", set.log.key)]
            + set.authorities.map { other("authority", $0.publicKey) }
    }

    private func other(_ use: String, _ key: PublicKey) -> FleetKeyRecord {
        FleetKeyRecord(
            use: use, digest: key.spkiDigest, curve: key.kind?.rawValue ?? "", state: "active",
            from: nil, until: nil, revokedUnix: nil)
    }

    /// Replaces the model-signing key file, see `KeyCustody.rotateModelKey`.
    package func rotateModelKey(
        _ kind: KeyKind?, passphraseFile: String?, destroysOld: Bool
    ) async throws(Fault) -> [String] {
        try await withCustody { (custody) throws(Fault) in
            try await custody.rotateModelKey(
                kind, passphraseFile: passphraseFile, destroysOld: destroysOld)
            return custody.report
        }
    }

    /// Takes the trust from what a retired key signed since a time, see `KeyCustody.revokeModelKey`.
    package func revokeModelKey(
        _ prefix: String, sinceUnix: UInt64, reason: String
    ) async throws(Fault) -> (untrusted: [UntrustedModel], report: [String]) {
        try await withCustody { (custody) throws(Fault) in
            let untrusted = try await custody.revokeModelKey(
                prefix, sinceUnix: sinceUnix, reason: reason)
            return (untrusted, custody.report)
        }
    }

    /// Adds a new authority beside the one there is, see `KeyCustody.rotateAuthority`.
    package func rotateAuthority() async throws(Fault) -> [String] {
        try await withCustody { (custody) throws(Fault) in
            try await custody.rotateAuthority()
            return custody.report
        }
    }

    /// Ends the trust in all authorities but the newest, see `KeyCustody.retireAuthorities`.
    package func retireAuthorities(
        leavesBehind: Bool
    ) async throws(Fault) -> (holders: AuthorityHolders, report: [String]) {
        try await withCustody { (custody) throws(Fault) in
            let holders = try await custody.retireAuthorities(leavesBehind: leavesBehind)
            return (holders, custody.report)
        }
    }

    /// Issues a new certificate for the server, see `KeyCustody.renewServerCertificate`.
    package func renewServerCertificate(newKey: Bool) async throws(Fault) -> [String] {
        try await withCustody { (custody) throws(Fault) in
            // One that no trusted authority signed is replaced as well.
            let authority = try? serverAuthority(in: custody.trust)
            try await custody.renewServerCertificate(
                from: authority ?? custody.trust.authority, newKey: newKey)
            return custody.report
        }
    }
}

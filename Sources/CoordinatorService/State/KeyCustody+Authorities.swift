import Cryptography
import Federation
import Glibc
import Provenance
import Registry

/// Who still depends on an authority that is being replaced.
package struct AuthorityHolders: Sendable, Equatable {
    /// Agents that are not revoked, by name.
    package var agents: [String] = []
    /// People who are not revoked, by name.
    package var people: [String] = []

    package var isEmpty: Bool { agents.isEmpty && people.isEmpty }
}

extension KeyCustody {
    /// Adds a new authority, which issues devices' and people's certificates from now on. The one before stays trusted,
    /// and the server keeps its certificate, until `retireAuthorities`.
    ///
    /// - Throws: `Fault.conflict` while an earlier replacement is not finished.
    mutating func rotateAuthority() async throws(Fault) {
        let signer = try await settleModelKey()
        guard trust.authorities.count == 1 else {
            throw Fault(
                .conflict, "the fleet's authority is being replaced already",
                remedy: "finish that first: `tributary-coordinator authority retire`")
        }
        let authority = try newAuthority()
        let digest = authority.publicKey.spkiDigest
        try await record(.authorityAdded, [("authority", .text(digest.hex))])
        note("the authority \(abbreviated(digest)) issues certificates from now on")
        try await followLog(using: [signer])
        try await reissueOwnCredential()
    }

    /// Writes a new authority, key first.
    private func newAuthority() throws(Fault) -> Certificate {
        let generation = try directory.authorityCertificates().count + 1
        let authority = try CertificateAuthority.create(
            fleet: trust.fleet, nowUnix: Int64(unixSeconds()))
        let keyFile = directory.authorityKeyFile(generation: generation)
        // Without a certificate it is what an interrupted attempt left.
        unlink(keyFile)
        try authority.key.write(pemFile: keyFile)
        try authority.certificate.write(
            pemFile: directory.authorityCertificateFile(generation: generation))
        return authority.certificate
    }

    /// Ends the trust in every authority but the newest; the server gets a certificate from that.
    ///
    /// - Parameter leavesBehind: goes ahead though certificates of an old authority are in use; their holders must
    ///   enrol again, or be issued another credential.
    /// - Returns: whom that leaves behind.
    /// - Throws: `Fault.conflict` naming them otherwise.
    mutating func retireAuthorities(leavesBehind: Bool) async throws(Fault) -> AuthorityHolders {
        let signer = try await settleModelKey()
        guard trust.authorities.count > 1 else {
            throw Fault(
                .conflict, "the fleet has one authority only",
                remedy: "add another first: `tributary-coordinator authority rotate`")
        }
        try await reissueOwnCredential()
        let holders = try await oldHolders()
        guard leavesBehind || holders.isEmpty else { throw stillNeeded(holders) }
        try await renewServerCertificate(from: trust.authority, newKey: false)
        let retiring = trust.authorities.dropFirst()
        for authority in retiring {
            let digest = authority.certificate.publicKey.spkiDigest
            try await record(.authorityRetired, [("authority", .text(digest.hex))])
            note("the authority \(abbreviated(digest)) is not trusted any more")
        }
        try await followLog(using: [signer])
        try destroyKeys(of: retiring.map(\.certificate))
        try writeAuthorities(to: directory.adminFolder)
        return holders
    }

    private func stillNeeded(_ holders: AuthorityHolders) -> Fault {
        var who: [String] = []
        if !holders.agents.isEmpty {
            who.append("\(counted(holders.agents.count, "agent")) (\(firstOf(holders.agents)))")
        }
        if !holders.people.isEmpty {
            let people = counted(holders.people.count, "person", plural: "people")
            who.append("\(people) (\(firstOf(holders.people)))")
        }
        return Fault(
            .conflict,
            "the old authority's certificates are in use: \(who.joined(separator: ", "))",
            remedy: "agents renew theirs when they check in, people get one from `admin issue`;"
                + " --force leaves them behind")
    }

    private func firstOf(_ names: [String]) -> String {
        names.prefix(10).joined(separator: ", ") + (names.count > 10 ? ", ..." : "")
    }

    /// Who has no certificate of the issuing authority: what was logged since that was added is from it.
    private func oldHolders() async throws(Fault) -> AuthorityHolders {
        let issuer = trust.authority.certificate.publicKey.spkiDigest.hex
        var since: UInt64?
        var issued: Set<String> = []
        let kinds: Set<FleetEvent.Kind> = [
            .authorityAdded, .agentEnrolled, .agentRenewed, .adminIssued, .roleChanged,
        ]
        try await KeyHistory.forEachLeaf(of: kinds, in: registry, from: 0) { leaf, position in
            if leaf.event == FleetEvent.Kind.authorityAdded.rawValue,
                leaf.text("authority") == issuer
            {
                since = position
            }
            if since != nil, let certificate = leaf.text("certificate") {
                issued.insert(certificate)
            }
        }
        var holders = AuthorityHolders()
        for agent in try await registry.agents() where !agent.isRevoked {
            let shown = [agent.certificateDigest, agent.previousCertificateDigest]
            guard !shown.compactMap({ $0?.hex }).allSatisfy(issued.contains) else { continue }
            holders.agents.append(agent.id.name)
        }
        for person in try await registry.people() where !person.isRevoked {
            guard !issued.contains(person.certificateDigest.hex) else { continue }
            holders.people.append(person.name)
        }
        return holders
    }

    private func destroyKeys(of authorities: [Certificate]) throws(Fault) {
        for (index, certificate) in try directory.authorityCertificates().enumerated()
        where authorities.contains(certificate) {
            let file = directory.authorityKeyFile(generation: index + 1)
            guard unlink(file) == 0 || errno == ENOENT else {
                throw storageFault("delete \(file)")
            }
        }
    }

    /// Gives the state directory's own credential a certificate of the issuing authority, if it works and has none.
    private func reissueOwnCredential() async throws(Fault) {
        let folder = directory.adminFolder
        guard access(folder + "/admin.crt", F_OK) == 0 else { return }
        let current = try Certificate(pemFile: folder + "/admin.crt")
        guard !current.isSigned(by: [trust.authority.certificate]), let identity = current.identity,
            let person = try await registry.person(identity.id), !person.isRevoked,
            person.certificateDigest == SHA256.digest(of: current.der)
        else { return }
        let certificate = try trust.authority.issue(
            identity: Identity(fleet: trust.fleet, role: person.role, id: person.name),
            publicKey: try PrivateKey(pemFile: folder + "/admin.key").publicKey,
            days: StateDirectory.adminDays, nowUnix: Int64(unixSeconds()))
        try await directory.register(person.name, person.role, certificate, in: registry)
        try CredentialFile.replace(
            folder + "/admin.crt", Array(certificate.pem.utf8), mode: CredentialFile.publicMode)
        try writeAuthorities(to: folder)
    }

    private func writeAuthorities(to folder: String) throws(Fault) {
        guard access(folder + "/admin.crt", F_OK) == 0 else { return }
        try CredentialFile.replace(
            folder + "/fleet-ca.crt", Array(trust.trustSet.authorities.map(\.pem).joined().utf8),
            mode: CredentialFile.publicMode)
    }
}

import Configuration
import Cryptography
import Federation
import Logging
import Provenance
import Registry
import Rounds
import Wire

extension Fleet {
    /// Turns a token's secret and a certificate request into a device certificate.
    ///
    /// - Throws: `Fault` when the clocks are apart, the request is malformed, or the token is unknown, expired or used.
    func enrol(_ request: EnrolRequest) async throws(Fault) -> EnrolResponse {
        try refuseWhileStorageFails()
        let now = clock.unixSeconds
        if let refusal = EnrolmentPolicy.refusal(deviceUnix: request.unixSeconds, nowUnix: now) {
            throw refusal
        }
        let secretDigest = SHA256.digest(of: request.secret)
        // Anybody may ask: who only guesses costs no signature and no write.
        try await registry.requireUsableToken(secretDigest: secretDigest, nowUnix: now)
        let certificateRequest = try CertificateRequest(der: request.certificateRequest)
        let agent = try newAgentID()
        let (certificate, stored) = try issue(to: agent, certificateRequest, nowUnix: now)
        try await storing { () throws(Fault) in
            try await registry.enrol(
                agent, secretDigest: secretDigest, certificate: stored, nowUnix: now,
                event: certified(.agentEnrolled, agent, stored.digest))
        }
        certificates[agent] = DeviceCertificates(current: stored.digest, previous: nil)
        counts.enrolled += 1
        log.info("agent enrolled", metadata: ["agent": "\(agent)"])
        progress.fire()
        return EnrolResponse(
            fleet: keys.fleet, agent: agent.name, certificate: certificate.der,
            authorities: keys.trustSet.authorities.map(\.der), trustSet: keys.trustSet.document)
    }

    /// Answers may be lost, and a device may die before it has stored one; but each is a leaf of the log.
    private static let mostUnusedCertificates = 100

    /// Issues a new certificate to an agent in good standing. The one that it shows stays good until the new one is used.
    ///
    /// - Throws: `Fault` when the request is malformed, or the certificate shown is not due for renewal; `unavailable` while
    ///   another is being issued to the agent.
    func renew(
        _ agent: AgentID, _ request: RenewRequest, showing shown: ShownCertificate
    ) async throws(Fault) -> RenewResponse {
        try refuseWhileStorageFails()
        let now = clock.unixSeconds
        let old = shown.certificate
        // Early enough for any agent's clock; without it, one device could grow the log as it likes.
        let halfTime = old.issuedUnix + (old.notAfterUnix - old.issuedUnix) / 2
        guard
            Int64(clamping: now) >= halfTime || !old.isSigned(by: [keys.authority.certificate])
        else {
            throw Fault(
                .conflict, "the certificate of agent \(agent) is not due for renewal",
                remedy:
                    "set the device's clock: it renews after two thirds of the certificate's life"
            )
        }
        let known = certificates[agent]
        let unused = known?.previous == shown.digest ? known?.unused ?? 0 : 0
        guard unused < Self.mostUnusedCertificates else {
            throw Fault(
                .exhausted, "agent \(agent) was given \(unused) certificates and has used none",
                remedy: "check the device's disk; then enrol it again with a new token")
        }
        let certificateRequest = try CertificateRequest(der: request.certificateRequest)
        guard renewing.insert(agent).inserted else {
            throw Fault(
                .unavailable, "agent \(agent) is being given a certificate already",
                remedy: "try again later")
        }
        defer { renewing.remove(agent) }
        let (certificate, stored) = try issue(to: agent, certificateRequest, nowUnix: now)
        certificates[agent]?.unused = unused + 1
        try await storing { () throws(Fault) in
            try await registry.renew(
                agent, certificate: stored, nowUnix: now,
                event: certified(.agentRenewed, agent, stored.digest))
        }
        certificates[agent] = DeviceCertificates(
            current: stored.digest, previous: shown.digest, unused: unused + 1)
        counts.renewed += 1
        log.info(
            "certificate renewed",
            metadata: ["agent": "\(agent)", "until_unix": "\(stored.expiresUnix)"])
        progress.fire()
        return RenewResponse(certificate: certificate.der)
    }

    /// A device certificate, and what the registry keeps of it.
    private func issue(
        to agent: AgentID, _ request: CertificateRequest, nowUnix: UInt64
    ) throws(Fault) -> (
        Certificate, stored: (serial: String, digest: Digest, expiresUnix: UInt64)
    ) {
        let certificate = try keys.authority.issue(
            identity: Identity(fleet: keys.fleet, role: .agent, id: agent.name),
            publicKey: request.publicKey, seconds: Int64(configuration.deviceDays * 86_400),
            nowUnix: Int64(nowUnix))
        let stored = (
            serial: certificate.serial, digest: SHA256.digest(of: certificate.der),
            expiresUnix: UInt64(max(0, certificate.notAfterUnix))
        )
        return (certificate, stored)
    }

    private func certified(
        _ kind: FleetEvent.Kind, _ agent: AgentID, _ certificate: Digest
    ) -> FleetEvent {
        FleetEvent(
            kind, [("agent", .text(agent.name)), ("certificate", .text(certificate.hex))])
    }

    private func newAgentID() throws(Fault) -> AgentID {
        guard let agent = AgentID("agent-\(hexadecimal(random.bytes(8)))") else {
            throw Fault(.internal, "an agent id could not be made")
        }
        return agent
    }

    /// Makes a token for `uses` devices.
    func createToken(_ request: TokenCreate) async throws(Fault) -> TokenIssued {
        try refuseIfNotStoring()
        let uses = Int(request.uses)
        guard (1...100_000).contains(uses), (60...31_536_000).contains(request.validSeconds) else {
            throw Fault(
                .invalid, "a token is for 1 to 100000 devices and 1 minute to 1 year",
                remedy: "choose --uses and --valid-hours within that")
        }
        guard let host = configuration.addresses.first else {
            throw Fault(
                .invalid, "coordinator.toml names no address", remedy: "set addresses in [server]")
        }
        let now = clock.unixSeconds
        let token = EnrolmentToken(
            address: NetworkAddress(host: host, port: port),
            authority: keys.serverAuthority.certificate.publicKey.spkiDigest,
            secret: random.bytes(32), expiresUnix: now + request.validSeconds)
        try await registry.addToken(
            secretDigest: SHA256.digest(of: token.secret), uses: uses,
            expiresUnix: token.expiresUnix, nowUnix: now,
            event: FleetEvent(
                .tokenIssued,
                [("uses", .number(UInt64(uses))), ("expires", .number(token.expiresUnix))]))
        return TokenIssued(
            token: token.text, expiresUnix: token.expiresUnix, uses: request.uses)
    }

    /// Revokes an agent; its next message is refused and its round no longer waits for it.
    func revoke(_ name: String, reason: String) async throws(Fault) {
        let agent = try agentID(name)
        try await registry.revoke(
            agent, reason: reason, nowUnix: clock.unixSeconds,
            event: FleetEvent(
                .agentRevoked, [("agent", .text(agent.name)), ("reason", .text(reason))]))
        revoked.insert(agent)
        for round in rounds.values {
            round.machine.withdraw(agent)
            drop(agent, from: round)
            round.events.fire()
        }
        slots.release(agent)
        offers.fire()
        progress.fire()
    }

    /// Revokes an agent whose owner takes it out of the fleet. Why is the owner's business: the log does not say.
    func leave(_ agent: AgentID) async throws(Fault) {
        try await storing { () throws(Fault) in
            try await revoke(agent.name, reason: "its owner took it out of the fleet")
        }
        log.info("agent left", metadata: ["agent": "\(agent)"])
    }

    /// Parses an agent's name.
    func agentID(_ name: String) throws(Fault) -> AgentID {
        guard let agent = AgentID(name) else {
            throw Fault(
                .notFound, "there is no agent '\(name)'",
                remedy: "`tributary-coordinator agent list` shows them")
        }
        return agent
    }
}

package import Federation
import GRDB

extension Registry {
    /// Gives an agent a newer certificate. The one it used last counts as well until it uses the
    /// new one: the answer that carries it may be lost.
    ///
    /// - Throws: `notFound`; `forbidden` when the agent is revoked; `conflict` when the serial
    ///   exists.
    package func renew(
        _ agent: AgentID, certificate: (serial: String, digest: Digest, expiresUnix: UInt64),
        nowUnix: UInt64, event: FleetEvent
    ) async throws(Fault) {
        try await write("renew the certificate of \(agent)") { db in
            let stored = try requireAgent(agent, in: db)
            guard !stored.isRevoked else {
                throw Fault(.forbidden, "the agent \(agent) was revoked")
            }
            try requireAsSealed(Facet.agent[agent], in: db)
            try db.execute(
                sql: """
                    UPDATE agents SET certificateSerial = ?, certificateDigest = ?,
                        certificateExpiresUnix = ?, previousCertificateDigest = ?,
                        certificateUsedUnix = NULL WHERE id = ?
                    """,
                arguments: [
                    certificate.serial, certificate.digest, certificate.expiresUnix.storable,
                    stored.previousCertificateDigest ?? stored.certificateDigest, agent,
                ])
            try append(event, to: db, nowUnix: nowUnix, sealing: [Facet.agent[agent]])
        }
    }

    /// Notes that an agent showed the certificate with `digest`: once that is its newest, the one
    /// before no longer counts. Not an event.
    ///
    /// - Throws: `notFound`; `forbidden` when it is not one that the agent may show.
    package func usedCertificate(
        _ agent: AgentID, digest: Digest, nowUnix: UInt64
    ) async throws(Fault) {
        try await write("note the certificate of \(agent)") { db in
            let stored = try requireAgent(agent, in: db)
            guard stored.mayShow(certificate: digest) else {
                throw Fault(
                    .forbidden, "the agent \(agent) has a newer certificate than this one",
                    remedy: "let the device use the certificate it was given last")
            }
            guard stored.previousCertificateDigest != nil, digest == stored.certificateDigest
            else { return }
            try db.execute(
                sql: "UPDATE agents SET certificateUsedUnix = ? WHERE id = ?",
                arguments: [nowUnix.storable, agent])
        }
    }
}

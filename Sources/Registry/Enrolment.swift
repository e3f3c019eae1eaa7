package import Federation
import GRDB

/// A row of `tokens`.
private struct TokenRecord: FetchableRecord, PersistableRecord {
    static let databaseTableName = "tokens"

    /// SHA-256 of the secret; the secret itself is never stored.
    var secretDigest: Digest
    var uses: Int
    var used: Int
    var expiresUnix: UInt64
    var createdUnix: UInt64

    init(secretDigest: Digest, uses: Int, expiresUnix: UInt64, createdUnix: UInt64) {
        self.secretDigest = secretDigest
        self.uses = uses
        used = 0
        self.expiresUnix = expiresUnix.storable
        self.createdUnix = createdUnix.storable
    }

    init(row: Row) throws {
        secretDigest = try row.value("secretDigest")
        uses = try row.value("uses")
        used = try row.value("used")
        expiresUnix = try row.value("expiresUnix")
        createdUnix = try row.value("createdUnix")
    }

    func encode(to container: inout PersistenceContainer) {
        container["secretDigest"] = secretDigest
        container["uses"] = uses
        container["used"] = used
        container["expiresUnix"] = expiresUnix
        container["createdUnix"] = createdUnix
    }
}

extension Registry {
    /// Stores a token that lets `uses` devices enrol until `expiresUnix`.
    ///
    /// - Throws: `invalid` when `uses` is not positive; `conflict` when the secret is already
    ///   stored.
    package func addToken(
        secretDigest: Digest, uses: Int, expiresUnix: UInt64, nowUnix: UInt64, event: FleetEvent
    ) async throws(Fault) {
        guard uses > 0 else { throw Fault(.invalid, "a token needs at least one use") }
        try await write("store the token") { db in
            try TokenRecord(
                secretDigest: secretDigest, uses: uses, expiresUnix: expiresUnix,
                createdUnix: nowUnix
            ).insert(db)
            try append(event, to: db, nowUnix: nowUnix, adding: [Facet.token[secretDigest]])
        }
    }

    /// Sees that a device could enrol with the token now, before anything is spent on it.
    ///
    /// - Throws: `unauthenticated` when the token is unknown, expired or used up.
    package func requireUsableToken(secretDigest: Digest, nowUnix: UInt64) async throws(Fault) {
        try await read("look the token up") { db in
            _ = try usableToken(secretDigest, nowUnix: nowUnix, in: db)
        }
    }

    /// Takes one use of the token and adds the agent, whole or not at all.
    ///
    /// - Throws: `unauthenticated` when the token is unknown, expired or used up; `conflict` when
    ///   the agent or the certificate's serial exists.
    package func enrol(
        _ agent: AgentID, secretDigest: Digest,
        certificate: (serial: String, digest: Digest, expiresUnix: UInt64), nowUnix: UInt64,
        event: FleetEvent
    ) async throws(Fault) {
        try await write("enrol \(agent)") { db in
            var token = try usableToken(secretDigest, nowUnix: nowUnix, in: db)
            token.used += 1
            try token.update(db)
            guard try !StoredAgent.exists(db, key: agent) else {
                throw Fault(.conflict, "there is already an agent \(agent)")
            }
            try db.execute(
                sql: """
                    INSERT INTO agents (id, token, certificateSerial, certificateDigest,
                        certificateExpiresUnix, enrolledUnix) VALUES (?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    agent, secretDigest, certificate.serial, certificate.digest,
                    certificate.expiresUnix.storable, nowUnix.storable,
                ])
            try append(
                event, to: db, nowUnix: nowUnix,
                adding: [Facet.agent[agent]],
                sealing: [Facet.token[secretDigest]])
        }
    }
}

private func usableToken(
    _ secretDigest: Digest, nowUnix: UInt64, in db: Database
) throws -> TokenRecord {
    let remedy = "ask an administrator for a new token (tributary-coordinator agent token)"
    guard let token = try TokenRecord.fetchOne(db, key: secretDigest) else {
        throw Fault(
            .unauthenticated, "this fleet does not know the enrolment token", remedy: remedy)
    }
    guard nowUnix < token.expiresUnix else {
        throw Fault(
            .unauthenticated, "the enrolment token has expired",
            remedy: "\(remedy); if it should still be valid, check this device's clock")
    }
    guard token.used < token.uses else {
        let limit = token.uses == 1 ? "once" : "\(token.uses) times"
        throw Fault(
            .unauthenticated, "the enrolment token was already used \(limit)", remedy: remedy)
    }
    try requireAsSealed(Facet.token[secretDigest], in: db)
    return token
}

package import Federation
import GRDB

/// A person who may use the coordinator, with the certificate issued last.
package struct StoredPerson: Sendable, Equatable {
    package let name: String
    package let role: Role
    /// Serial number of the certificate, hexadecimal.
    package let certificateSerial: String
    /// SHA-256 of the certificate's DER.
    package let certificateDigest: Digest
    package let certificateExpiresUnix: UInt64
    package let issuedUnix: UInt64
    /// When the person was revoked; nil while active.
    package let revokedUnix: UInt64?
    package let revokedReason: String

    package var isRevoked: Bool { revokedUnix != nil }
}

extension Registry {
    /// Everybody who was ever given a certificate, ordered by name.
    package func people() async throws(Fault) -> [StoredPerson] {
        try await read("list the people") { db in
            try StoredPerson.fetchAll(db, sql: "SELECT * FROM people ORDER BY name")
        }
    }

    /// The person named `name`; nil for one that the registry does not know, as everybody is who
    /// got a certificate from a version before the registry kept people.
    ///
    /// - Throws: `untrusted` when somebody changed the row from outside.
    package func person(_ name: String) async throws(Fault) -> StoredPerson? {
        try await read("read the person \(name)") { db in
            try requireAsSealed(Facet.person[name], in: db)
            return try storedPerson(name, in: db)
        }
    }

    /// Adds a person with a certificate.
    ///
    /// - Throws: `conflict` when the name, or the certificate's serial, exists.
    package func addPerson(
        _ name: String, role: Role,
        certificate: (serial: String, digest: Digest, expiresUnix: UInt64), nowUnix: UInt64,
        event: FleetEvent
    ) async throws(Fault) {
        try await write("add \(name)") { db in
            guard try storedPerson(name, in: db) == nil else {
                throw Fault(
                    .conflict, "there is already a person \(name)",
                    remedy: "choose another name, or change the role of this one")
            }
            try db.execute(
                sql: "INSERT INTO people VALUES (?, ?, ?, ?, ?, ?, NULL, '')",
                arguments: [
                    name, role.rawValue, certificate.serial, certificate.digest,
                    certificate.expiresUnix.storable, nowUnix.storable,
                ])
            try append(event, to: db, nowUnix: nowUnix, adding: [Facet.person[name]])
        }
    }

    /// Gives a person another role, or the same anew, with a certificate that takes the place of
    /// the one before.
    ///
    /// - Throws: `notFound`; `conflict` when the person is revoked or the serial exists.
    package func setRole(
        _ name: String, role: Role,
        certificate: (serial: String, digest: Digest, expiresUnix: UInt64), nowUnix: UInt64,
        event: FleetEvent
    ) async throws(Fault) {
        try await write("change the role of \(name)") { db in
            try requireActive(name, in: db)
            try db.execute(
                sql: """
                    UPDATE people SET role = ?, certificateSerial = ?, certificateDigest = ?,
                        certificateExpiresUnix = ?, issuedUnix = ? WHERE name = ?
                    """,
                arguments: [
                    role.rawValue, certificate.serial, certificate.digest,
                    certificate.expiresUnix.storable, nowUnix.storable, name,
                ])
            try append(event, to: db, nowUnix: nowUnix, sealing: [Facet.person[name]])
        }
    }

    /// Ends a person's access for good.
    ///
    /// - Throws: `notFound`; `conflict` when the person is already revoked.
    package func revokePerson(
        _ name: String, reason: String, nowUnix: UInt64, event: FleetEvent
    ) async throws(Fault) {
        try await write("revoke \(name)") { db in
            try requireActive(name, in: db)
            try db.execute(
                sql: "UPDATE people SET revokedUnix = ?, revokedReason = ? WHERE name = ?",
                arguments: [nowUnix.storable, reason, name])
            try append(event, to: db, nowUnix: nowUnix, sealing: [Facet.person[name]])
        }
    }
}

private func storedPerson(_ name: String, in db: Database) throws -> StoredPerson? {
    try StoredPerson.fetchOne(db, sql: "SELECT * FROM people WHERE name = ?", arguments: [name])
}

private func requireActive(_ name: String, in db: Database) throws {
    guard let person = try storedPerson(name, in: db) else {
        throw Fault(.notFound, "there is no person \(name)")
    }
    guard !person.isRevoked else { throw Fault(.conflict, "\(name) is already revoked") }
    try requireAsSealed(Facet.person[name], in: db)
}

extension StoredPerson: FetchableRecord {
    init(row: Row) throws {
        name = try row.value("name")
        role = try row.value("role")
        certificateSerial = try row.value("certificateSerial")
        certificateDigest = try row.value("certificateDigest")
        certificateExpiresUnix = try row.value("certificateExpiresUnix")
        issuedUnix = try row.value("issuedUnix")
        revokedUnix = try row.optional("revokedUnix")
        revokedReason = try row.value("revokedReason")
    }
}

import Cryptography
import Federation
import Foundation
import GRDB

// A seal is the digest of one row's fixed columns. The leaf of the event that seals rows holds one
// salted digest over all its seals: it fixes the rows and tells nobody what they are.

/// Seals `rows` as they are now, by the event at `position`, and returns the digest for its leaf.
func seal(
    _ rows: [FacetRows], at position: UInt64, salt: Digest, in db: Database
) throws -> Digest {
    let insertion = try db.cachedStatement(
        sql: "INSERT OR IGNORE INTO sealed_rows VALUES (?, ?, ?, ?)")
    for rows in rows {
        let current = try sealedForms(of: rows, in: db)
        while let (key, digest) = try current.next() {
            try insertion.execute(arguments: [position, rows.facet.name, key, digest])
        }
    }
    return try digestOfSeals(at: position, salt: salt, in: db)
}

/// Refuses to sign seals that somebody else put where those of the next event go.
///
/// - Throws: `untrusted`.
func requireNoSeals(from position: UInt64, in db: Database) throws {
    let last = try UInt64.fetchOne(db.cachedStatement(sql: "SELECT MAX(event) FROM sealed_rows"))
    guard let last, last >= position else { return }
    throw Fault(
        .untrusted, "the registry holds seals of event \(last), which is not written yet",
        remedy: auditRemedy)
}

/// Refuses to change rows that are not as they were sealed, or to act on them: their next seal, or
/// what is signed because of them, would cover up for whoever changed them. That the seals are those
/// of the log, an audit says.
///
/// - Throws: `untrusted`.
func requireAsSealed(_ rows: FacetRows, in db: Database) throws {
    let current = try sealedForms(of: rows, in: db)
    while let (key, digest) = try current.next() {
        guard try lastSeal(of: rows.facet, key: key, in: db)?.digest != digest else { continue }
        throw Fault(
            .untrusted, "the registry's \(rows.facet.table) \(key) was changed from outside",
            remedy: auditRemedy)
    }
}

/// Refuses to give a new row the name of one that was deleted from outside: its seal would cover up
/// for whoever did it.
///
/// - Throws: `untrusted`.
func requireNeverSealed(_ rows: FacetRows, in db: Database) throws {
    let current = try sealedForms(of: rows, in: db)
    while let (key, _) = try current.next() {
        guard try lastSeal(of: rows.facet, key: key, in: db) == nil else {
            throw Fault(
                .untrusted,
                "the registry had \(rows.facet.table) \(key) before, and it was deleted from outside",
                remedy: auditRemedy)
        }
    }
}

/// The newest seal of the row named `key`, and its event.
func lastSeal(
    of facet: Facet, key: String, in db: Database
) throws -> (event: UInt64, digest: Digest?)? {
    let row = try Row.fetchOne(
        db.cachedStatement(
            sql: """
                SELECT event, digest FROM sealed_rows WHERE facet = ? AND rowKey = ?
                    ORDER BY event DESC LIMIT 1
                """), arguments: [facet.name, key])
    return try row.map { (try $0.value("event"), Digest.fromDatabaseValue($0["digest"])) }
}

/// The salted digest over every seal of the event at `position`.
func digestOfSeals(at position: UInt64, salt: Digest, in db: Database) throws -> Digest {
    let seals = try Row.fetchCursor(
        db.cachedStatement(
            sql: """
                SELECT CAST(facet AS BLOB), CAST(rowKey AS BLOB), CAST(digest AS BLOB)
                    FROM sealed_rows WHERE event = ? ORDER BY facet, rowKey
                """), arguments: [position])
    var hasher = SHA256.Hasher()
    hasher.update(salt.bytes)
    while let seal = try seals.next() {
        var form: [UInt8] = []
        for column in 0..<3 { append(seal[column] ?? Data(), to: &form) }
        hasher.update(form)
    }
    return hasher.finish()
}

/// The keys and digests of `rows`, one after another.
func sealedForms(
    of rows: FacetRows, in db: Database
) throws -> some Cursor<(key: String, digest: Digest)> {
    let facet = rows.facet
    let columns = facet.key + facet.columns
    // A text as its bytes: what is not UTF-8, or holds a zero, must not pass for something else.
    let values = columns.map {
        "typeof(\($0)), CASE typeof(\($0)) WHEN 'text' THEN CAST(\($0) AS BLOB) ELSE \($0) END"
    }
    let sql = """
        SELECT \(facet.keyText), \(values.joined(separator: ", "))
            FROM \(facet.table) WHERE \(rows.condition)
        """
    return try Row.fetchCursor(db.cachedStatement(sql: sql), arguments: rows.arguments).map { row in
        (key: row[0], digest: digest(of: row, columns: columns))
    }
}

/// SHA-256 over each column that is not NULL: its name, type and value, each after its length. So
/// a column that a later version adds leaves the seals of older rows as they are.
private func digest(of row: Row, columns: [String]) -> Digest {
    var form: [UInt8] = []
    for (index, name) in columns.enumerated() {
        let value: DatabaseValue = row[2 + 2 * index]
        guard let bytes = bytes(of: value) else { continue }
        let type: String = row[1 + 2 * index]
        append(name.utf8, to: &form)
        append(type.utf8, to: &form)
        append(bytes, to: &form)
    }
    return SHA256.digest(of: form)
}

private func bytes(of value: DatabaseValue) -> Data? {
    switch value.storage {
    case .null: nil
    case .int64(let number): Data(bigEndian(UInt64(bitPattern: number)))
    case .double(let number): Data(bigEndian(number.bitPattern))
    case .string(let text): Data(text.utf8)
    case .blob(let data): data
    }
}

/// Appends `bytes` after how many they are.
private func append(_ bytes: some Collection<UInt8>, to form: inout [UInt8]) {
    form += bigEndian(UInt64(bytes.count))
    form += bytes
}

/// The eight bytes of `number`, most significant first.
private func bigEndian(_ number: UInt64) -> [UInt8] {
    withUnsafeBytes(of: number.bigEndian) { Array($0) }
}

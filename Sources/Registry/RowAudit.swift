import Cryptography
import Federation
import GRDB

/// Compares each row of `facet` that is history with the newest seal it has, and each sealed row
/// with the table.
func compareRows(
    of facet: Facet, in db: Database, report: inout RegistryAudit.Report
) throws {
    let rows = try sealedForms(of: facet.history, in: db)
    while let (key, digest) = try rows.next() {
        report.rows += 1
        guard let seal = try lastSeal(of: facet, key: key, in: db) else {
            report.add("\(facet.table) \(key)", "no event of the log made this row")
            continue
        }
        if seal.digest != digest {
            let columns = facet.columns.joined(separator: ", ")
            report.add(
                "\(facet.table) \(key)",
                "it is not as leaf \(seal.event) sealed it: one of \(columns) was changed")
        }
    }
    let missing = try String.fetchCursor(
        db,
        sql: """
            SELECT rowKey FROM sealed_rows WHERE facet = ?
                EXCEPT SELECT \(facet.keyText) FROM \(facet.table) WHERE \(facet.condition)
            """, arguments: [facet.name])
    while let key = try missing.next() {
        let event = try lastSeal(of: facet, key: key, in: db)?.event ?? 0
        report.add(
            "\(facet.table) \(key)", "it was there when leaf \(event) sealed it, and is gone")
    }
}

/// Checks that every model says where the leaf is that its proof is of.
func compareModelPositions(in db: Database, report: inout RegistryAudit.Report) throws {
    let wrong = try String.fetchCursor(
        db,
        sql: """
            SELECT \(Facet.model.keyText) FROM models
                LEFT JOIN (SELECT number, CAST(leaf AS TEXT) AS leaf FROM events)
                    ON number = position
                WHERE NOT ifnull(CASE WHEN json_valid(leaf) THEN
                    json_extract(leaf, '$.event') = 'modelSigned'
                    AND json_extract(leaf, '$.plan') = plan
                    AND json_extract(leaf, '$.version') = version END, FALSE)
            """)
    while let key = try wrong.next() {
        report.add("models \(key)", "its position is not that of the leaf that signs it")
    }
}

/// Reads every blob that `facet`'s rows name.
func compareBlobs(
    of facet: Facet, in db: Database, directory: String, report: inout RegistryAudit.Report
) throws {
    for (column, isKept) in facet.blobs.map({ ($0.name, $0.isKept) }) {
        let named = try Row.fetchCursor(
            db,
            sql: """
                SELECT \(column), MIN(\(facet.keyText)) FROM \(facet.table)
                    WHERE \(column) IS NOT NULL AND \(isKept) GROUP BY \(column)
                """)
        while let row = try named.next() {
            let owner = "\(facet.table) \(row[1] as String? ?? "") (\(column))"
            guard let digest = Digest.fromDatabaseValue(row[0]) else {
                report.add(owner, "it is not the digest of a blob")
                continue
            }
            report.blobs += 1
            compareBlob(digest, namedBy: owner, directory: directory, report: &report)
        }
    }
}

private func compareBlob(
    _ digest: Digest, namedBy owner: String, directory: String,
    report: inout RegistryAudit.Report
) {
    do throws(Fault) {
        let path = "\(directory)/blobs/\(digest.hex.prefix(2))/\(digest.hex)"
        guard try SHA256.digest(ofFile: path) != digest else { return }
        report.add("blob \(digest)", "its content was changed; \(owner) names it")
    } catch {
        let what = error.code == .notFound ? "it is missing" : error.message
        report.add("blob \(digest)", "\(what); \(owner) names it")
    }
}

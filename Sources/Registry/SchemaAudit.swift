import Federation
import GRDB
import GRDBSQLite

/// The tables that are defined as this version defines them; nil when the registry is not of this
/// version. Others are findings, and are not read: behind their name may be anything.
///
/// - Throws: `conflict` when a newer Tributary made the registry.
func soundTables(in db: Database, report: inout RegistryAudit.Report) throws -> Set<String>? {
    let migrator = Schema.migrator { _ in }
    guard try !migrator.hasBeenSuperseded(db) else {
        throw Fault(
            .conflict, "the registry was made by a newer version of Tributary",
            remedy: "audit it with that version")
    }
    guard try migrator.hasCompletedMigrations(db) else {
        report.add(
            "registry.sqlite",
            "it is of an older version, whose rows are not sealed; start the coordinator once")
        return nil
    }
    let expected = try expectedDefinitions.get()
    let found = try definitions(in: db)
    var sound: Set<String> = []
    for name in Set(expected.keys).union(found.keys).sorted() {
        switch (expected[name], found[name]) {
        case (let expected?, let found?) where expected == found: sound.insert(name)
        case (nil, _): report.add(name, "it is not a part of a registry")
        case (_, nil): report.add(name, "it is missing from the registry")
        default: report.add(name, "it is not defined as this version defines it")
        }
    }
    return sound
}

/// Those of a registry that this version makes.
private let expectedDefinitions = Result {
    let model = try DatabaseQueue()
    try Schema.migrator { _ in }.migrate(model)
    return try model.read(definitions)
}

/// Every table, index, trigger and view by name.
private func definitions(in db: Database) throws -> [String: String] {
    let rows = try Row.fetchCursor(
        db, sql: "SELECT name, type || ' ' || tbl_name || ' ' || ifnull(sql, '') FROM sqlite_master"
    )
    var definitions: [String: String] = [:]
    while let row = try rows.next() { definitions[row[0]] = row[1] }
    return definitions
}

/// A forged row must not take all the memory: no honest one has values larger than a leaf.
func limitRows(of db: Database) {
    sqlite3_limit(db.sqliteConnection, SQLITE_LIMIT_LENGTH, 1 << 20)
}

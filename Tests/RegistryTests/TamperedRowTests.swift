import Federation
import Foundation
import GRDB
import Provenance
import Registry
import Testing

@Suite("An audit of rows that somebody changed")
struct TamperedRowTests {
    private let lived: LivedIn

    init() async throws { lived = try await LivedIn.make() }

    /// What may change without an event, and why. Everything else in the schema is history.
    private static let volatile: [String: String] = [
        "agents.lastSeenUnix": "what the device last said",
        "agents.version": "what the device last said",
        "agents.cpuFeatures": "what the device last said",
        "agents.memoryKiB": "what the device last said",
        "agents.trustSetVersion": "what the device last said",
        "agents.certificateUsedUnix": "that the device has shown its newest certificate",
        "agent_plans": "what the device last said",
        "plans.state": "how far the daemon is",
        "plans.detail": "how far the daemon is",
        "plans.accuracyTeacher": "how far the daemon is; the card of version 0 says it",
        "rounds.bootID": "when the present phase ends",
        "rounds.deadlineNanoseconds": "when the present phase ends",
        "jobs.roundsDone": "how far the daemon is; the rounds are history",
        "jobs.state": "how far the daemon is",
        "jobs.detail": "how far the daemon is",
    ]

    /// Tables of SQLite and of its Swift face, which hold no rows of ours.
    private static let foreign = ["grdb_migrations", "sqlite_sequence"]

    /// Which rows of a table are history, where not all are.
    private static let condition = [
        "rounds": "phase IN ('published', 'abandoned')",
        "round_history": "round < 3", "round_coins": "round < 3", "contributions": "round < 3",
    ]

    /// How findings about a table of the log itself call it.
    private static let subject = ["events": ["leaf"], "sealed_rows": ["leaf", "sealed_rows"]]

    private struct Column {
        let table: String
        let name: String
        let type: String
        let isKey: Bool

        /// SQL for another value of the same type.
        var changed: String {
            if table == "rounds", name == "phase" { return "'published'" }
            let ofNothing = ["INTEGER": "1", "REAL": "1.5", "TEXT": "'x'"][type] ?? "zeroblob(32)"
            return """
                CASE typeof(\(name)) WHEN 'integer' THEN \(name) + 1000
                    WHEN 'real' THEN \(name) * 2 + 1 WHEN 'text' THEN \(name) || 'x'
                    WHEN 'blob' THEN zeroblob(length(\(name))) ELSE \(ofNothing) END
                """
        }
    }

    private func columns() throws -> [String: [Column]] {
        let queue = try DatabaseQueue(path: lived.scratch.directory + "/registry.sqlite")
        return try queue.read { db in
            let tables = try String.fetchAll(
                db, sql: "SELECT name FROM sqlite_master WHERE type = 'table'")
            var columns: [String: [Column]] = [:]
            for table in tables where !Self.foreign.contains(table) {
                columns[table] = try db.columns(in: table).map {
                    Column(
                        table: table, name: $0.name, type: $0.type,
                        isKey: $0.primaryKeyIndex > 0)
                }
            }
            return columns
        }
    }

    private func newest(_ columns: [Column]) -> String {
        let table = columns[0].table
        let keys = columns.filter(\.isKey).map(\.name)
        let order = keys.map { "\($0) DESC" }.joined(separator: ", ")
        let list = keys.joined(separator: ", ")
        return """
            (\(list)) = (SELECT \(list) FROM \(table) WHERE \(Self.condition[table] ?? "TRUE")
                ORDER BY \(order) LIMIT 1)
            """
    }

    private func isNamed(_ table: String, in subjects: [String]) -> Bool {
        (Self.subject[table] ?? [table]).contains { name in
            subjects.contains { $0 == name || $0.hasPrefix(name + " ") }
        }
    }

    @Test("a directory that nobody changed has no finding")
    func clean() async throws {
        let report = try lived.copy(withFiles: false).audit()
        #expect(report.findings == [])
        #expect(report.leaves == UInt64(try await lived.scratch.registry.eventCount()))
        #expect(report.rows == 39)
        #expect(report.blobs == 22)
        #expect(report.tiles == 2)
        #expect(try await report.checkpoint == lived.scratch.registry.checkpoint())
        // Beside the open registry, too.
        let open = try RegistryAudit.run(
            directory: lived.scratch.directory, log: logSigner.verifier)
        #expect(open == report)
    }

    @Test("every changed column of the newest row is noticed unless it is known to be volatile")
    func edits() throws {
        var unknown = Set(Self.volatile.keys)
        let tables = try columns()
        #expect(tables.count == 19)
        for (table, columns) in tables {
            for column in columns {
                let name = "\(table).\(column.name)"
                let damaged = try lived.copy(withFiles: false)
                let count = try damaged.withoutGuards { db in
                    try db.execute(
                        sql: """
                            UPDATE \(table) SET \(column.name) = \(column.changed)
                                WHERE \(newest(columns))
                            """)
                    return db.changesCount
                }
                #expect(count == 1, "\(name)")
                let subjects = try damaged.subjects()
                if Self.volatile[name] != nil || Self.volatile[table] != nil {
                    #expect(subjects == [], "\(name)")
                    unknown.subtract([name, table])
                } else {
                    #expect(isNamed(table, in: subjects), "\(name): \(subjects)")
                }
            }
        }
        #expect(unknown == [])
    }

    @Test("a deleted newest row and a forged one are noticed in every table")
    func rows() throws {
        for (table, columns) in try columns() where Self.volatile[table] == nil {
            let deleted = try lived.copy(withFiles: false).sql(
                "DELETE FROM \(table) WHERE \(newest(columns))")
            #expect(isNamed(table, in: try deleted.subjects()), "deleted from \(table)")
            let key = columns.last { $0.isKey }?.name
            let values = columns.map {
                [key, "certificateSerial"].contains($0.name) ? $0.changed : $0.name
            }
            let forged = try lived.copy(withFiles: false).sql(
                """
                INSERT INTO \(table) (\(columns.map(\.name).joined(separator: ", ")))
                    SELECT \(values.joined(separator: ", ")) FROM \(table)
                    WHERE \(newest(columns))
                """)
            #expect(isNamed(table, in: try forged.subjects()), "forged in \(table)")
        }
    }
}

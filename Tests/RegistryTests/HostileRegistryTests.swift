import Federation
import Foundation
import GRDB
import Provenance
import Registry
import Testing

@Suite("An audit of a file that is hardly a registry")
struct HostileRegistryTests {
    private let lived: LivedIn

    init() async throws { lived = try await LivedIn.make() }

    @Test("a file that is cut, overwritten or something else is a finding, not a crash")
    func notARegistry() throws {
        let damaged = try lived.copy(withFiles: false)
        let file = URL(filePath: damaged.path("registry.sqlite"))
        let whole = try Data(contentsOf: file)
        var scribbled = whole
        for index in stride(from: 4096, to: whole.count, by: 97) { scribbled[index] = 0xa5 }
        for bytes in [
            Data(), Data("nonsense".utf8), whole.prefix(5000), whole.prefix(whole.count / 2),
            scribbled,
        ] {
            try bytes.write(to: file)
            #expect(try !damaged.audit().isClean)
        }
    }

    @Test("a table that is gone, another, or only looks like one is named and not read")
    func otherSchema() throws {
        let cases = [
            ("DROP TABLE refusals", "refusals"),
            ("DROP INDEX sealed_rows_by_row", "sealed_rows_by_row"),
            (
                "DROP TABLE contributions; CREATE TABLE contributions (round, attempt, agent)",
                "contributions"
            ),
            (
                """
                DROP TABLE ledger; CREATE VIEW ledger AS WITH RECURSIVE n(i) AS
                    (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n
                """, "ledger"
            ),
            ("CREATE TRIGGER t AFTER INSERT ON events BEGIN DELETE FROM ledger; END", "t"),
            ("DROP TABLE events", "events"),
        ]
        for (sql, name) in cases {
            let damaged = try lived.copy(withFiles: false)
            try DatabaseQueue(path: damaged.path("registry.sqlite")).inDatabase { db in
                try db.execute(sql: "PRAGMA foreign_keys = OFF")
                try db.execute(sql: sql)
            }
            #expect(try damaged.subjects().contains(name))
        }
    }

    @Test("values of the wrong type, of no type and of any size are findings")
    func oddValues() throws {
        let cases = [
            ("UPDATE plan_versions SET title = printf('%.*c', 3000000, 'x')", "plan_versions"),
            ("UPDATE models SET modelDigest = zeroblob(3000000)", "models"),
            ("UPDATE agents SET revokedReason = CAST(x'ff00fe' AS TEXT)", "agents"),
            ("UPDATE ledger SET epsilonAfter = 9e999", "ledger"),
            ("UPDATE events SET leaf = x'ff' WHERE number = 0", "leaf 0"),
            ("UPDATE events SET leafHash = x'00' WHERE number = 0", "leaf 0"),
            ("UPDATE events SET salt = x'00' WHERE number = 1", "leaf 1"),
            ("UPDATE events SET number = -1 WHERE number = 0", "events"),
            ("UPDATE events SET leaf = zeroblob(3000000) WHERE number = 0", "events"),
        ]
        for (sql, subject) in cases {
            let damaged = try lived.copy(withFiles: false).sql(sql)
            let subjects = try damaged.subjects()
            #expect(subjects.contains { $0.hasPrefix(subject) }, "\(sql): \(subjects)")
        }
    }

    @Test("an older registry, a newer one and none are told apart")
    func otherVersions() throws {
        let older = try lived.copy().sql("DELETE FROM grdb_migrations WHERE identifier LIKE '4%'")
        #expect(try older.audit().findings.map(\.what).first?.contains("older version") == true)
        let newer = try lived.copy().sql("INSERT INTO grdb_migrations VALUES ('99 later')")
        #expect(throws: Fault.self) { _ = try newer.audit() }
        let none = try lived.copy()
        try none.remove("registry.sqlite")
        let fault = #expect(throws: Fault.self) { _ = try none.audit() }
        #expect(fault?.code == .notFound)
    }
}

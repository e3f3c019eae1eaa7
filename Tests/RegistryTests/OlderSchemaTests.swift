import Federation
import Foundation
import GRDB
import Registry
import Testing

@Suite("A registry that an earlier version of the same line left")
struct OlderSchemaTests {
    /// What each migration added, newest first.
    private static let additions: [(migration: String, sql: String)] = [
        ("6 retention", "ALTER TABLE models DROP COLUMN collectedUnix"),
        (
            "5 rounds that go on",
            """
            DROP INDEX rounds_by_job;
            DROP INDEX rounds_by_plan;
            ALTER TABLE rounds DROP COLUMN deadlineNanoseconds;
            ALTER TABLE rounds DROP COLUMN bootID;
            ALTER TABLE rounds DROP COLUMN releasedExamples;
            ALTER TABLE rounds DROP COLUMN releasedRejected;
            ALTER TABLE contributions DROP COLUMN lost;
            ALTER TABLE plans DROP COLUMN pausedUnix;
            ALTER TABLE plans DROP COLUMN pausedReason;
            """
        ),
    ]

    @Test(
        "is brought up to date, agrees with its log and goes on; nothing of it changes meanwhile",
        arguments: [4, 5])
    func migrated(version: Int) async throws {
        let damaged = try await LivedIn.make().copy()
        try await older(damaged, version: version)
        #expect(try damaged.audit().findings.map(\.subject) == ["registry.sqlite"])
        // Beside a daemon, which may be of that version, it stays as it is.
        let refused = #expect(throws: Fault.self) {
            _ = try openRegistry(damaged.directory, migrating: false)
        }
        #expect(refused?.code == .conflict && refused?.message.contains("older version") == true)
        #expect(try damaged.audit().findings.map(\.subject) == ["registry.sqlite"])
        let registry = try openRegistry(damaged.directory)
        #expect(try damaged.audit().findings == [])
        let events = try await registry.eventCount()
        // A second start changes nothing.
        let again = try openRegistry(damaged.directory, migrating: false)
        #expect(try await again.eventCount() == events)
        let collected = try await again.collectVersions(
            of: fashion, keeping: 1, nowUnix: now
        ) { version, _ in event(.versionCollected, "\(version)") }
        // Round 3 is open, and started from version 0.
        #expect(collected == [1])
        #expect(try damaged.audit().findings == [])
    }

    private func older(_ damaged: Damaged, version: Int) async throws {
        let queue = try DatabaseQueue(path: damaged.path("registry.sqlite"))
        try await queue.write { db in
            for addition in Self.additions.dropLast(version - 4) {
                try db.execute(sql: addition.sql)
                try db.execute(
                    sql: "DELETE FROM grdb_migrations WHERE identifier = ?",
                    arguments: [addition.migration])
            }
        }
    }
}

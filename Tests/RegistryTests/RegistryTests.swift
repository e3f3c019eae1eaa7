import Federation
import Foundation
import GRDB
import Registry
import Testing

@Suite("Opening a registry")
struct RegistryTests {
    private let scratch: Scratch
    private var registry: Registry { scratch.registry }

    init() throws { scratch = try Scratch() }

    @Test("reopening keeps agents, plans, models, rounds, the ledger, the log and blobs")
    func reopening() async throws {
        let first = registry
        try await first.enrolAgents(2)
        let at = try await first.startFirstRound()
        _ = try await first.recordCoin(at, agent: agentID(1), selected: true)
        try await first.gather(at)
        let blob = try await first.putBlob([1, 2, 3])

        let second = try scratch.reopened()
        #expect(try await second.agents() == first.agents())
        #expect(try await second.plans() == first.plans())
        #expect(try await second.models(fashion) == first.models(fashion))
        #expect(try await second.rounds(plan: nil) == first.rounds(plan: nil))
        #expect(try await second.round(at.round).phase == .aggregating)
        #expect(try await second.jobs() == first.jobs())
        #expect(try await second.blob(blob) == [1, 2, 3])
        let log = try await second.events(from: 0, limit: 100)
        #expect(try await log == first.events(from: 0, limit: 100))
        #expect(log.count == 8)
    }

    @Test("two open registries over one directory see each other's commits")
    func twoAtOnce() async throws {
        let other = try scratch.reopened()
        try await other.record(event(.adminIssued, "a"), nowUnix: now)
        try await registry.record(event(.adminIssued, "b"), nowUnix: now)
        #expect(try await other.eventCount() == 2)
    }

    @Test("a schema from a newer version is refused and left alone")
    func newerSchema() async throws {
        let file = scratch.directory + "/registry.sqlite"
        let queue = try DatabaseQueue(path: file)
        try await queue.write { db in
            try db.execute(sql: "INSERT INTO grdb_migrations VALUES ('99 from the future')")
        }
        let fault = #expect(throws: Fault.self) { _ = try scratch.reopened() }
        #expect(fault?.code == .conflict)
        #expect(fault?.message == "\(file) was made by a newer version of Tributary")
    }

    @Test("a file that is not a database is named")
    func notADatabase() throws {
        let other = scratch.directory + "/other"
        try FileManager.default.createDirectory(atPath: other, withIntermediateDirectories: true)
        try Data(repeating: 7, count: 5000).write(to: URL(filePath: other + "/registry.sqlite"))
        let fault = #expect(throws: Fault.self) { _ = try openRegistry(other) }
        #expect(fault?.code == .storage)
        #expect(fault?.message.contains("registry.sqlite") == true)
    }

    @Test("a directory that cannot be made is named, with its cause")
    func unwritable() throws {
        let below = scratch.directory + "/registry.sqlite/state"
        let fault = #expect(throws: Fault.self) { _ = try openRegistry(below) }
        #expect(fault?.code == .storage)
        #expect(fault?.message == "cannot create the directory \(below): Not a directory")
        #expect(fault?.remedy.isEmpty == false)
    }

    @Test("a directory without write permission is refused", .disabled(if: getuid() == 0))
    func readOnly() throws {
        #expect(chmod(scratch.directory, 0o500) == 0)
        defer { chmod(scratch.directory, 0o700) }
        let fault = #expect(throws: Fault.self) { _ = try scratch.reopened() }
        #expect(fault?.code == .storage)
    }

    @Test("a value that does not decode is a storage fault")
    func damagedRow() async throws {
        try await registry.enrolAgents(1)
        let queue = try DatabaseQueue(path: scratch.directory + "/registry.sqlite")
        try await queue.write { db in
            try db.execute(sql: "PRAGMA ignore_check_constraints = ON")
            try db.execute(sql: "UPDATE agents SET certificateDigest = x'00'")
        }
        #expect(await faultCode { _ = try await registry.agents() } == .storage)
    }
}

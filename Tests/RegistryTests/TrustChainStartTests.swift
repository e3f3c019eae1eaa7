import Federation
import Foundation
import GRDB
import Provenance
import Registry
import Testing

@Suite("The first opening of an older registry")
struct TrustChainStartTests {
    private let directory = NSTemporaryDirectory() + "tributary-registry-\(UUID().uuidString)"

    @Test("its leaves get their tree, its rows one seal, and its models their proofs")
    func migration() async throws {
        let damaged = Damaged(directory: directory)
        try OlderRegistry.make(in: directory)
        let registry = try openRegistry(directory, sealsOlder: true)
        let count = OlderRegistry.leaves.count
        let events = try await registry.events(from: 0, limit: 100)
        #expect(
            events.dropLast().map { String(decoding: $0.leaf, as: UTF8.self) }
                == OlderRegistry.leaves)
        let sealed = try #require(events.last.flatMap { LeafFields($0.leaf) })
        #expect(sealed.event == "registrySealed")
        #expect(try await registry.checkpoint().checkpoint.size == UInt64(count) + 1)
        for (version, position) in [(0, 5), (1, 9)] as [(UInt64, UInt64)] {
            let proof = try await registry.modelProof(plan: fashion, version: version)
            _ = try proof.verify(key: logSigner.verifier)
            #expect(proof.index == position)
        }
        let report = try damaged.audit()
        #expect(report.findings == [])
        #expect(report.leaves == UInt64(count) + 1)
        #expect(report.rows > 20)

        // It is sealed once, and goes on.
        let again = try openRegistry(directory, sealsOlder: true)
        #expect(try await again.eventCount() == UInt64(count) + 1)
        let open = RoundAttempt(round: RoundID(2), attempt: 1)
        try await again.abandon(
            open, reason: "restart", nowUnixMilliseconds: nowMilliseconds + 20,
            event: event(.roundAbandoned, "2"))
        try await again.revoke(
            agentID(1), reason: "lost", nowUnix: now, event: event(.agentRevoked, "1"))
        #expect(try damaged.subjects() == [])
    }

    @Test("is refused unless it is asked for: anybody could make a registry look old")
    func refused() throws {
        try OlderRegistry.make(in: directory)
        let fault = #expect(throws: Fault.self) { _ = try openRegistry(directory) }
        #expect(fault?.code == .untrusted)
    }

    @Test(
        "what was sealed then cannot change later",
        arguments: [
            ("UPDATE ledger SET epsilonAfter = 0.1", "ledger fashion 1 1"),
            ("UPDATE models SET accuracy = 1 WHERE version = 0", "models fashion 0"),
            ("UPDATE models SET position = 6 WHERE version = 0", "models fashion 0"),
            ("UPDATE events SET unix = 5 WHERE number = 2", "events 2"),
            ("DELETE FROM round_history WHERE round = 1 AND step = 1", "round_history 1 1"),
            ("UPDATE rounds SET baseVersion = 0 WHERE id = 2", "rounds 2"),
        ])
    func tampered(statement: String, subject: String) throws {
        let damaged = Damaged(directory: directory)
        try OlderRegistry.make(in: directory)
        _ = try openRegistry(directory, sealsOlder: true)
        try damaged.sql(statement)
        #expect(try damaged.subjects() == [subject])
    }

    @Test("a registry that was sealed before and only looks old is refused")
    func disguised() throws {
        let damaged = Damaged(directory: directory)
        try OlderRegistry.make(in: directory)
        let older = try Data(contentsOf: URL(filePath: damaged.path("registry.sqlite")))
        _ = try openRegistry(directory, sealsOlder: true)
        for name in ["registry.sqlite-wal", "registry.sqlite-shm"] { try? damaged.remove(name) }
        try older.write(to: URL(filePath: damaged.path("registry.sqlite")))
        let fault = #expect(throws: Fault.self) {
            _ = try openRegistry(directory, sealsOlder: true)
        }
        #expect(fault?.code == .untrusted)
    }

    @Test("an audit of one that was not opened yet says so")
    func unopened() throws {
        let damaged = Damaged(directory: directory)
        try OlderRegistry.make(in: directory)
        let findings = try damaged.audit().findings
        #expect(findings.contains { $0.what.contains("older version") })
    }
}

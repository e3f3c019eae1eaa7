import Cryptography
import Federation
import Foundation
import GRDB
import Provenance
import Registry
import Testing

@Suite("An audit of a log, blobs and files that somebody changed")
struct TamperedLogTests {
    private let lived: LivedIn

    init() async throws { lived = try await LivedIn.make() }

    @Test("beside a registry that is being written an audit finds nothing")
    func concurrent() async throws {
        let scratch = lived.scratch
        let writing = Task {
            for number in 0..<300 {
                try await scratch.registry.record(event(.keyAdded, "\(number)"), nowUnix: now)
            }
        }
        var audits = 0
        var newest: UInt64 = 0
        while newest < 300 {
            let report = try RegistryAudit.run(
                directory: scratch.directory, log: logSigner.verifier)
            #expect(report.findings == [])
            newest = report.leaves
            audits += 1
            try await Task.sleep(for: .milliseconds(10))
        }
        try await writing.value
        #expect(audits > 1)
    }

    @Test("a leaf that is changed with its hash is found out by the signed root")
    func forgedLeaf() throws {
        let damaged = try lived.copy()
        let forged = Array(#"{"event":"fleetCreated","time":1800000000}"#.utf8)
        try damaged.withoutGuards { db in
            try db.execute(
                sql: "UPDATE events SET leaf = ?, leafHash = ?, salt = NULL WHERE number = 3",
                arguments: [Data(forged), Data(Merkle.leafHash(forged).bytes)])
        }
        let subjects = try damaged.subjects()
        #expect(subjects.contains("checkpoint"))
        #expect(subjects.contains("log/checkpoint"))
        #expect(subjects.contains("log_nodes 1 1"))
        #expect(subjects.contains { $0.hasPrefix("log/tile/0/000.p/") })
        #expect(subjects.contains { $0.hasPrefix("log/tile/entries/000.p/") })
    }

    @Test("a row that is changed with its seal is found out by the leaf that sealed it")
    func forgedSeal() throws {
        let damaged = try lived.copy(withFiles: false)
        try damaged.sql(
            "UPDATE ledger SET epsilonAfter = 0.1 WHERE round = 1",
            "UPDATE sealed_rows SET digest = zeroblob(32) WHERE facet = 'charge'")
        let findings = try damaged.audit().findings
        #expect(findings.map(\.subject).filter { $0.hasPrefix("leaf") }.count == 2)
        #expect(findings.contains { $0.what.contains("charge fashion 1 1") })
    }

    @Test("a seal put where the next event goes is not signed")
    func plantedSeal() async throws {
        let damaged = try lived.copy()
        try damaged.sql(
            """
            INSERT INTO sealed_rows
                SELECT COUNT(*), 'agent', 'agent-1', zeroblob(32) FROM events
            """)
        #expect(try damaged.subjects().contains { $0.hasPrefix("sealed_rows") })
        let registry = try openRegistry(damaged.directory)
        let code = await faultCode {
            try await registry.record(event(.fleetCreated, "x"), nowUnix: now)
        }
        #expect(code == .untrusted)
    }

    @Test("a change of a row that somebody changed before is refused: it would cover up for them")
    func coverUp() async throws {
        let damaged = try lived.copy()
        try damaged.sql(
            "UPDATE agents SET enrolledUnix = 5", "UPDATE tokens SET uses = 100",
            "UPDATE people SET revokedUnix = NULL", "UPDATE plans SET teacherDigest = NULL")
        let registry = try openRegistry(damaged.directory)
        let anything = event(.fleetCreated, "x")
        let certificate = ("77", digest("77"), now + 9)
        let codes = [
            await faultCode {
                try await registry.revoke(agentID(1), reason: "", nowUnix: now, event: anything)
            },
            await faultCode {
                try await registry.renew(
                    agentID(1), certificate: certificate, nowUnix: now, event: anything)
            },
            await faultCode {
                try await registry.enrol(
                    agentID(9), secretDigest: digest("secret 1"), certificate: certificate,
                    nowUnix: now, event: anything)
            },
            await faultCode {
                try await registry.revokePerson(
                    "ada", reason: "", nowUnix: now, event: anything)
            },
            await faultCode {
                try await registry.setTeacher(
                    fashion, digest: digest("sum"), nowUnix: now, event: anything)
            },
            await faultCode {
                _ = try await registry.applyPlan(
                    fashion, digest: digest("sum"), population: "", title: "", nowUnix: now,
                    event: anything)
            },
        ]
        #expect(codes == Array(repeating: .untrusted, count: 6))
    }

    @Test("a checkpoint that is older, of another key, damaged or gone is named")
    func checkpoints() async throws {
        let older = try await lived.scratch.registry.checkpoint().note
        try await lived.scratch.registry.record(event(.fleetCreated, "x"), nowUnix: now)
        let other = try LogSigner(name: "tributary/test", key: PrivateKey.generate(.ed25519))
        let newest = try await lived.scratch.registry.checkpoint().checkpoint
        for (note, subject) in [
            (older, "leaf \(newest.size - 1)"), (try other.sign(newest).note, "checkpoint"),
            ([1, 2, 3], "checkpoint"), ([], "checkpoint"),
        ] {
            let damaged = try lived.copy(withFiles: false)
            try damaged.withoutGuards { db in
                try db.execute(sql: "UPDATE checkpoint SET note = ?", arguments: [Data(note)])
            }
            #expect(try damaged.subjects().contains(subject))
            let fault = #expect(throws: Fault.self) { _ = try openRegistry(damaged.directory) }
            #expect(fault?.code == .untrusted)
            #expect(fault?.remedy.contains("audit verify") == true)
            let published = try lived.copy()
            try Data(note).write(to: URL(filePath: published.path("log/checkpoint")))
            let isOlder = note == older
            #expect(try published.subjects() == (isOlder ? [] : ["log/checkpoint"]))
        }
        let gone = try lived.copy().sql("DELETE FROM checkpoint")
        #expect(try gone.subjects().contains("checkpoint"))
    }

    @Test("every blob that is changed, cut or gone is named by its digest")
    func blobs() throws {
        let damaged = try lived.copy()
        let names = damaged.files(below: "blobs")
        #expect(names.count > 15)
        for name in names {
            let subject = "blob \(name.split(separator: "/").last ?? "")"
            for findings in try damaged.findings(damaging: name) {
                #expect(!findings.isEmpty)
                #expect(findings.allSatisfy { $0.subject == subject })
            }
        }
        #expect(try damaged.subjects() == [])
    }

    @Test("every tile that is changed, cut or gone is named")
    func tiles() async throws {
        for number in 0..<300 {
            try await lived.scratch.registry.record(event(.keyAdded, "\(number)"), nowUnix: now)
        }
        let damaged = try lived.copy()
        let names = damaged.files(below: "log/tile")
        #expect(names.count == 5)
        #expect(try damaged.audit().tiles == 5)
        for name in names {
            for findings in try damaged.findings(damaging: name) {
                #expect(findings.map(\.subject) == [name])
            }
        }
        #expect(try damaged.subjects() == [])
        try damaged.remove("log/checkpoint")
        #expect(try damaged.subjects() == ["log/checkpoint"])
    }
}

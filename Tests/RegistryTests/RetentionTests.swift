import Federation
import Foundation
import GRDB
import Glibc
import Provenance
import Registry
import Testing

@Suite("Weights of older versions")
struct RetentionTests {
    private let scratch: Scratch
    private var registry: Registry { scratch.registry }

    init() throws { scratch = try Scratch() }

    /// Publishes version 0 and then one a round up to `newest`; each with blobs of its own.
    private func publish(upTo newest: UInt64) async throws -> UInt64 {
        _ = try await registry.putBlob(Array("plan".utf8))
        try await store(0)
        let job = try await registry.prepareFashion()
        for version in 1...newest {
            let at = try await startRound(from: version - 1, job: job)
            try await registry.gather(at)
            let made = ["sum", "moved"].map { "\($0) \(version)" }
            for text in made { _ = try await registry.putBlob(Array(text.utf8)) }
            try await registry.release(
                at, aggregateDigest: digest(made[0]), masterDigest: digest(made[1]),
                velocityDigest: nil, commitmentSecret: testSecret,
                nowUnixMilliseconds: nowMilliseconds, event: event(.roundSealed, "\(version)"))
            try await store(version)
            try await registry.publishRound(at, version: version)
        }
        return job
    }

    private func store(_ version: UInt64) async throws {
        for text in ["model", "signature", "master", "card", "velocity"]
        where text != "velocity" || version > 0 {
            _ = try await registry.putBlob(Array("\(text) \(version)".utf8))
        }
    }

    private func startRound(from base: UInt64, job: UInt64) async throws -> RoundAttempt {
        try await registry.startRound(
            plan: fashion, job: job, baseVersion: base, rotationSeed: rotationSeed,
            latticeID: digest("lattice"), nowUnixMilliseconds: nowMilliseconds,
            event: { event(.roundStarted, "\($0.round)") })
    }

    private func collect(keeping newest: Int) async throws -> [UInt64] {
        try await registry.collectVersions(of: fashion, keeping: newest, nowUnix: now + 5) {
            FleetEvent(
                .versionCollected,
                [
                    ("plan", .text(fashion.name)), ("version", .number($0)),
                    ("model", .text($1.hex)),
                ])
        }
    }

    private func isThere(_ text: String) -> Bool {
        let name = digest(text).hex
        return scratch.blobFiles().contains("\(name.prefix(2))/\(name)")
    }

    private func findings(readsBlobs: Bool = true) throws -> [RegistryAudit.Finding] {
        try RegistryAudit.run(
            directory: scratch.directory, log: logSigner.verifier, readsBlobs: readsBlobs
        ).findings
    }

    @Test("and blobs are kept for rows to come until it is said that none come")
    func letGo() async throws {
        let blob = try await registry.putBlob(Array("sum".utf8))
        try await registry.keepBlob(blob)
        registry.letGo(of: [blob])
        #expect(try await registry.collectOrphans() == 0)
        registry.letGo(of: [blob])
        #expect(try await registry.collectOrphans() == 1)
        #expect(!isThere("sum"))
    }

    @Test("go with what their rounds released; what says where they came from stays")
    func collected() async throws {
        _ = try await publish(upTo: 3)
        let before = try await registry.eventCount()
        #expect(try await collect(keeping: 2) == [0, 1])
        for gone in [
            "model 0", "master 0", "model 1", "master 1", "velocity 1", "sum 1", "moved 1",
        ] { #expect(!isThere(gone), "\(gone)") }
        for kept in [
            "plan", "signature 0", "card 0", "signature 1", "card 1", "model 2", "master 2",
            "velocity 2", "sum 2", "moved 2", "model 3", "sum 3",
        ] { #expect(isThere(kept), "\(kept)") }
        #expect(try findings() == [])
        #expect(
            try await registry.models(fashion).map(\.collectedUnix) == [now + 5, now + 5, nil, nil])
        let leaves = try await registry.events(from: before, limit: 10).compactMap {
            LeafFields($0.leaf)
        }
        #expect(leaves.map(\.event) == ["versionCollected", "versionCollected"])
        #expect(leaves.first?.text("model") == digest("model 0").hex)
        #expect(try await collect(keeping: 2) == [])
        #expect(try await registry.eventCount() == before + 2)
    }

    @Test("of the newest version stay, however few are to be kept")
    func newest() async throws {
        _ = try await publish(upTo: 2)
        #expect(try await collect(keeping: 0) == [0, 1])
        #expect(isThere("model 2") && isThere("master 2"))
        #expect(try findings() == [])
    }

    @Test("stay while a round in flight started from them")
    func baseOfRound() async throws {
        let job = try await publish(upTo: 2)
        let at = try await startRound(from: 1, job: job)
        #expect(try await collect(keeping: 1) == [0])
        #expect(isThere("model 1") && isThere("master 1"))
        try await registry.abandon(
            at, reason: "enough", nowUnixMilliseconds: nowMilliseconds,
            event: event(.roundAbandoned, "3"))
        #expect(try await collect(keeping: 1) == [1])
        #expect(!isThere("model 1"))
        #expect(try findings() == [])
    }

    @Test("of a round that released and was abandoned go with the version it started from")
    func abandonedAfterRelease() async throws {
        let job = try await publish(upTo: 1)
        let at = try await startRound(from: 1, job: job)
        try await registry.gather(at)
        for text in ["sum", "master", "velocity"] {
            _ = try await registry.putBlob(Array(text.utf8))
        }
        try await registry.releaseRound(at)
        try await registry.abandon(
            at, reason: "a worse model", nowUnixMilliseconds: nowMilliseconds,
            event: event(.roundAbandoned, "2"))
        #expect(try await collect(keeping: 1) == [0])
        #expect(isThere("sum"))
        var next = fashionModel(2, round: 0)
        next.files = []
        try await store(2)
        try await registry.republish(next, event: modelSigned(2), nowUnix: now)
        #expect(try await collect(keeping: 1) == [1])
        #expect(!isThere("sum") && !isThere("velocity"))
        #expect(try findings() == [])
    }

    @Test("that a kept version has too stay: a version republished keeps the bytes of the old one")
    func shared() async throws {
        _ = try await publish(upTo: 1)
        var again = fashionModel(2, round: 0)
        again.masterDigest = digest("master 0")
        try await store(2)
        try await registry.republish(again, event: modelSigned(2), nowUnix: now)
        #expect(try await collect(keeping: 1) == [0, 1])
        #expect(isThere("master 0") && !isThere("model 0"))
        #expect(try findings() == [])
    }

    @Test(
        "that are stored again, or kept, for a row still to be written are not taken away before it",
        arguments: [true, false])
    func pinned(isStored: Bool) async throws {
        _ = try await publish(upTo: 1)
        if isStored {
            _ = try await registry.putBlob(Array("master 0".utf8))
        } else {
            try await registry.keepBlob(digest("master 0"))
        }
        #expect(try await collect(keeping: 1) == [0])
        #expect(isThere("master 0") && !isThere("model 0"))
        var again = fashionModel(2, round: 0)
        again.masterDigest = digest("master 0")
        try await store(2)
        try await registry.republish(again, event: modelSigned(2), nowUnix: now)
        #expect(try findings() == [])
    }

    @Test("stay while a backup copies them, and go at the next start")
    func whileCopied() async throws {
        _ = try await publish(upTo: 1)
        let lock = open(scratch.directory + "/blobs/copy.lock", O_RDWR | O_CREAT, 0o600)
        #expect(flock(lock, LOCK_SH) == 0)
        #expect(try await collect(keeping: 1) == [0])
        #expect(isThere("model 0") && isThere("master 0"))
        close(lock)
        #expect(try await scratch.reopened().collectOrphans() == 2)
        #expect(!isThere("model 0") && isThere("model 1") && isThere("card 0"))
        #expect(try findings() == [])
    }

    @Test("more versions than one transaction takes are collected all the same")
    func many() async throws {
        _ = try await registry.prepareFashion()
        for version in 1...130 as ClosedRange<UInt64> {
            var model = fashionModel(version, round: 0)
            model.files = []
            try await registry.republish(model, event: modelSigned(version), nowUnix: now)
        }
        #expect(try await collect(keeping: 10) == Array(0...120))
        #expect(try findings(readsBlobs: false) == [])
    }

    @Test("what a crash left between a blob and its row goes at the next start, and nothing else")
    func orphans() async throws {
        let lived = try await LivedIn.make()
        let there = lived.scratch.blobFiles()
        _ = try await lived.scratch.registry.putBlob([1, 2, 3])
        let next = try lived.scratch.reopened()
        #expect(try await next.collectOrphans() == 1)
        #expect(lived.scratch.blobFiles() == there)
        #expect(try await next.collectOrphans() == 0)
    }

    @Test("of a version that somebody marks from outside are missed by the audit")
    func marked() async throws {
        _ = try await publish(upTo: 2)
        _ = try await collect(keeping: 2)
        let queue = try DatabaseQueue(path: scratch.directory + "/registry.sqlite")
        try await queue.write { db in
            try db.execute(sql: "UPDATE models SET collectedUnix = 5 WHERE version = 1")
        }
        #expect(try findings().map(\.subject) == ["models fashion 1"])
        try await queue.write { db in
            try db.execute(sql: "UPDATE models SET collectedUnix = NULL WHERE version < 2")
        }
        #expect(
            try findings().map(\.subject).contains("models fashion 0"))
    }

    @Test("of a registry that an older version made are collected like others")
    func older() async throws {
        let directory = scratch.directory + "/older"
        try OlderRegistry.make(in: directory)
        let registry = try openRegistry(directory, sealsOlder: true)
        let versions = try await registry.collectVersions(
            of: fashion, keeping: 1, nowUnix: now
        ) { version, _ in event(.versionCollected, "\(version)") }
        #expect(versions == [0])
        let report = try RegistryAudit.run(directory: directory, log: logSigner.verifier)
        #expect(report.findings == [])
    }
}

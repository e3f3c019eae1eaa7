import Cryptography
import Federation
import Foundation
import GRDB
import Provenance
import Registry

/// A registry with rows in every table that history fills, for tests that change it from outside.
struct LivedIn {
    let scratch: Scratch

    static func make() async throws -> LivedIn {
        let lived = LivedIn(scratch: try Scratch())
        try await live(in: lived.scratch.registry)
        return lived
    }

    /// Enrols, trains, publishes, abandons, renews, revokes ...; round 3 is still open.
    private static func live(in registry: Registry) async throws {
        for text in LivedIn.blobs { _ = try await registry.putBlob(Array(text.utf8)) }
        try await registry.enrolAgents(3)
        let at = try await registry.startFirstRound()
        try await registry.setTeacher(
            fashion, digest: digest("teacher"), nowUnix: now, event: event(.teacherKept, "teacher"))
        try await LivedIn.take(part: 1, in: at, of: registry)
        try await registry.gather(at)
        try await registry.releaseRound(at)
        try await registry.publishRound(at, version: 1)
        let second = try await registry.startRound(job: 1)
        try await LivedIn.take(part: 2, in: second, of: registry)
        try await registry.addTraffic(second, bytesIn: 100, bytesOut: 200)
        try await registry.abandon(
            second, reason: "too few", nowUnixMilliseconds: nowMilliseconds + 9,
            event: event(.roundAbandoned, "2"))
        var model = fashionModel(2, round: 0)
        model.distillation = DistillationTrial(accuracyBefore: 0.5, accuracyAfter: 0.75)
        try await registry.republish(model, event: modelSigned(2), nowUnix: now + 10)
        try await LivedIn.changePeople(in: registry)
        let third = try await registry.startRound(job: 1)
        _ = try await registry.recordCoin(third, agent: agentID(1), selected: true)
        try await registry.sawAgent(
            agentID(3), nowUnix: now + 20, version: "1", cpuFeatures: "avx2", memoryKiB: 1,
            plans: [
                Readiness(
                    plan: fashion, planDigest: nil, examples: 1, unreadable: 0, modelVersion: nil)
            ])
    }

    private static let blobs =
        ["plan", "teacher", "sum", "master", "velocity", "velocity 1", "velocity 2"]
        + (0...2).flatMap { version in
            ["model", "signature", "master", "card"].map { "\($0) \(version)" }
        }

    private static func take(
        part number: Int, in at: RoundAttempt, of registry: Registry
    ) async throws {
        _ = try await registry.recordCoin(at, agent: agentID(number), selected: true)
        _ = try await registry.recordContribution(
            at, agent: agentID(number), updateDigest: digest("update"), bytes: 100)
        _ = try await registry.chargeBudget(
            at, plan: fashion, population: "people", noiseMultiplier: 0.5, samplingRate: 0.25,
            delta: 1e-5, nowUnix: now, epsilonAfter: { _ in Double(number) },
            event: { _ in event(.budgetCharged, "\(at)") })
    }

    private static func changePeople(in registry: Registry) async throws {
        try await registry.addPerson(
            "ada", role: .operator, certificate: ("10", digest("ada"), now + 1000), nowUnix: now,
            event: event(.adminIssued, "ada"))
        try await registry.setRole(
            "ada", role: .auditor, certificate: ("11", digest("ada 2"), now + 1000), nowUnix: now,
            event: event(.roleChanged, "ada"))
        try await registry.revokePerson(
            "ada", reason: "left", nowUnix: now, event: event(.adminRevoked, "ada"))
        try await registry.renew(
            agentID(3), certificate: ("13", digest("certificate 3b"), now + 2000), nowUnix: now,
            event: event(.agentRenewed, "3"))
        try await registry.revoke(
            agentID(2), reason: "lost", nowUnix: now, event: event(.agentRevoked, "2"))
        _ = try await registry.refuse(
            agentID(3), plan: fashion, version: 1, model: digest("model 1"), reason: "signature",
            nowUnix: now, event: event(.modelRefused, "3"))
    }

    /// A copy of the directory that the test may damage.
    ///
    /// - Parameter withFiles: false to share blobs and tiles with the original.
    func copy(withFiles: Bool = true) throws -> Damaged {
        let original = scratch.directory
        let damaged = Damaged(directory: original + "-\(UUID().uuidString)")
        try DatabaseQueue(path: original + "/registry.sqlite").inDatabase { db in
            _ = try db.checkpoint(.truncate)
        }
        let files = FileManager.default
        try files.createDirectory(atPath: damaged.directory, withIntermediateDirectories: false)
        try files.copyItem(
            atPath: original + "/registry.sqlite", toPath: damaged.path("registry.sqlite"))
        for name in ["blobs", "log"] {
            if withFiles {
                try files.copyItem(atPath: "\(original)/\(name)", toPath: damaged.path(name))
            } else {
                try files.createSymbolicLink(
                    atPath: damaged.path(name), withDestinationPath: "\(original)/\(name)")
            }
        }
        return damaged
    }
}

/// A state directory in the hands of somebody who has no keys.
final class Damaged {
    let directory: String

    init(directory: String) { self.directory = directory }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    /// Runs SQL past every constraint and trigger, and leaves the triggers as they were.
    @discardableResult
    func sql(_ statements: String...) throws -> Self {
        try withoutGuards { db in for sql in statements { try db.execute(sql: sql) } }
        return self
    }

    func withoutGuards<Value>(_ body: (Database) throws -> Value) throws -> Value {
        var configuration = Configuration()
        configuration.foreignKeysEnabled = false
        let queue = try DatabaseQueue(
            path: directory + "/registry.sqlite", configuration: configuration)
        return try queue.inDatabase { db in
            try db.execute(sql: "PRAGMA ignore_check_constraints = ON; PRAGMA synchronous = OFF")
            let triggers = try Row.fetchAll(
                db, sql: "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            for trigger in triggers {
                try db.execute(sql: "DROP TRIGGER \(trigger["name"] as String)")
            }
            let value = try body(db)
            for trigger in triggers { try db.execute(sql: trigger["sql"]) }
            return value
        }
    }

    func audit() throws -> RegistryAudit.Report {
        try RegistryAudit.run(directory: directory, log: logSigner.verifier)
    }

    /// What the audit's findings are about.
    func subjects() throws -> [String] { try audit().findings.map(\.subject) }

    func path(_ name: String) -> String { "\(directory)/\(name)" }

    /// Inverts the byte in the middle of a file.
    func flip(_ name: String) throws {
        var bytes = try Data(contentsOf: URL(filePath: path(name)))
        bytes[bytes.count / 2] ^= 0xff
        try bytes.write(to: URL(filePath: path(name)))
    }

    func remove(_ name: String) throws {
        try FileManager.default.removeItem(atPath: path(name))
    }

    /// What audits find when a file is changed, cut short and removed; it is put back afterwards.
    func findings(damaging name: String) throws -> [[RegistryAudit.Finding]] {
        let file = URL(filePath: path(name))
        let whole = try Data(contentsOf: file)
        defer { try? whole.write(to: file) }
        try flip(name)
        let changed = try audit().findings
        try whole.dropLast().write(to: file)
        let cut = try audit().findings
        try remove(name)
        return [changed, cut, try audit().findings]
    }

    /// Regular files below `folder`, relative to the directory.
    func files(below folder: String) -> [String] {
        let names = FileManager.default.subpaths(atPath: path(folder)) ?? []
        return names.map { "\(folder)/\($0)" }.filter { name in
            var isFolder: ObjCBool = false
            return FileManager.default.fileExists(atPath: path(name), isDirectory: &isFolder)
                && !isFolder.boolValue
        }.sorted()
    }
}

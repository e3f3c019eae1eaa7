import Cryptography
import Federation
import Foundation
import Provenance
import Registry
import Testing

/// A registry in a directory of its own, which goes when the test ends.
final class Scratch: Sendable {
    let directory: String
    let registry: Registry

    init() throws {
        directory = NSTemporaryDirectory() + "tributary-registry-\(UUID().uuidString)"
        registry = try openRegistry(directory)
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    /// A second registry over the same files, as after a restart.
    func reopened() throws(Fault) -> Registry { try openRegistry(directory) }

    /// Whether an audit of the rows, but not of the blobs, finds nothing.
    func rowsAreAsSealed() throws(Fault) -> Bool {
        try RegistryAudit.run(
            directory: directory, log: logSigner.verifier, readsBlobs: false
        ).isClean
    }

    /// Names of the files below `blobs`, relative to it.
    func blobFiles() -> [String] {
        let names = FileManager.default.subpaths(atPath: directory + "/blobs") ?? []
        return names.filter { !$0.hasSuffix("/") && $0.contains("/") || $0.hasPrefix("tmp-") }
            .sorted()
    }
}

/// Signs the log of every test's registry.
let logSigner = makeLogSigner()
let fashion = fashionPlan()
let now: UInt64 = 1_800_000_000
let nowMilliseconds = now * 1000
/// Above what a signed integer holds.
let rotationSeed = UInt64.max - 5
let testSecret = [UInt8](0..<32)

private func fashionPlan() -> PlanID {
    guard let plan = PlanID("fashion") else { fatalError("a valid plan name is refused") }
    return plan
}

private func makeLogSigner() -> LogSigner {
    do {
        return try LogSigner(name: "tributary/test", key: PrivateKey.generate(.ed25519))
    } catch { fatalError("a log key cannot be made: \(error)") }
}

func openRegistry(
    _ directory: String, sealsOlder: Bool = false, migrating: Bool = true
) throws(Fault) -> Registry {
    try Registry.open(
        directory: directory, log: logSigner, sealsOlder: sealsOlder, migrating: migrating,
        nowUnix: now)
}

func agentID(_ number: Int) -> AgentID {
    guard let agent = AgentID("agent-\(number)") else { fatalError("a valid name is refused") }
    return agent
}

/// A digest that differs for each `text`.
func digest(_ text: String) -> Digest { SHA256.digest(of: Array(text.utf8)) }

func event(_ kind: FleetEvent.Kind, _ subject: String) -> FleetEvent {
    FleetEvent(kind, [("subject", .text(subject))])
}

/// `leaf` without the digest of the rows it seals, which is salted.
func unsealed(_ leaf: [UInt8]) -> [UInt8] {
    let text = String(decoding: leaf, as: UTF8.self)
    return Array(text.replacing(/,"rows":"[0-9a-f]{64}"/, with: "").utf8)
}

func modelSigned(_ version: UInt64) -> FleetEvent {
    FleetEvent(.modelSigned, [("plan", .text(fashion.name)), ("version", .number(version))])
}

extension Registry {
    /// Adds agents 1 to `count`, each with a token of its own.
    func enrolAgents(_ count: Int) async throws {
        for number in 1...count {
            try await addToken(
                secretDigest: digest("secret \(number)"), uses: 1, expiresUnix: now + 60,
                nowUnix: now, event: event(.tokenIssued, "\(number)"))
            try await enrol(
                agentID(number), secretDigest: digest("secret \(number)"),
                certificate: ("0\(number)", digest("certificate \(number)"), now + 1000),
                nowUnix: now, event: event(.agentEnrolled, "\(number)"))
        }
    }

    /// Applies the plan, publishes its version 0 and starts a job; returns the job.
    func prepareFashion() async throws -> UInt64 {
        _ = try await applyPlan(
            fashion, digest: digest("plan"), population: "people", title: "Fashion", nowUnix: now,
            event: event(.planApplied, "fashion"))
        try await publishFirstModel(
            fashionModel(0, round: 0), event: modelSigned(0), nowUnix: now)
        return try await createJob(
            plan: fashion, rounds: 3, idempotencyKey: "", nowUnix: now,
            event: { event(.roundsRequested, "\($0)") }
        ).job
    }

    /// Prepares the plan and starts its first round.
    func startFirstRound() async throws -> RoundAttempt {
        try await startRound(job: try await prepareFashion())
    }

    func startRound(job: UInt64) async throws(Fault) -> RoundAttempt {
        try await startRound(
            plan: fashion, job: job, baseVersion: 0, rotationSeed: rotationSeed,
            latticeID: digest("lattice"), nowUnixMilliseconds: nowMilliseconds,
            event: { event(.roundStarted, "\($0.round)") })
    }

    /// Takes a round in phase selecting to aggregating.
    func gather(_ at: RoundAttempt) async throws(Fault) {
        try await transition(
            at, from: .selecting, to: .training, nowUnixMilliseconds: nowMilliseconds + 1,
            event: nil)
        try await transition(
            at, from: .training, to: .aggregating, nowUnixMilliseconds: nowMilliseconds + 2,
            event: nil)
    }

    func releaseRound(_ at: RoundAttempt) async throws(Fault) {
        try await release(
            at, aggregateDigest: digest("sum"), masterDigest: digest("master"),
            velocityDigest: digest("velocity"), commitmentSecret: testSecret,
            nowUnixMilliseconds: nowMilliseconds + 3,
            event: event(.roundSealed, "\(at.round)"))
    }

    func publishRound(_ at: RoundAttempt, version: UInt64) async throws(Fault) {
        try await publish(
            at, model: fashionModel(version, round: at.round.number),
            nowUnixMilliseconds: nowMilliseconds + 4, events: [modelSigned(version)])
    }
}

func fashionModel(_ version: UInt64, round: UInt64) -> StoredModel {
    StoredModel(
        plan: fashion, version: version, round: RoundID(round),
        modelDigest: digest("model \(version)"), modelSize: 1000,
        signatureDigest: digest("signature \(version)"), signatureSize: 100,
        masterDigest: digest("master \(version)"),
        velocityDigest: version == 0 ? nil : digest("velocity \(version)"),
        accuracy: 0.5 + Double(version) / 100, createdUnix: now,
        parentVersion: version == 0 ? nil : version - 1,
        files: [
            StoredModelFile(name: "MODEL_CARD.md", digest: digest("card \(version)"), size: 10),
            StoredModelFile(name: "model.onnx", digest: digest("model \(version)"), size: 1000),
        ])
}

/// The code of the fault that `body` throws; nil, and a failed test, when it throws none.
func faultCode(
    sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> Void
) async -> Fault.Code? {
    let fault = await #expect(throws: Fault.self, sourceLocation: sourceLocation) {
        try await body()
    }
    return fault?.code
}

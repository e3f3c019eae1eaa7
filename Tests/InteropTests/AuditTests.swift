import Foundation
import Testing

extension InteropTests.WithFleet {
    @Suite("The log of a running fleet")
    struct LogReadingTests {
        @Test("lists what happened, of one plan or of one kind")
        func log() async throws {
            let fleet = try ExampleFleet.current
            let whole: LogAnswer = try await fleet.administer(["audit", "log", "--limit", "10000"])
            #expect(whole.entries.map(\.index) == Array(0..<whole.size))
            #expect(whole.entries.first?.leaf.contains(#""event":"fleetCreated""#) == true)
            let signed: LogAnswer = try await fleet.administer([
                "audit", "log", "--plan", ExamplePlan.beads.name, "--kind", "modelSigned",
            ])
            #expect(!signed.entries.isEmpty)
            for entry in signed.entries {
                #expect(entry.leaf.contains(#""plan":"\#(ExamplePlan.beads.name)""#))
                #expect(whole.entries.contains { $0.leaf == entry.leaf })
            }
            let table = try await run(
                .coordinator, "audit", "log", "--dir", fleet.coordinatorDirectory.path,
                "--from", "0", "--limit", "2"
            ).succeeded().output
            #expect(table.contains("fleetCreated") && table.contains("2 leaves of"))
            let mistake = try await fleet.attempt(["audit", "log", "--kind", "modelEaten"])
            #expect(mistake.status == 64 && mistake.errors.contains("modelSigned"), "\(mistake)")
        }

        @Test("proves a model's leaf and any other, and writes each file once")
        func proofs() async throws {
            let fleet = try ExampleFleet.current
            try await withTemporaryDirectory { directory in
                let file = directory.appending(path: "proof").path
                let arguments = [
                    "audit", "prove", ExamplePlan.beads.name, "--version", "0", "--output", file,
                ]
                let proof: ProofAnswer = try await fleet.administer(arguments)
                #expect(proof.leaf.contains(#""event":"modelSigned""#))
                #expect(try text(of: URL(filePath: file)) == proof.proof)
                #expect(proof.proof.hasPrefix("c2sp.org/tlog-proof@v1\nextra "))
                let again = try await fleet.attempt(arguments)
                #expect(again.status == 1 && again.errors.contains("exists already"), "\(again)")
                let first: ProofAnswer = try await fleet.administer([
                    "audit", "prove", "--index", "0",
                ])
                #expect(first.index == 0 && first.leaf.contains("fleetCreated"))
                let none = try await fleet.attempt(["audit", "prove", "--index", "999999"])
                #expect(none.status == 1 && none.errors.contains("999999"), "\(none)")
                let both = try await fleet.attempt(["audit", "prove", "x", "--index", "1"])
                #expect(both.status == 64 && both.errors.contains("--version"), "\(both)")
            }
        }

        @Test("proves an exported model to tributary-verify, and no other version")
        func provesExport() async throws {
            let fleet = try ExampleFleet.current
            let export = try await fleet.export(.beads)
            try await withTemporaryDirectory { directory in
                func proof(_ plan: ExamplePlan, _ version: UInt64) async throws -> String {
                    let file = directory.appending(path: "\(plan.name)-\(version)").path
                    _ =
                        try await fleet.administer([
                            "audit", "prove", plan.name, "--version", "\(version)", "--output",
                            file,
                        ]) as ProofAnswer
                    return file
                }
                func verify(_ proof: String) async throws -> Finished {
                    try await run(
                        .verifier, "model", export.modelDir, "--proof", proof, "--trust",
                        fleet.coordinatorDirectory.path + "/trust-set.json")
                }
                let right = try await verify(try await proof(.beads, export.version))
                #expect(right.status == 0, "\(right)")
                let wrong = try await verify(try await proof(.guests, 0))
                #expect(wrong.status == 1, "\(wrong)")
            }
        }

        @Test("is served over HTTP, each file as it lies on disk")
        func http() async throws {
            let fleet = try ExampleFleet.current
            let doctor: DoctorAnswer = try await fleet.administer(["doctor"])
            let detail = try #require(doctor.checks.first { $0.check == "log over HTTP" }?.detail)
            let url = try #require(URL(string: detail)).deletingLastPathComponent().absoluteString
            let log = fleet.coordinatorDirectory.appending(path: "log")
            let names = try FileManager.default.subpathsOfDirectory(atPath: log.path).filter {
                var isDirectory = ObjCBool(false)
                _ = FileManager.default.fileExists(
                    atPath: "\(log.path)/\($0)", isDirectory: &isDirectory)
                // What is kept for the next write is no file of the log.
                return !isDirectory.boolValue && !$0.contains("spare")
            }
            #expect(names.contains("checkpoint") && names.count >= 3)
            try await withTemporaryDirectory { directory in
                _ = try await run(
                    Checkout.venv("python"),
                    [Checkout.script("fetch_log.py"), String(url.dropLast()), directory.path]
                        + names
                ).succeeded()
                for name in names {
                    let fetched = try Data(contentsOf: directory.appending(path: name))
                    #expect(fetched == (try Data(contentsOf: log.appending(path: name))), "\(name)")
                }
            }
            let checkpoint: CheckpointAnswer = try await fleet.administer(["audit", "checkpoint"])
            #expect(checkpoint.note == (try text(of: log.appending(path: "checkpoint"))))
        }

        @Test("agrees with the state directory, until a blob or the log itself is changed")
        func verify() async throws {
            let fleet = try ExampleFleet.current
            let clean: AuditAnswer = try await fleet.administer(["audit", "verify"])
            #expect(clean.clean && clean.findings.isEmpty)
            try await withTemporaryDirectory { directory in
                let copy = directory.appending(path: "copy")
                try FileManager.default.copyItem(at: fleet.coordinatorDirectory, to: copy)
                let blobs = copy.appending(path: "blobs")
                let blob = try #require(
                    try FileManager.default.subpathsOfDirectory(atPath: blobs.path).first {
                        $0.count > 60
                    })
                var bytes = try Data(contentsOf: blobs.appending(path: blob))
                bytes[bytes.count / 2] ^= 1
                try bytes.write(to: blobs.appending(path: blob))
                let digest = URL(filePath: blob).lastPathComponent
                let found = try await run(
                    .coordinator, "audit", "verify", "--dir", copy.path)
                #expect(found.status == 1 && found.output.contains(digest), "\(found)")

                let other = directory.appending(path: "other").path
                _ = try await run(
                    .coordinator, "init", "--dir", other, "--address", "localhost"
                ).succeeded()
                let stranger = try await run(
                    .coordinator, "audit", "verify", "--dir", copy.path, "--trust",
                    "\(other)/trust-set.json")
                #expect(stranger.status != 0, "\(stranger)")
                let nowhere = try await run(
                    .coordinator, "audit", "verify", "--dir", directory.path + "/none", "--json")
                #expect(nowhere.status == 2, "\(nowhere)")
                #expect(nowhere.output.contains(#""code":"notFound""#))
            }
        }
    }
}

extension InteropTests {
    @Suite("A witness of a fleet's log")
    struct WitnessingTests {
        @Test("cosigns as the log grows, and refuses it set back, and forked")
        func setBackAndForked() async throws {
            try await ExampleFleet.withFleet([]) { fleet in
                let key = fleet.directory.appending(path: "witness.key").path
                func witness(_ more: String...) async throws -> Finished {
                    try await fleet.attempt(
                        ["audit", "witness", "--key", key, "--name", "example.org/witness"] + more)
                }
                let first: WitnessAnswer = try decoded(
                    try await witness("--new-key").succeeded().output)
                #expect(first.witness.hasPrefix("example.org/witness+"))
                let old = fleet.directory.appending(path: "old")
                try await fleet.exchangeState { state in
                    try FileManager.default.copyItem(at: state, to: old)
                }
                for _ in 0..<3 { _ = try await fleet.newToken() }
                let second: WitnessAnswer = try decoded(try await witness().succeeded().output)
                #expect(second.size == first.size + 3)
                let verified = try await fleet.verifyLog(
                    with: second.note, cosignedBy: second.witness)
                #expect(verified.status == 0, "\(verified)")
                let own: CheckpointAnswer = try await fleet.administer(["audit", "checkpoint"])
                let alone = try await fleet.verifyLog(
                    with: own.note, cosignedBy: second.witness)
                #expect(alone.status == 1 && alone.words.contains("not cosigned"), "\(alone)")

                try await fleet.exchangeState { state in
                    try FileManager.default.removeItem(at: state)
                    try FileManager.default.copyItem(at: old, to: state)
                }
                let setBack = try await witness()
                #expect(setBack.status == 1 && setBack.errors.contains("fewer than"), "\(setBack)")
                for _ in 0..<5 { _ = try await fleet.newToken() }
                let forked = try await witness("--output", fleet.directory.path + "/cosigned")
                #expect(forked.status == 1 && forked.errors.contains("forked"), "\(forked)")
                let evidence: CheckpointAnswer = try await fleet.administer(["audit", "checkpoint"])
                #expect(try text(of: URL(filePath: key + ".state.refused")) == evidence.note)
                #expect(!FileManager.default.fileExists(atPath: fleet.directory.path + "/cosigned"))
            }
        }
    }
}

extension ExampleFleet {
    /// Verifies a copy of the log that carries `note` as its checkpoint, cosigned by the witness.
    fileprivate nonisolated func verifyLog(
        with note: String, cosignedBy witness: String
    ) async throws -> Finished {
        let copy = directory.appending(path: "mirror")
        try? FileManager.default.removeItem(at: copy)
        try FileManager.default.copyItem(
            at: coordinatorDirectory.appending(path: "log"), to: copy)
        try Data(note.utf8).write(to: copy.appending(path: "checkpoint"))
        return try await run(
            .verifier, "log", copy.path, "--trust",
            coordinatorDirectory.path + "/trust-set.json", "--witness", witness,
            "--state", directory.path + "/verifier.checkpoint")
    }

    /// Changes the coordinator's state directory while it does not run.
    fileprivate func exchangeState(_ change: @Sendable (URL) throws -> Void) async throws {
        try await process().stop()
        try change(coordinatorDirectory)
        try await serve()
    }
}

private struct LogAnswer: Decodable {
    struct Entry: Decodable {
        let index: UInt64
        let loggedUnix: UInt64
        let leaf: String
    }

    let size: UInt64
    let entries: [Entry]
}

private struct ProofAnswer: Decodable {
    let index: UInt64
    let size: UInt64
    let leaf: String
    let proof: String
}

private struct CheckpointAnswer: Decodable {
    let size: UInt64
    let note: String
}

private struct WitnessAnswer: Decodable {
    let size: UInt64
    let note: String
    let witness: String
}

private struct AuditAnswer: Decodable {
    struct Finding: Decodable {
        let subject: String
        let what: String
    }

    let clean: Bool
    let findings: [Finding]
}

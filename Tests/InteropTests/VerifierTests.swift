import Cryptography
import Federation
import Foundation
import Provenance
import Testing

extension InteropTests {
    /// What an auditor sees who has an export, the trust set and this one program.
    @Suite("The verifier", .fleet(.moving))
    struct VerifierTests {
        /// An export in a directory of a test's own, and the checkpoint that is kept beside it.
        private struct Audit {
            let directory: URL
            let plan: String
            let version: UInt64

            var name: String { "\(plan)-\(version)" }
            var state: String { directory.appending(path: "seen").path }
            var trust: String { directory.appending(path: "trust-set.json").path }
            var log: URL { directory.appending(path: "log") }

            func file(_ name: String) -> URL { directory.appending(path: name) }

            func run(_ more: String..., on export: URL? = nil) async throws -> Finished {
                try await verify(
                    [
                        "model", (export ?? directory).appending(path: name).path, "--trust",
                        trust, "--state", state,
                    ] + more)
            }
        }

        /// Trains two rounds the first time, exports the newest version and calls `body` with a copy.
        private func withExport(
            version: UInt64? = nil, _ body: (Audit) async throws -> Void
        ) async throws {
            let fleet = try ExampleFleet.current
            let plan = ExamplePlan.moving.name
            let now: PlanAnswer = try await fleet.administer(["plan", "show", plan])
            if (now.modelVersion ?? 0) < 2 {
                let job: JobAnswer = try await fleet.administer([
                    "round", "start", plan, "--rounds", "2", "--watch",
                ])
                try #require(job.state == "finished")
            }
            try await withTemporaryDirectory { directory in
                let number = version.map { ["--version", "\($0)"] } ?? []
                let export: ExportAnswer = try await fleet.administer(
                    ["model", "export", plan, "--output", directory.path] + number)
                try await body(
                    Audit(directory: directory, plan: plan, version: export.version))
            }
        }

        private func expectRejection(
            _ finished: Finished, _ words: String, sourceLocation: SourceLocation = #_sourceLocation
        ) {
            #expect(finished.status == 1, "\(finished)", sourceLocation: sourceLocation)
            #expect(finished.output.contains("NOT VERIFIED"), sourceLocation: sourceLocation)
            #expect(
                finished.output.contains(words), "\(finished)", sourceLocation: sourceLocation)
        }

        @Test("accepts what a coordinator exports, every check made and passed")
        func accepted() async throws {
            for version in [nil, 0] as [UInt64?] {
                try await withExport(version: version) { audit in
                    let finished = try await audit.run()
                    #expect(finished.status == 0, "\(finished)")
                    let lines = finished.output.split(separator: "\n")
                    #expect(lines.dropLast().allSatisfy { $0.hasPrefix("OK ") }, "\(finished)")
                    let answer: VerdictAnswer = try decoded(await audit.run("--json").output)
                    #expect(answer.verified && answer.checks.allSatisfy { $0.result == "passed" })
                    let names = Set(answer.checks.map(\.name))
                    #expect(
                        names.isSuperset(of: [
                            "signature", "signing key", "inclusion", "checkpoint signature",
                            "consistency", "parent chain", "budget", "provenance in the log",
                            "card", "bill of materials", "file model.onnx",
                        ]))
                }
            }
        }

        @Test("accepts the log by itself, from a directory and over HTTP")
        func log() async throws {
            try await withExport { audit in
                let fleet = try ExampleFleet.current
                let doctor: DoctorAnswer = try await fleet.administer(["doctor"])
                let detail = try #require(
                    doctor.checks.first { $0.check == "log over HTTP" }?.detail)
                let url = try #require(URL(string: detail)).deletingLastPathComponent()
                for place in [audit.log.path, url.absoluteString] {
                    let finished = try await verify([
                        "log", place, "--trust", audit.trust, "--state", audit.state, "--since",
                        audit.log.appending(path: "checkpoint").path,
                    ])
                    #expect(finished.status == 0, "\(finished)")
                    #expect(finished.output.contains("charged rounds: every round"))
                }
                let model = try await audit.run("--log", url.absoluteString)
                #expect(model.status == 0, "\(model)")
                let secure = try await audit.run("--log", "https://localhost/")
                #expect(secure.status == 2 && secure.errors.contains("curl"), "\(secure)")
            }
        }

        @Test("rejects one byte changed in any file, and an extra or a missing one")
        func files() async throws {
            try await withExport { audit in
                let model = audit.file(audit.name)
                let names = try FileManager.default.contentsOfDirectory(atPath: model.path)
                #expect(names.count == 4)
                for name in names {
                    let file = model.appending(path: name)
                    let honest = try Data(contentsOf: file)
                    var changed = honest
                    changed[changed.count / 2] ^= 1
                    try changed.write(to: file)
                    expectRejection(try await audit.run(), "FAILED  file \(name): changed")
                    try FileManager.default.removeItem(at: file)
                    expectRejection(try await audit.run(), "FAILED  file \(name): missing")
                    try honest.write(to: file)
                }
                let extra = model.appending(path: "\u{1b}[31mextra\u{202e}")
                try Data().write(to: extra)
                let finished = try await audit.run()
                expectRejection(finished, "extra; the signature does not list it")
                #expect(!finished.words.contains("\u{1b}") && !finished.words.contains("\u{202e}"))
                try FileManager.default.removeItem(at: extra)
                #expect(try await audit.run().status == 0)
            }
        }

        @Test("rejects another version's signature, and a proof that is cut short or another's")
        func signatureAndProof() async throws {
            try await withExport { audit in
                _ =
                    try await ExampleFleet.current.administer([
                        "model", "export", audit.plan, "--version", "1", "--output",
                        audit.directory.path,
                    ]) as ExportAnswer
                let other = audit.file("\(audit.plan)-1")
                expectRejection(
                    try await audit.run("--signature", other.path + ".sig"), "FAILED  file")
                expectRejection(
                    try await audit.run("--proof", other.path + ".tlog-proof"), "FAILED  leaf")
                let proof = audit.file(audit.name + ".tlog-proof")
                let honest = try Data(contentsOf: proof)
                for count in [0, 30, honest.count / 2, honest.count - 1] {
                    try honest.prefix(count).write(to: proof)
                    expectRejection(try await audit.run(), "FAILED  proof")
                }
                try FileManager.default.removeItem(at: proof)
                let none = try await audit.run()
                #expect(none.status == 2 && none.errors.contains("does not exist"), "\(none)")
            }
        }

        @Test("rejects a log that was rolled back since the last time")
        func rolledBack() async throws {
            try await withExport { audit in
                let older = audit.directory.appending(path: "older")
                try FileManager.default.createDirectory(
                    at: older, withIntermediateDirectories: false)
                for name in [audit.name, audit.name + ".sig", audit.name + ".tlog-proof", "log"] {
                    try FileManager.default.copyItem(
                        at: audit.file(name), to: older.appending(path: name))
                }
                #expect(try await audit.run(on: older).status == 0)
                let fleet = try ExampleFleet.current
                _ = try await fleet.newToken()
                _ =
                    try await fleet.administer([
                        "model", "export", audit.plan, "--output", audit.directory.path,
                    ]) as ExportAnswer
                #expect(try await audit.run().status == 0)
                expectRejection(try await audit.run(on: older), "the log was rolled back")
                let log = try await verify([
                    "log", older.appending(path: "log").path, "--trust", audit.trust, "--state",
                    audit.state,
                ])
                expectRejection(log, "the log was rolled back")
            }
        }

        @Test("rejects a log that was forked, though the log's own key signed it")
        func forked() async throws {
            try await withExport { audit in
                #expect(try await audit.run().status == 0)
                let fleet = try ExampleFleet.current
                let signer = try LogSigner(
                    name: "tributary/example",
                    key: PrivateKey(
                        pemFile: fleet.coordinatorDirectory.appending(path: "keys/log.key").path))
                let note = try Data(contentsOf: audit.log.appending(path: "checkpoint"))
                let honest = try SignedCheckpoint(note: Array(note), key: signer.verifier)
                var root = honest.checkpoint.root.bytes
                root[0] ^= 1
                let fork = Checkpoint(
                    origin: honest.checkpoint.origin, size: honest.checkpoint.size,
                    root: try #require(.init(bytes: root)))
                try Data(try signer.sign(fork).note).write(
                    to: audit.log.appending(path: "checkpoint"))
                expectRejection(try await audit.run(), "FAILED  ")
                let log = try await verify([
                    "log", audit.log.path, "--trust", audit.trust,
                ])
                expectRejection(log, "FAILED  log")
            }
        }

        @Test("needs no library but libcrypto and those of C")
        func libraries() async throws {
            let listed = try await run(
                URL(filePath: "/usr/bin/readelf"), ["-d", Program.verifier.located().path]
            ).succeeded()
            let needed = listed.output.split(separator: "\n").filter { $0.contains("(NEEDED)") }
            let allowed = ["libcrypto.so", "libc.so", "libm.so", "ld-linux"]
            #expect(needed.contains { $0.contains("libcrypto.so") })
            for line in needed {
                #expect(allowed.contains { line.contains("[\($0)") }, "\(line)")
            }
        }
    }
}

/// Runs the verifier to its end.
private func verify(_ arguments: [String]) async throws -> Finished {
    try await run(Program.verifier.located(), arguments)
}

/// What `doctor` says, as far as it tells where the log is served.
/// What `tributary-verify --json` prints.
struct VerdictAnswer: Decodable {
    struct Check: Decodable {
        let name: String
        let result: String
        let detail: String
    }

    let checks: [Check]
    let verdict: String
    let verified: Bool
}

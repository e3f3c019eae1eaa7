import Cryptography
import Foundation
import Provenance
import Testing
import Verification

extension InteropTests {
    /// What a coordinator signs and logs, checked by programs that nobody here wrote.
    @Suite("Twenty versions of a model")
    struct VersionTests {
        private static let versions: UInt64 = 20
        private static let leaves = 300

        @Test("in a log of 300 leaves convince this project's verifier and three others")
        func everyVersion() async throws {
            try await withVersions { fleet, exports in
                #expect(exports.map(\.version) == Array(0..<Self.versions))
                let authority = fleet.coordinatorDirectory.path + "/certificates/fleet-ca.crt"
                for export in exports {
                    _ = try await run(
                        .verifier, "model", export.modelDir, "--trust", export.trust
                    ).succeeded()
                    _ = try await run(
                        Checkout.auditor, [export.modelDir, export.signature, export.publicKey]
                    ).succeeded()
                    let signer =
                        export.version == Self.versions - 1
                        ? ["certificate", "--certificate_chain", authority]
                        : ["key", "--public_key", export.publicKey]
                    _ = try await run(
                        Checkout.venv("model_signing"),
                        ["verify", signer[0], "--no-ignore-git-paths"] + signer.dropFirst()
                            + ["--signature", export.signature, export.modelDir]
                    ).succeeded()
                }
                let last = try #require(exports.last)
                let trust = try TrustSet(
                    document: Array(Data(contentsOf: URL(filePath: last.trust))))
                let log = URL(filePath: last.log)
                let note = Array(try Data(contentsOf: log.appending(path: "checkpoint")))
                let size = try SignedCheckpoint(note: note, key: trust.log).checkpoint.size
                #expect(size >= UInt64(Self.leaves))
                let auditor = try await LogAuditor(builtIn: fleet.directory)
                let checked = try await auditor.check(
                    vkey: trust.log.vkey, log: log, proofs: exports.map { URL(filePath: $0.proof) })
                #expect(checked.status == 0, "\(checked)")
                try await expectRejections(of: exports[7], other: exports[8])
                try await expectRejections(of: last, other: exports[7], authority: authority)
            }
        }

        /// Every tool accepts a version, and none does after a change.
        private func expectRejections(
            of export: ExportAnswer, other: ExportAnswer, authority: String? = nil
        ) async throws {
            let checked = try await run(
                Checkout.venv("python"),
                [
                    Checkout.script("check_signed_model.py"), export.modelDir, export.publicKey,
                    "--signature", export.signature, "--other-signature", other.signature,
                    "--trust", export.trust, "--proof", export.proof,
                    "--tributary-verify", Program.verifier.located().path,
                    "--model-signing", Checkout.venv("model_signing").path,
                    "--auditor", Checkout.auditor.path,
                ] + (authority.map { ["--authority", $0] } ?? []), seconds: 240)
            #expect(checked.status == 0, "\(checked)")
            // Four tools, the original, a byte and a removal of each of four files, and five more changes.
            let lines = checked.output.split(separator: "\n").count
            #expect(lines == 56)
        }

        /// Republishes the first version until there are enough, the last one signed in the certificate form, and
        /// exports them all.
        private func withVersions(
            _ body: (ExampleFleet, [ExportAnswer]) async throws -> Void
        ) async throws {
            try await ExampleFleet.withFleet([.beads]) { fleet in
                let plan = ExamplePlan.beads
                func republish() async throws {
                    _ = try await fleet.attempt([
                        "model", "republish", plan.name, "--version", "0",
                    ]).succeeded()
                }
                for _ in 2..<Self.versions { try await republish() }
                for _ in Int(Self.versions)..<Self.leaves { _ = try await fleet.newToken() }
                try await fleet.stop()
                let file = fleet.coordinatorDirectory.appending(path: "coordinator.toml")
                let configuration = try text(of: file) + "\n[keys]\nsignature = \"certificate\"\n"
                try Data(configuration.utf8).write(to: file)
                try await fleet.serve()
                try await republish()
                var exports: [ExportAnswer] = []
                for version in 0..<Self.versions {
                    exports.append(try await fleet.export(plan, version: version))
                }
                try await body(fleet, exports)
            }
        }
    }

    /// Signatures with keys and certificates that a fleet does not make itself.
    @Suite("A signature by another authority's key")
    struct OtherAuthorityTests {
        @Test("on P-384, certified by openssl over an intermediate, convinces every tool")
        func intermediate() async throws {
            try await withTemporaryDirectory { directory in
                let chain = try await certificates(in: directory)
                let model = directory.appending(path: "model-1")
                try FileManager.default.createDirectory(
                    at: model, withIntermediateDirectories: false)
                for name in ["model.onnx", "MODEL_CARD.md"] {
                    try Data(name.utf8).write(to: model.appending(path: name))
                }
                let key = try PrivateKey(pemFile: directory.path + "/leaf.key")
                #expect(key.kind == .p384)
                let files = try DirectoryCheck.files(in: model.path)
                for (name, files) in [("model-1", files), ("other", Array(files.dropLast()))] {
                    let bundle = try ModelSignature.sign(
                        name: name, files: files, key: key, certificates: chain)
                    try Data(bundle).write(to: directory.appending(path: "\(name).sig"))
                }
                let publicKey = directory.path + "/leaf.pub"
                try Data(key.publicKey.pem.utf8).write(to: URL(filePath: publicKey))
                let checked = try await run(
                    script: "check_signed_model.py", model.path, publicKey,
                    "--other-signature", directory.path + "/other.sig",
                    "--authority", directory.path + "/root.crt",
                    "--tributary-verify", Program.verifier.located().path,
                    "--model-signing", Checkout.venv("model_signing").path,
                    "--auditor", Checkout.auditor.path)
                #expect(checked.status == 0, "\(checked)")
                let bundle = Array(try Data(contentsOf: directory.appending(path: "model-1.sig")))
                let root = try Certificate(pemFile: directory.path + "/root.crt")
                let signed = try ModelSignature.verify(
                    bundle: bundle, trusted: [key.publicKey], authorities: [root])
                #expect(signed.signer == key.publicKey)
            }
        }

        /// A root, an intermediate and a leaf for code signing, made by openssl alone.
        ///
        /// - Returns: the leaf and the intermediate.
        private func certificates(in directory: URL) async throws -> [Certificate] {
            func openssl(_ arguments: String...) async throws {
                _ = try await run(
                    URL(filePath: "/usr/bin/openssl"),
                    arguments.map { $0.replacing("@", with: directory.path + "/") }
                ).succeeded()
            }
            try Data("basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n".utf8)
                .write(to: directory.appending(path: "ca.ext"))
            try Data("keyUsage=critical,digitalSignature\nextendedKeyUsage=codeSigning\n".utf8)
                .write(to: directory.appending(path: "leaf.ext"))
            try await openssl(
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", "@root.key", "-out", "@root.crt", "-subj", "/CN=root", "-days", "2")
            for (name, issuer, form) in [("middle", "root", "ca"), ("leaf", "middle", "leaf")] {
                try await openssl(
                    "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384", "-nodes",
                    "-keyout", "@\(name).key", "-out", "@\(name).csr", "-subj", "/CN=\(name)")
                try await openssl(
                    "x509", "-req", "-in", "@\(name).csr", "-CA", "@\(issuer).crt", "-CAkey",
                    "@\(issuer).key", "-CAcreateserial", "-extfile", "@\(form).ext", "-out",
                    "@\(name).crt", "-days", "1")
            }
            return try ["leaf", "middle"].map {
                try Certificate(pemFile: "\(directory.path)/\($0).crt")
            }
        }
    }
}

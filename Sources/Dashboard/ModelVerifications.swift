import Cryptography
import Federation
import Foundation
import Provenance
import Registry
import Verification
import Wire

/// Checks of model versions with the code that auditors run, on copies of what the coordinator would give them.
actor ModelVerifications {
    /// A model that is checked is written to a temporary directory.
    private static let mostBytes: UInt64 = 512 << 20
    /// At once; each takes a processor and the space of a model.
    private static let most = 2
    /// The log's files may be replaced while they are read.
    private static let attempts = 3

    private let work: BlockingWork
    private var running = 0

    init(work: BlockingWork) { self.work = work }

    /// Makes every check that can be made offline: signature, files, proof, checkpoint, the log itself, the chain of
    /// versions, the budget and the documents.
    ///
    /// - Throws: `notFound`; `exhausted` when enough of them run.
    func check(
        plan: String, version: UInt64, of fleet: any FleetReader
    ) async throws(Fault) -> VerificationReport {
        guard running < Self.most else {
            throw Fault(
                .exhausted, "other versions are being verified now",
                remedy: "try again in a few seconds")
        }
        running += 1
        defer { running -= 1 }
        let files = try await ExportedFiles(plan: plan, version: version, of: fleet)
        let log = fleet.logDirectory
        return try await work.run { () throws(Fault) in
            var report = try files.verified(log: log)
            for _ in 1..<Self.attempts where report.verdict != .verified {
                report = try files.verified(log: log)
            }
            return report
        }
    }

    /// What an export of a version writes.
    private struct ExportedFiles: Sendable {
        let name: String
        let files: [(name: String, bytes: [UInt8])]
        let signature: [UInt8]
        let proof: [UInt8]
        let trust: TrustSet

        init(plan: String, version: UInt64, of fleet: any FleetReader) async throws(Fault) {
            let record = try await fleet.model(plan, version: version)
            guard let model = record.model, let digest = Digest(bytes: model.signatureDigest)
            else { throw Fault(.internal, "the coordinator names no signature") }
            name = "\(model.plan)-\(model.version)"
            var files: [(name: String, bytes: [UInt8])] = []
            for file in record.files {
                guard let digest = Digest(bytes: file.digest), isPlainName(file.name) else {
                    throw Fault(.internal, "the model names a file '\(file.name)'")
                }
                let bytes = try await fleet.blob(
                    digest, mostBytes: ModelVerifications.mostBytes)
                files.append((file.name, bytes))
            }
            self.files = files
            signature = try await fleet.blob(digest, mostBytes: ModelVerifications.mostBytes)
            proof = try await fleet.proof(
                AuditProve(byModel: true, plan: plan, version: version))
            trust = try TrustSet(document: try await fleet.trustSet())
        }

        /// Writes the files, checks them and removes them.
        func verified(log: String) throws(Fault) -> VerificationReport {
            let folder = FileManager.default.temporaryDirectory
                .appending(path: "tributary-verify-\(UUID().uuidString)")
            defer { try? FileManager.default.removeItem(at: folder) }
            let model = folder.appending(path: name)
            do {
                // For nobody else: what is checked must be what was written.
                try FileManager.default.createDirectory(
                    at: model, withIntermediateDirectories: true,
                    attributes: [.posixPermissions: 0o700])
                for file in files {
                    try Data(file.bytes).write(to: model.appending(path: file.name))
                }
                try Data(signature).write(to: folder.appending(path: "sig"))
                try Data(proof).write(to: folder.appending(path: "proof"))
            } catch {
                throw Fault(
                    .storage, "the model cannot be copied to be checked: \(error)",
                    remedy: "make room in \(FileManager.default.temporaryDirectory.path)")
            }
            return ModelVerification(
                directory: model.path, signature: folder.appending(path: "sig").path,
                proof: folder.appending(path: "proof").path, trust: .set(trust),
                log: try LogLocation(log), remembered: nil
            ).run()
        }
    }
}

/// Whether `name` is a file's name and not a path.
private func isPlainName(_ name: String) -> Bool {
    !name.isEmpty && !name.hasPrefix(".") && !name.utf8.contains { $0 == 0x2f || $0 < 0x20 }
}

import Cryptography
import Federation
import Foundation
import Provenance

/// A signed and logged model of 10 MB on disk: what its file's digest, its signature and its proof
/// cost to check.
struct ModelCheck {
    private static let bytes = 10_000_000

    private let directory: URL
    private let model: String
    private let bundle: [UInt8]
    private let proof: [UInt8]
    private let trust: TrustSet

    init() throws {
        directory = FileManager.default.temporaryDirectory
            .appending(path: "tributary-bench-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        model = directory.appending(path: LoggedModel.modelFile).path
        try Data((0..<Self.bytes).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 13) })
            .write(to: URL(filePath: model))
        let digest = try SHA256.digest(ofFile: model)
        let key = try PrivateKey.generate(.p256)
        bundle = try ModelSignature.sign(
            name: "bench-0", files: [ModelFile(name: LoggedModel.modelFile, digest: digest)],
            key: key)
        let signed = try ModelSignature.verify(bundle: bundle, trusted: [key.publicKey])
        let signer = try LogSigner(name: "tributary/bench", key: PrivateKey.generate(.ed25519))
        let keyLeaf = FleetEvent(.keyAdded, []).leafBytes(unix: 1, rows: nil)
        let leaf = FleetEvent(
            .modelSigned,
            [
                ("plan", .text("bench")), ("version", .number(0)), ("round", .number(0)),
                ("model", .text(digest.hex)), ("statement", .text(signed.statementDigest.hex)),
                ("key", .text(key.publicKey.spkiDigest.hex)),
            ]
        ).leafBytes(unix: 2, rows: nil)
        let first = Merkle.leafHash(keyLeaf)
        let checkpoint = Checkpoint(
            origin: signer.verifier.name, size: 2,
            root: Merkle.nodeHash(first, Merkle.leafHash(leaf)))
        proof = LogProof(
            leaf: leaf, index: 1, path: [first], checkpoint: try signer.sign(checkpoint).note
        ).encoded()
        let authority = try CertificateAuthority.create(fleet: "bench", nowUnix: 1_800_000_000)
        trust = try TrustSet.initial(
            fleet: "bench", authorities: [authority.certificate],
            modelKeys: [TrustSet.ModelKey(key: key.publicKey, from: 0)], log: signer.verifier,
            signedBy: key)
        try check()
    }

    /// Everything that says whether the file is the one that was signed and logged.
    private func check() throws {
        let logged = try LoggedModel.verify(bundle: bundle, proof: proof, trust: trust)
        guard try SHA256.digest(ofFile: model) == logged.model else {
            throw Fault(.untrusted, "the model is another one")
        }
    }

    /// Milliseconds of one check; the file is in the page cache. Removes it afterwards.
    func milliseconds() throws -> Double {
        defer { try? FileManager.default.removeItem(at: directory) }
        let measurement = Measurement(operations: 1, repetitions: 31) {
            // The same call has just succeeded.
            try? check()
        }
        return 1 / (measurement.median * 1e9) * 1000
    }
}

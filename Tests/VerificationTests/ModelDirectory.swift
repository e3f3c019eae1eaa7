import Cryptography
import Foundation
import Provenance
import Testing
import Verification

/// A model directory of a test's own, beside which its signature lies; removed with everything in
/// it.
final class ModelDirectory {
    let root: String
    let key: PrivateKey

    var path: String { root + "/fashion-v3" }
    var signature: String { path + ".sig" }

    static let files = ["model.onnx": "abc", "sub/a": "", "Z": "y", "é.md": "x"]

    init(files: [String: String] = files) throws {
        root = NSTemporaryDirectory() + "/tributary-provenance-" + UUID().uuidString
        key = try PrivateKey.generate(.p256)
        for (name, contents) in files { try write(name, contents) }
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    /// Writes a file inside the model directory.
    func write(_ name: String, _ contents: String) throws {
        let file = URL(fileURLWithPath: "\(path)/\(name)")
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(contents.utf8).write(to: file)
    }

    /// Signs what is there now.
    func sign() throws {
        let bundle = try ModelSignature.sign(
            name: "fashion-v3", files: DirectoryCheck.files(in: path), key: key)
        try Data(bundle).write(to: URL(fileURLWithPath: signature))
    }

    /// Checks it with a key alone.
    func check(trusted: PublicKey? = nil) -> VerificationReport {
        ModelVerification(
            directory: path, signature: signature, proof: path + ".tlog-proof",
            trust: .key(trusted ?? key.publicKey), log: nil, remembered: nil
        ).run()
    }
}

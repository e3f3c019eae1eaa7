import Cryptography
import Federation
import Foundation
import Provenance
import ProvenanceSamples
import Testing
import Verification

@Suite("A model directory")
struct DirectoryCheckTests {
    private func failures(_ report: VerificationReport) -> [String] {
        report.failures.map { String($0.prefix { $0 != ";" }) }
    }

    private func made(_ report: VerificationReport) -> [String] {
        report.checks.filter { $0.result != .skipped }.map(\.name)
    }

    @Test("verifies as it was signed, and every file is a check")
    func intact() throws {
        let model = try ModelDirectory()
        try model.sign()
        let report = model.check()
        #expect(report.verdict == .verified)
        #expect(
            made(report) == [
                "signature", "file Z", "file model.onnx", "file sub/a", "file é.md",
            ])
        #expect(report.check("inclusion")?.detail == "not checked: give --trust instead of --key")
    }

    @Test("fails when a file is changed, missing or extra, and each is named")
    func changed() throws {
        let model = try ModelDirectory()
        try model.sign()
        try model.write("model.onnx", "abd")
        try FileManager.default.removeItem(atPath: model.path + "/Z")
        try model.write(".git/evil", "x")
        let report = model.check()
        #expect(report.verdict == .notVerified)
        #expect(
            failures(report) == [
                "file .git/evil: extra", "file Z: missing", "file model.onnx: changed",
            ])
    }

    @Test("fails when a file gives way to a symbolic link to the same contents, or to a pipe")
    func links() throws {
        let model = try ModelDirectory()
        try model.sign()
        let copy = model.root + "/copy"
        try FileManager.default.copyItem(atPath: model.path + "/model.onnx", toPath: copy)
        try FileManager.default.removeItem(atPath: model.path + "/model.onnx")
        try FileManager.default.createSymbolicLink(
            atPath: model.path + "/model.onnx", withDestinationPath: copy)
        try FileManager.default.removeItem(atPath: model.path + "/Z")
        #expect(mkfifo(model.path + "/Z", 0o600) == 0)
        try FileManager.default.createSymbolicLink(
            atPath: model.path + "/loop", withDestinationPath: ".")
        let report = model.check()
        #expect(
            failures(report) == [
                "file Z: a device, socket or pipe, which is not accepted",
                "file loop: a symbolic link, which is not accepted",
                "file model.onnx: a symbolic link, which is not accepted",
            ])
        #expect(throws: Fault.self) { try DirectoryCheck.files(in: model.path) }
    }

    @Test("fails when a name is another spelling of the signed one")
    func normalisation() throws {
        let model = try ModelDirectory(files: ["caf\u{e9}": "x"])
        try model.sign()
        try FileManager.default.removeItem(atPath: model.path + "/caf\u{e9}")
        // Foundation would spell the name its own way.
        let file = try #require(fopen(model.path + "/cafe\u{301}", "w"))
        fputs("x", file)
        fclose(file)
        let report = model.check()
        #expect(report.failed.count == 2)
    }

    @Test("fails with a foreign key, and then nothing is said about files")
    func foreignKey() throws {
        let model = try ModelDirectory()
        try model.sign()
        let report = model.check(trusted: try PrivateKey.generate(.p256).publicKey)
        #expect(report.verdict == .notVerified)
        #expect(report.checks.map(\.name) == ["signature"])
    }

    @Test("cannot be checked when it or its signature is not there")
    func nothingThere() throws {
        let model = try ModelDirectory()
        let noSignature = model.check()
        #expect(noSignature.verdict == .couldNotCheck)
        #expect(noSignature.obstacle?.code == .notFound)
        try model.sign()
        try FileManager.default.removeItem(atPath: model.path)
        let noDirectory = model.check()
        #expect(noDirectory.verdict == .couldNotCheck)
        #expect(noDirectory.obstacle?.code == .notFound)
    }

    @Test("gives a report that machines can read")
    func json() throws {
        let model = try ModelDirectory(files: ["model.onnx": "abc"])
        try model.sign()
        let report = try members(model.check().encoded())
        #expect(report["verified"] as? Bool == true)
        #expect(report["model"] as? String == "fashion-v3")
        #expect(report["key"] as? String == ModelSignature.keyHint(of: model.key.publicKey).hex)
        let checks = try #require(report["checks"] as? [[String: Any]])
        #expect(
            checks.prefix(2).compactMap { $0["name"] as? String } == [
                "signature", "file model.onnx",
            ])
        #expect(checks.prefix(2).allSatisfy { $0["result"] as? String == "passed" })
        #expect(checks.dropFirst(2).allSatisfy { $0["result"] as? String == "skipped" })
        #expect(report["verdict"] as? String == "verified")
        #expect(report["problem"] is NSNull)
    }
}

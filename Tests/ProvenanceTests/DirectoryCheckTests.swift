import Cryptography
import Federation
import Foundation
import Provenance
import Testing

@Suite("A model directory")
struct DirectoryCheckTests {
    private func failures(_ report: DirectoryReport) -> [String] {
        report.checks.filter { !$0.passed }.map { "\($0.name): \($0.detail.prefix { $0 != ";" })" }
    }

    @Test("verifies as it was signed, and every file is a check")
    func intact() throws {
        let model = try ModelDirectory()
        try model.sign()
        let report = try model.check()
        #expect(report.isVerified)
        #expect(report.checks.map(\.name) == ["signature", "Z", "model.onnx", "sub/a", "é.md"])
        #expect(report.model?.name == "fashion-v3")
    }

    @Test("fails when a file is changed, missing or extra, and each is named")
    func changed() throws {
        let model = try ModelDirectory()
        try model.sign()
        try model.write("model.onnx", "abd")
        try FileManager.default.removeItem(atPath: model.path + "/Z")
        try model.write(".git/evil", "x")
        let report = try model.check()
        #expect(!report.isVerified)
        #expect(failures(report) == [".git/evil: extra", "Z: missing", "model.onnx: changed"])
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
        let report = try model.check()
        #expect(
            failures(report) == [
                "Z: a device, socket or pipe, which is not accepted",
                "loop: a symbolic link, which is not accepted",
                "model.onnx: a symbolic link, which is not accepted",
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
        let report = try model.check()
        #expect(report.checks.count { !$0.passed } == 2)
    }

    @Test("fails with a foreign key, and then nothing is said about files")
    func foreignKey() throws {
        let model = try ModelDirectory()
        try model.sign()
        let report = try model.check(trusted: [PrivateKey.generate(.p256).publicKey])
        #expect(!report.isVerified)
        #expect(report.checks.map(\.name) == ["signature"])
        #expect(report.model == nil)
    }

    @Test("cannot be checked when it or its signature is not there")
    func nothingThere() throws {
        let model = try ModelDirectory()
        let noSignature = #expect(throws: Fault.self) { try model.check() }
        #expect(noSignature?.code == .notFound)
        try model.sign()
        try FileManager.default.removeItem(atPath: model.path)
        let noDirectory = #expect(throws: Fault.self) { try model.check() }
        #expect(noDirectory?.code == .notFound)
    }

    @Test("gives a report that machines can read")
    func json() throws {
        let model = try ModelDirectory(files: ["model.onnx": "abc"])
        try model.sign()
        let report = try members(try model.check().encoded())
        #expect(report["verified"] as? Bool == true)
        #expect(report["model"] as? String == "fashion-v3")
        #expect(report["key"] as? String == ModelSignature.keyHint(of: model.key.publicKey).hex)
        let checks = try #require(report["checks"] as? [[String: Any]])
        #expect(checks.compactMap { $0["name"] as? String } == ["signature", "model.onnx"])
        #expect(checks.allSatisfy { $0["passed"] as? Bool == true })
    }
}

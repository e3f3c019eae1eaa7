import Foundation
import Glibc
import Provenance
import Testing
import Verification

@Suite("Verifying what somebody prepared")
struct HostileDirectoryTests {
    private let fleet: LoggedFleet

    init() throws {
        fleet = try LoggedFleet()
        for _ in 0..<2 { try fleet.addVersion() }
        try fleet.exportModel(1)
        try fleet.exportLog()
    }

    private func replace(_ path: String, by make: (String) -> Int32) throws -> VerificationReport {
        let kept = path + ".kept"
        try FileManager.default.moveItem(atPath: path, toPath: kept)
        #expect(make(path) == 0)
        let report = try fleet.verification(of: 1)
        unlink(path)
        try FileManager.default.moveItem(atPath: kept, toPath: path)
        return report
    }

    @Test(
        "never waits at a pipe, wherever it is",
        arguments: [
            ("fashion-1/model.onnx", VerificationReport.Verdict.notVerified),
            ("fashion-1.sig", .couldNotCheck), ("fashion-1.tlog-proof", .couldNotCheck),
            ("log/checkpoint", .couldNotCheck),
        ])
    func pipes(file: String, verdict: VerificationReport.Verdict) throws {
        let report = try replace("\(fleet.export)/\(file)") { mkfifo($0, 0o600) }
        #expect(report.verdict == verdict, "\(report.checks)")
    }

    @Test("does not follow symbolic links in the model's directory, not even good ones")
    func links() throws {
        for file in fleet.models[1].files {
            let report = try replace("\(fleet.directory(1))/\(file.name)") {
                symlink($0 + ".elsewhere", $0)
            }
            #expect(report.failed.contains("file \(file.name)"))
        }
        #expect(symlink("/", fleet.directory(1) + "/up") == 0)
        #expect(try fleet.verification(of: 1).failed == ["file up"])
    }

    @Test(
        "is not held up by files of a tebibyte",
        arguments: [
            "fashion-1.sig", "fashion-1.tlog-proof", "log/checkpoint", "fashion-1/model.onnx",
            "fashion-1/provenance.json",
        ])
    func huge(file: String) throws {
        let report = try replace("\(fleet.export)/\(file)") { path in
            let file = creat(path, 0o600)
            defer { close(file) }
            // Sparse: only a reader that takes it all in would notice its size.
            return ftruncate(file, 1 << 40)
        }
        #expect(report.verdict == .notVerified)
    }

    @Test("takes a directory in place of a file for what it is")
    func directories() throws {
        let path = fleet.directory(1) + "/model.onnx"
        try FileManager.default.removeItem(atPath: path)
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: false)
        #expect(try fleet.verification(of: 1).failed == ["file model.onnx"])
        try fleet.exportModel(0)
        try FileManager.default.removeItem(atPath: fleet.directory(0) + ".sig")
        try FileManager.default.createDirectory(
            atPath: fleet.directory(0) + ".sig", withIntermediateDirectories: false)
        #expect(try fleet.verification(of: 0).verdict == .couldNotCheck)
    }

    @Test("keeps no checkpoint where it may not write, and says so")
    func readOnlyState() throws {
        let report = ModelVerification(
            directory: fleet.directory(1), signature: fleet.directory(1) + ".sig",
            proof: fleet.directory(1) + ".tlog-proof", trust: .set(fleet.trust), log: nil,
            remembered: RememberedCheckpoint(file: fleet.root + "/none/state")
        ).run()
        #expect(report.verdict == .verified)
        #expect(report.check("last seen")?.detail.contains("would go unnoticed") == true)
    }
}

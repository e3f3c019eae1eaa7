import AgentService
import Configuration
import Cryptography
import Federation
import Foundation
import Provenance
import Testing

@Suite("A model that is held")
struct HeldModelTests {
    let temporary: TemporaryDirectory
    let directory: StateDirectory
    let fleet: ExampleFleet
    /// `models/pumps` of the state directory.
    let held: String

    init() throws {
        temporary = try TemporaryDirectory()
        directory = StateDirectory(path: "\(temporary.path)/state")
        fleet = try ExampleFleet()
        _ = try fleet.enrol(in: directory)
        let model = try fleet.model(version: 3)
        let evidence = try fleet.evidence(version: 3, model: model)
        try temporary.write(model, to: "blob")
        let models = ServingModels(directory: directory.modelDirectory)
        try models.install(
            planID("pumps"), version: 3, model: "\(temporary.path)/blob",
            signature: evidence.signature, proof: evidence.proof)
        held = models.directory(of: try planID("pumps"))
        try temporary.write(Array("1,2,3\n".utf8), to: "rows.csv")
    }

    private func finding(_ check: String) throws -> Doctor.Finding? {
        let configuration = AgentConfiguration(
            stateDirectory: directory.path, logLevel: "info",
            data: [(plan: try planID("pumps"), directory: temporary.path)], localNoiseFloor: 0)
        return Doctor(configuration).examine().first { $0.check == check }
    }

    private func prediction() -> Fault? {
        fault { () throws(Fault) in
            _ = try Prediction(modelDirectory: held, input: "\(temporary.path)/rows.csv")
        }
    }

    @Test("is verified again offline, from what lies beside it")
    func verifies() throws {
        let logged = try HeldModel.verify(held, trust: fleet.trust)
        #expect(logged.version == 3 && logged.position == 5)
        #expect(try finding("model of pumps")?.detail == "version 3, number 5 in the log")
        #expect(prediction() == nil)
    }

    @Test(
        "is refused by doctor and by predict once any of its files is another",
        arguments: ["model.onnx", "model.sig", "model.tlog-proof"])
    func changed(file: String) throws {
        let other = try fleet.model(version: 3, scale: 2)
        let evidence = try fleet.evidence(version: 3, model: other)
        let bytes = [
            "model.onnx": other, "model.sig": evidence.signature,
            "model.tlog-proof": evidence.proof,
        ]
        try Data(bytes[file] ?? []).write(to: URL(fileURLWithPath: "\(held)/\(file)"))
        let finding = try #require(try finding("model of pumps"))
        #expect(!finding.passed)
        #expect(finding.detail.contains(held))
        #expect(prediction()?.code == .untrusted)
    }

    @Test(
        "is refused when what vouches for it is gone", arguments: ["model.sig", "model.tlog-proof"])
    func missing(file: String) throws {
        try FileManager.default.removeItem(atPath: "\(held)/\(file)")
        #expect(try finding("model of pumps")?.passed == false)
        #expect(prediction()?.code == .notFound)
    }

    @Test("names its file by its proof, and a damaged file is replaced by what it was")
    func repaired() throws {
        let models = ServingModels(directory: directory.modelDirectory)
        let plan = try planID("pumps")
        let model = try fleet.model(version: 3)
        let digest = SHA256.digest(of: model)
        #expect(models.held(plan) == HeldVersion(version: 3, model: digest))
        // Not through the link: the cache's copy is the same file.
        try FileManager.default.removeItem(atPath: "\(held)/model.onnx")
        try Data([1]).write(to: URL(fileURLWithPath: "\(held)/model.onnx"))
        #expect(models.held(plan) == HeldVersion(version: 3, model: digest))
        let evidence = try fleet.evidence(version: 3, model: model)
        try models.install(
            plan, version: 3, model: "\(temporary.path)/blob", signature: evidence.signature,
            proof: evidence.proof)
        #expect(try HeldModel.verify(held, trust: fleet.trust).model == digest)
        try Data([1]).write(to: URL(fileURLWithPath: "\(held)/model.tlog-proof"))
        #expect(models.held(plan) == HeldVersion(version: 3, model: nil))
        #expect(models.held(try planID("valves")) == nil)
    }

    @Test("doctor tells the certificate's age, when it is renewed, and the log's size")
    func doctor() throws {
        let certificate = try #require(try finding("certificate"))
        #expect(certificate.passed)
        #expect(certificate.detail.hasPrefix("0 hours old, renewed from "))
        #expect(certificate.detail.contains("valid until "), "\(certificate.detail)")
        #expect(try finding("log checkpoint")?.detail.hasPrefix("none yet") == true)
        try KeptCheckpoint(fleet.exampleLog(leaves: 9).checkpoint()).store(in: directory)
        #expect(try finding("log checkpoint")?.detail == "9 entries of tributary/plant")
        try temporary.write([1], to: "state/log-checkpoint")
        #expect(try finding("log checkpoint")?.passed == false)
    }

    @Test(
        "that a power cut damaged, or left as another version's, gives way to the one before it",
        arguments: ["model.onnx", "model.sig", "model.tlog-proof"], [true, false])
    func powerCut(file: String, isOlder: Bool) throws {
        let plan = try planID("pumps")
        let models = ServingModels(directory: directory.modelDirectory)
        let model = try fleet.model(version: 4)
        let evidence = try fleet.evidence(version: 4, model: model)
        try temporary.write(model, to: "newer")
        try models.install(
            plan, version: 4, model: "\(temporary.path)/newer", signature: evidence.signature,
            proof: evidence.proof)
        #expect(models.repair(plan) == nil)
        #expect(try HeldModel.verify(held, trust: fleet.trust).version == 4)

        let older = URL(fileURLWithPath: "\(directory.modelDirectory)/pumps.3/\(file)")
        try (isOlder ? Data(contentsOf: older) : Data())
            .write(to: URL(fileURLWithPath: "\(held)/\(file)"))
        #expect(models.repair(plan) == 3)
        #expect(try HeldModel.verify(held, trust: fleet.trust).version == 3)
        // Nothing is left to go back to: what is damaged stays, and is refused.
        try Data().write(to: URL(fileURLWithPath: "\(held)/\(file)"))
        #expect(models.repair(plan) == nil)
        #expect(prediction() != nil)
    }
}

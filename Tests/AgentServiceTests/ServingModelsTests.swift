import AgentService
import Federation
import Foundation
import Testing

@Suite("Serving models")
struct ServingModelsTests {
    let directory: TemporaryDirectory
    let models: ServingModels
    let plan: PlanID

    init() throws {
        directory = try TemporaryDirectory()
        models = ServingModels(directory: directory.path)
        plan = try planID("pumps")
    }

    private func install(_ version: UInt64, _ bytes: [UInt8]) throws {
        try directory.write(bytes, to: "blob")
        try models.install(
            plan, version: version, model: "\(directory.path)/blob", signature: [7], proof: [8])
        try FileManager.default.removeItem(atPath: "\(directory.path)/blob")
    }

    @Test("an installed model is found under its plan's name, with its version")
    func installs() throws {
        #expect(models.version(of: plan) == nil)
        try install(3, [1, 2, 3])
        #expect(models.version(of: plan) == 3)
        #expect(try directory.contents("pumps/model.onnx") == [1, 2, 3])
        #expect(try directory.contents("pumps/model.sig") == [7])
        #expect(try directory.contents("pumps/model.tlog-proof") == [8])
        #expect(models.directory(of: plan) == "\(directory.path)/pumps")
    }

    @Test("a newer version takes the place of the older one, and only the one before it is kept")
    func replaces() throws {
        for version in 3...5 { try install(UInt64(version), [UInt8(version)]) }
        #expect(models.version(of: plan) == 5)
        #expect(try directory.contents("pumps/model.onnx") == [5])
        #expect(try directory.contents("pumps.4/model.onnx") == [4])
        #expect(!FileManager.default.fileExists(atPath: "\(directory.path)/pumps.3"))
    }

    @Test("a version is written where one was that is not needed any more, and is whole")
    func reuses() throws {
        let cache = BlobCache(directory: try directory.folder("blobs"))
        let names = { try FileManager.default.contentsOfDirectory(atPath: directory.path) }
        for version in 1...6 as ClosedRange<UInt8> {
            let model = [UInt8](repeating: version, count: 5_000)
            try directory.write(model, to: "blob")
            try models.install(
                plan, version: UInt64(version), model: "\(directory.path)/blob",
                signature: [version], proof: [UInt8](repeating: version, count: Int(version)),
                leaving: cache)
            try FileManager.default.removeItem(atPath: "\(directory.path)/blob")
            #expect(try directory.contents("pumps/model.onnx") == model)
            #expect(try directory.contents("pumps/model.sig") == [version])
            #expect(try directory.contents("pumps/model.tlog-proof").count == Int(version))
            guard version > 1 else { continue }
            #expect(try directory.contents("pumps.\(version - 1)/model.onnx")[0] == version - 1)
        }
        #expect(try names().sorted() == ["blobs", "pumps", "pumps.5", "pumps.6", "pumps.spare"])
        #expect(cache.held.isEmpty)
    }

    @Test("installing the version held again changes nothing")
    func again() throws {
        try install(3, [1])
        try install(3, [1])
        #expect(models.version(of: plan) == 3)
        #expect(try directory.contents("pumps/model.onnx") == [1])
    }

    @Test("what a crash left half done does not stand in the way")
    func leftovers() throws {
        _ = try directory.folder("pumps.3")
        try directory.write([9], to: "pumps.3/model.onnx")
        try FileManager.default.createSymbolicLink(
            atPath: "\(directory.path)/pumps.new", withDestinationPath: "pumps.2")
        try install(3, [1])
        #expect(try directory.contents("pumps/model.onnx") == [1])
    }

    @Test("plans whose names begin alike do not disturb each other")
    func namesakes() throws {
        try install(3, [1])
        try directory.write([5], to: "other")
        try models.install(
            planID("pumps-2"), version: 8, model: "\(directory.path)/other", signature: [],
            proof: [])
        try install(4, [2])
        #expect(models.version(of: plan) == 4)
        #expect(try models.version(of: planID("pumps-2")) == 8)
    }

    @Test("a model that cannot be linked leaves the version held in place")
    func failure() throws {
        try install(3, [1])
        let fault = fault { () throws(Fault) in
            try models.install(plan, version: 4, model: "/nonexistent", signature: [], proof: [])
        }
        #expect(fault?.code == .storage)
        #expect(models.version(of: plan) == 3)
    }
}

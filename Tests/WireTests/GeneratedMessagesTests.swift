import Foundation
import Testing

@Suite struct GeneratedMessagesTests {
    @Test("the checked-in C messages are what protoc-c generates from proto/ today")
    func current() throws {
        let fresh = FileManager.default.temporaryDirectory
            .appending(path: "tributary-messages-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: fresh) }
        _ = try Repository.run(".ci/generate-messages", fresh.path)
        let generated = try files(under: fresh)
        var checkedIn = try files(under: Repository.root.appending(path: "Sources/CMessages"))
        checkedIn["include/module.modulemap"] = nil
        #expect(generated.keys.sorted() == checkedIn.keys.sorted())
        #expect(generated.count >= 16)
        for (name, content) in generated {
            #expect(content == checkedIn[name], "\(name) is old: run .ci/generate-messages")
        }
    }

    /// The content of each file, by its path under `directory`.
    private func files(under directory: URL) throws -> [String: Data] {
        var files: [String: Data] = [:]
        for name in try FileManager.default.subpathsOfDirectory(atPath: directory.path)
        where name.hasSuffix(".c") || name.hasSuffix(".h") || name.hasSuffix(".modulemap") {
            files[name] = try Data(contentsOf: directory.appending(path: name))
        }
        return files
    }
}

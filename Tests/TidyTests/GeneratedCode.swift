import Foundation
import Testing

/// Whether checked-in generated files are what their generator writes now.
enum GeneratedCode {
    static let folder = "Sources/CMessages"
    /// The only file of that folder written by hand.
    private static let byHand = "include/module.modulemap"

    /// - Parameters:
    ///   - checkedIn: contents by path from `folder`.
    ///   - generated: the same of a fresh run.
    static func differences(
        checkedIn: [String: [UInt8]], generated: [String: [UInt8]]
    ) -> [Violation] {
        Set(checkedIn.keys).union(generated.keys).subtracting([byHand]).sorted().compactMap {
            path in
            let rule: String
            switch (checkedIn[path], generated[path]) {
            case (nil, _): rule = "is missing: run 'make messages'"
            case (_, nil): rule = "has no .proto any more: run 'make messages'"
            case (let old, let new) where old != new:
                rule = "is not what its .proto generates: run 'make messages'"
            default: return nil
            }
            return Violation(path: "\(folder)/\(path)", rule)
        }
    }

    /// Contents by path from `directory`.
    static func contents(of directory: URL) throws -> [String: [UInt8]] {
        let paths = try FileManager.default.subpathsOfDirectory(atPath: directory.path)
        var contents: [String: [UInt8]] = [:]
        for path in paths {
            let file = directory.appending(path: path)
            guard try file.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile == true
            else { continue }
            contents[path] = [UInt8](try Data(contentsOf: file))
        }
        return contents
    }
}

@Suite("Generated code")
struct GeneratedCodeTests {
    @Test("Sources/CMessages is what protoc-c generates from proto/ now")
    func current() throws {
        let compiler = try run("sh", "-c", "command -v protoc-c")
        try #require(compiler.status == 0, "protoc-c is not installed: run 'make deps'")
        try withTemporaryDirectory { directory in
            let script = Project.root.appending(path: ".ci/generate-messages")
            let generation = try run(script.path, directory.path)
            try #require(generation.status == 0, ".ci/generate-messages: \(generation.errors)")
            let generated = try GeneratedCode.contents(of: directory)
            #expect(generated.count >= 2)
            expectNone(
                GeneratedCode.differences(
                    checkedIn: try GeneratedCode.contents(
                        of: Project.root.appending(path: GeneratedCode.folder)),
                    generated: generated))
        }
    }

    @Test("the rule sees a changed byte, a missing file and one too many")
    func rule() {
        let found = GeneratedCode.differences(
            checkedIn: ["a.c": [1], "b.c": [1], "old.c": [1], "include/module.modulemap": [1]],
            generated: ["a.c": [1], "b.c": [2], "new.c": [1]])
        #expect(
            found.map(\.path) == ["b.c", "new.c", "old.c"].map { "\(GeneratedCode.folder)/\($0)" })
        #expect(found.map { $0.rule.prefix(6) } == ["is not", "is mis", "has no"])
    }
}

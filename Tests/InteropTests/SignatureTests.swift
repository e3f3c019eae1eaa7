import Foundation
import Testing

extension InteropTests.WithFleet {
    @Suite("The signature of an exported model")
    struct SignatureTests {
        @Test("of another fleet's key, or a changed model, is exit status 1 and says what to do")
        func notVerified() async throws {
            let fleet = try ExampleFleet.current
            let export = try await fleet.export(.beads)
            try await withTemporaryDirectory { directory in
                let other = directory.appending(path: "other").path
                _ = try await run(
                    .coordinator, "init", "--dir", other, "--address", "localhost"
                ).succeeded()
                let result = try await run(
                    .verifier, "model", export.modelDir, "--trust", "\(other)/trust-set.json")
                #expect(result.status == 1, "\(result)")
                #expect(result.words.contains("NOT VERIFIED"))
                #expect(result.words.contains("check that the key is this fleet's"))
            }
        }

        @Test("that cannot be checked is exit status 2 and says why")
        func couldNotCheck() async throws {
            let export = try await ExampleFleet.current.export(.beads)
            try await withTemporaryDirectory { directory in
                let garbage = directory.appending(path: "garbage").path
                try Data((0..<200).map { _ in UInt8.random(in: 0...255) })
                    .write(to: URL(filePath: garbage))
                let none = directory.appending(path: "none").path
                let cases = [
                    (["--signature", none, "--key", export.publicKey], "none does not exist"),
                    (["--signature", export.signature, "--key", garbage], garbage),
                    (["--signature", export.signature, "--key", none], "none does not exist"),
                    (["--signature", export.signature, "--trust", garbage], "trust set"),
                    (["--signature", export.signature], "--key or --trust"),
                ]
                for (arguments, words) in cases {
                    let result = try await run(
                        Program.verifier.located(), ["model", export.modelDir] + arguments)
                    #expect(result.status == 2, "\(result)")
                    #expect(result.errors.contains(words), "\(result)")
                }
                let missing = try await run(
                    .verifier, "model", none, "--signature", export.signature, "--key",
                    export.publicKey)
                #expect(missing.status == 2, "\(missing)")
            }
        }
    }
}

extension ExampleFleet {
    /// Exports a version of a plan's model, the newest unless one is named, once more over what is there.
    func export(_ plan: ExamplePlan, version: UInt64? = nil) async throws -> ExportAnswer {
        try await administer(
            ["model", "export", plan.name, "--output", directory.appending(path: "export").path]
                + (version.map { ["--version", "\($0)"] } ?? []))
    }
}

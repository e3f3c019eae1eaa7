import CoordinatorService
import Testing

@Suite("The worked example of CoordinatorService")
struct WorkedExampleTests {
    @Test("does what its catalogue says")
    func example() async throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("state")

        let state = try await StateDirectory.initialise(
            path: path, fleet: "acme", addresses: ["fleet.example.org"], port: 7443)
        let findings = state.localChecks()

        #expect(!findings.isEmpty && findings.allSatisfy(\.ok))
    }
}

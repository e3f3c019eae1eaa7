import Federation
import Registry
import Testing

@Suite("The worked example of Registry")
struct WorkedExampleTests {
    @Test("does what its catalogue says")
    func example() async throws {
        let scratch = try Scratch()
        let registry = scratch.registry

        let digest = try await registry.putBlob(Array("weights".utf8))
        let bytes = try await registry.blob(digest)
        let before = try await registry.eventCount()
        try await registry.record(FleetEvent(.tokenIssued, []), nowUnix: now)
        let leaves = try await registry.eventCount() - before

        #expect(bytes == Array("weights".utf8))
        #expect(leaves == 1)
    }
}

import Federation
import Registry
import Testing

@Suite("Rows that somebody changed from outside")
struct ChangedRowsTests {
    private let scratch: Scratch
    private let damaged: Damaged
    private var registry: Registry { scratch.registry }

    init() throws {
        scratch = try Scratch()
        damaged = Damaged(directory: scratch.directory)
    }

    @Test("a person's revocation cannot be taken back")
    func person() async throws {
        try await addPerson()
        try await registry.revokePerson(
            "ada", reason: "left", nowUnix: now, event: event(.adminRevoked, "ada"))
        #expect(try await registry.person("ada")?.isRevoked == true)
        try damaged.sql("UPDATE people SET revokedUnix = NULL, revokedReason = ''")
        #expect(await faultCode { _ = try await registry.person("ada") } == .untrusted)
    }

    @Test(
        "a model is not handed out, whichever way it is asked for",
        arguments: [
            "UPDATE models SET masterDigest = modelDigest",
            "UPDATE model_files SET size = 7 WHERE name = 'model.onnx'",
        ])
    func model(statement: String) async throws {
        _ = try await registry.prepareFashion()
        #expect(try await registry.models(fashion).count == 1)
        try damaged.sql(statement)
        #expect(await faultCode { _ = try await registry.model(fashion, version: 0) } == .untrusted)
        #expect(await faultCode { _ = try await registry.models(fashion) } == .untrusted)
        #expect(await faultCode { _ = try await registry.latestModel(fashion) } == .untrusted)
    }

    @Test("the name of a deleted row is not given again")
    func deleted() async throws {
        try await addPerson()
        _ = try await registry.prepareFashion()
        try damaged.sql("DELETE FROM people")
        #expect(await faultCode { try await addPerson() } == .untrusted)
        try damaged.sql("DELETE FROM jobs")
        try damaged.sql("DELETE FROM sqlite_sequence WHERE name = 'jobs'")
        let code = await faultCode {
            _ = try await registry.createJob(
                plan: fashion, rounds: 1, idempotencyKey: "", nowUnix: now,
                event: { event(.roundsRequested, "\($0)") })
        }
        #expect(code == .untrusted)
    }

    private func addPerson() async throws {
        try await registry.addPerson(
            "ada", role: .operator, certificate: ("1", digest("ada"), now + 100), nowUnix: now,
            event: event(.adminIssued, "ada"))
    }
}

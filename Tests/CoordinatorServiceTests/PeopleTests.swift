import CoordinatorService
import Federation
import Foundation
import Registry
import Testing

@Suite("People", .timeLimit(.minutes(10)))
struct PeopleTests {
    private func newFleet(in directory: TemporaryDirectory) async throws -> StateDirectory {
        try await StateDirectory.initialise(
            path: directory.file("state"), fleet: "lab", addresses: ["127.0.0.1"], port: 7443)
    }

    @Test("who were given a credential are listed, and a new one takes the place of the old")
    func issue() async throws {
        let directory = try TemporaryDirectory()
        let state = try await newFleet(in: directory)
        try await state.issueCredential(
            name: "eve", role: .auditor, output: directory.file("eve"))
        let first = try await state.people()
        #expect(first.map(\.name) == ["admin", "eve"] && first.map(\.role) == [.admin, .auditor])
        try await state.issueCredential(
            name: "eve", role: .operator, output: directory.file("eve-2"))
        let second = try await state.people()
        #expect(second[1].role == .operator)
        #expect(second[1].certificateDigest != first[1].certificateDigest)
    }

    @Test("who were revoked stay so")
    func revoke() async throws {
        let directory = try TemporaryDirectory()
        let state = try await newFleet(in: directory)
        try await state.issueCredential(
            name: "eve", role: .auditor, output: directory.file("eve"))
        try await state.revokeCredential(name: "eve", reason: "left")
        #expect(try await state.people().map(\.isRevoked) == [false, true])
        let twice = await refusal {
            try await state.revokeCredential(name: "eve", reason: "left")
        }
        #expect(twice?.code == .conflict)
        let unknown = await refusal {
            try await state.revokeCredential(name: "mallory", reason: "left")
        }
        #expect(unknown?.code == .notFound)
        let back = await refusal {
            try await state.issueCredential(
                name: "eve", role: .admin, output: directory.file("again"))
        }
        #expect(back?.code == .conflict)
        #expect(!FileManager.default.fileExists(atPath: directory.file("again")))
    }

    @Test("who administer the fleet are not all revoked by mistake")
    func lastAdmin() async throws {
        let directory = try TemporaryDirectory()
        let state = try await newFleet(in: directory)
        // Neither of them can issue commands that an admin can.
        try await state.issueCredential(
            name: "ann", role: .operator, output: directory.file("ann"))
        try await state.issueCredential(name: "ben", role: .admin, output: directory.file("ben"))
        try await state.revokeCredential(name: "ben", reason: "left")
        let last = await refusal {
            try await state.revokeCredential(name: "admin", reason: "left")
        }
        #expect(last?.code == .conflict)
        #expect(last?.remedy.contains("admin issue --dir \(state.path) --name") == true)
        #expect(last?.remedy.contains("--force") == true)
        try await state.issueCredential(name: "eve", role: .admin, output: directory.file("eve"))
        try await state.revokeCredential(name: "admin", reason: "left")
        try await state.revokeCredential(name: "ann", reason: "left")
        try await state.revokeCredential(name: "eve", reason: "left", leavesNobody: true)
        #expect(try await state.people().allSatisfy(\.isRevoked))
    }

    @Test("are refused by a running coordinator from the next request on")
    func running() async throws {
        try await FleetUnderTest.run { fleet in
            try await fleet.state.issueCredential(
                name: "eve", role: .admin, output: fleet.directory.file("eve"))
            let eve = try await fleet.admin(folder: fleet.directory.file("eve"))
            _ = try await eve.agents()
            try await fleet.state.issueCredential(
                name: "eve", role: .admin, output: fleet.directory.file("eve-2"))
            let replaced = await refusal { _ = try await eve.agents() }
            #expect(replaced != nil)
            let again = try await fleet.admin(folder: fleet.directory.file("eve-2"))
            _ = try await again.agents()
            try await fleet.state.revokeCredential(name: "eve", reason: "left")
            let revoked = await refusal { _ = try await again.agents() }
            #expect(revoked?.code == .forbidden)
            _ = try await fleet.admin().agents()
        }
    }
}

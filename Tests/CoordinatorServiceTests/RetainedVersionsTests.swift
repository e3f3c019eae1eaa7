import CoordinatorService
import Federation
import Foundation
import Provenance
import Registry
import Testing
import Wire

@Suite("Versions beyond a plan's retention", .timeLimit(.minutes(10)))
struct RetainedVersionsTests {
    private let text = TinyPlan().text + "[retention]\nversions = 2\n"

    /// Runs a round in which all agents take part.
    private func runRound(_ admin: Admin, _ agents: [ScriptedAgent]) async throws {
        let job = try await admin.start("tiny")
        try await submitFromAll(agents)
        #expect(try await admin.watchToEnd(job).state == "finished")
    }

    /// The versions whose weights are gone, once there are `count` of them.
    private func collected(_ count: Int, in fleet: FleetUnderTest) async throws -> [UInt64] {
        let plan = try #require(PlanID("tiny"))
        let registry = try fleet.registry()
        for _ in 0..<600 {
            let gone = try await registry.models(plan).filter { $0.collectedUnix != nil }
            if gone.count >= count { return gone.map(\.version) }
            try await Task.sleep(for: .milliseconds(50))
        }
        return []
    }

    private func findings(_ fleet: FleetUnderTest) throws -> [RegistryAudit.Finding] {
        try RegistryAudit.run(
            directory: fleet.state.path, log: try fleet.state.logSigner().verifier
        ).findings
    }

    @Test(
        "lose their weights, are not republished, and stay provable; rounds go on after a restart")
    func collected() async throws {
        try await FleetUnderTest.inTurn { directory in
            try await FleetUnderTest.initialise(directory)
            let agents = try await FleetUnderTest.serve(directory) { fleet in
                let (admin, agents) = try await fleet.prepare(TinyPlan(), agents: 3)
                try await admin.apply(text)
                for agent in agents { try await agent.follow("tiny") }
                let first = try await admin.latestModel(of: "tiny")
                for _ in 0..<3 { try await runRound(admin, agents) }
                #expect(try await collected(2, in: fleet) == [0, 1])
                let listed = try await admin.models(of: "tiny")
                #expect(listed.map { $0.collectedUnix > 0 } == [true, true, false, false])
                let gone = await refusal {
                    _ = try await agents[0].download(try #require(first.model).modelDigest)
                }
                #expect(gone?.code == .notFound)
                let republished = await refusal {
                    _ = try await admin.ask(
                        .modelRepublish(ModelRepublish(plan: "tiny", version: 1)))
                }
                #expect(republished?.code == .gone)
                #expect(republished?.message.contains("collected") == true)
                // What proves it is still there for whoever audits it.
                let signature = try await agents[0].download(
                    try #require(first.model).signatureDigest)
                #expect(!signature.isEmpty)
                for file in first.files where file.name != "model.onnx" {
                    let bytes = try await agents[0].download(file.digest)
                    #expect(bytes.count == Int(file.size))
                }
                #expect(try findings(fleet) == [])
                return agents
            }
            try await FleetUnderTest.serve(directory) { fleet in
                let admin = try await fleet.admin()
                var back: [ScriptedAgent] = []
                for agent in agents { back.append(try await agent.reconnected(to: fleet)) }
                try await runRound(admin, back)
                #expect(try await collected(3, in: fleet) == [0, 1, 2])
                let versions = try await admin.models(of: "tiny").compactMap { $0.model?.version }
                #expect(versions == [0, 1, 2, 3, 4])
                let kept = try await admin.ask(
                    .modelRepublish(ModelRepublish(plan: "tiny", version: 3)))
                guard case .model(let model) = kept else { throw admin.unexpected(kept) }
                #expect(model.model?.version == 5)
                #expect(try await collected(4, in: fleet) == [0, 1, 2, 3])
                #expect(try findings(fleet) == [])
            }
        }
    }

    @Test(
        "are collected at the start when a crash came between the mark and the end of the weights")
    func afterCrash() async throws {
        try await FleetUnderTest.inTurn { directory in
            try await FleetUnderTest.initialise(directory)
            let orphan = directory.file("state/blobs/ab/") + String(repeating: "ab", count: 32)
            try await FleetUnderTest.serve(directory) { fleet in
                _ = try await fleet.prepare(TinyPlan(), agents: 0)
            }
            try directory.write(
                "state/blobs/ab/" + String(repeating: "ab", count: 32), "stored without a row")
            try await FleetUnderTest.serve(directory) { fleet in
                #expect(!FileManager.default.fileExists(atPath: orphan))
                let found = try findings(fleet)
                #expect(found == [])
            }
        }
    }
}

import Cryptography
import Federation
import Foundation
import Learning
import ModelFormats
import Provenance
import Registry
import Testing
import Wire

@Suite("A private round", .timeLimit(.minutes(2)))
struct PrivateRoundTests {
    @Test("ends with a signed version that names its parent")
    func publishes() async throws {
        try await FleetUnderTest.run { fleet in
            let (admin, agents) = try await fleet.prepare(TinyPlan(), agents: 3)
            let first = try await admin.latestModel(of: "tiny")
            let job = try await admin.start("tiny")
            for (index, agent) in agents.enumerated() {
                let assignment = try await agent.assignment()
                let update = try exampleUpdate(assignment, seed: UInt64(index))
                #expect(try await agent.submit(assignment, update).verdict == .accepted)
            }
            let ended = try await admin.watchToEnd(job)
            #expect(ended.state == "finished")
        }
    }
}

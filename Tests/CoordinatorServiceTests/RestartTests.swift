import CoordinatorService
import Cryptography
import Federation
import Foundation
import Testing
import Wire

@Suite("A coordinator that is started again", .timeLimit(.minutes(10)))
struct RestartTests {
    @Test("knows its agents and goes on with the round: the run is not lost (Flower 599)")
    func unfinishedRound() async throws {
        try await FleetUnderTest.inTurn { directory in
            try await FleetUnderTest.initialise(directory)
            let (agents, job, old) = try await FleetUnderTest.serve(directory) { fleet in
                let (admin, agents) = try await fleet.prepare(TinyPlan(), agents: 3)
                let first = try await admin.start("tiny")
                try await submitFromAll(agents)
                _ = try await admin.watchToEnd(first)
                let job = try await admin.start("tiny", rounds: 2)
                let old = try await agents[0].assignment()
                #expect(
                    try await agents[0].submit(old, try exampleUpdate(old)).verdict == .accepted)
                return (agents, job, old)
            }
            try await FleetUnderTest.serve(directory) { fleet in
                let admin = try await fleet.admin()
                let plan = try await admin.plan("tiny")
                #expect(plan.state == "ready" && plan.modelVersion == 1)
                #expect(plan.epsilon > 0 && plan.accuracyTeacher > 0.5)
                let going = try await admin.job(job.job)
                #expect(going.state == "running")
                #expect(going.rounds.map(\.round) == [2])
                #expect(going.rounds.first?.attempt == 1)

                var back: [ScriptedAgent] = []
                for agent in agents { back.append(try await agent.reconnected(to: fleet)) }
                // The sum died with the process: the same update is asked for again, and no other is taken.
                let update = try exampleUpdate(old)
                #expect(
                    try await back[0].probe(old, digest: SHA256.digest(of: update)).verdict
                        == .wanted)
                #expect(try await back[0].heartbeat(old).wanted)
                #expect(try await back[0].submit(old, update).verdict == .accepted)
                #expect(try await back[0].submit(old, update).verdict == .duplicate)
                try await submitFromAll(Array(back.dropFirst()))
                try await submitFromAll(back)
                let ended = try await admin.watchToEnd(job)
                #expect(ended.state == "finished" && ended.roundsDone == 2, "\(ended.detail)")
                #expect(ended.rounds.map(\.round) == [2, 3])
                #expect(ended.rounds.map(\.modelVersion) == [2, 3])
                #expect(ended.rounds.map(\.reported) == [3, 3])
                #expect(
                    try await admin.models(of: "tiny").map { $0.model?.version } == [0, 1, 2, 3])
                #expect(ended.epsilon > plan.epsilon)
            }
        }
    }

    @Test("prepares the first model again that it had not finished")
    func unfinishedModel() async throws {
        try await FleetUnderTest.inTurn { directory in
            try await FleetUnderTest.initialise(directory)
            try await FleetUnderTest.serve(directory) { fleet in
                _ = try await fleet.admin().apply(TinyPlan(teacherEpochs: 2000).text)
            }
            try await FleetUnderTest.serve(directory) { fleet in
                let admin = try await fleet.admin()
                let ready = try await admin.waitUntilPrepared("tiny")
                #expect(ready.state == "ready", "\(ready.detail)")
                #expect(try await admin.models(of: "tiny").count == 1)
            }
        }
    }

    @Test("still refuses the agents that were revoked before")
    func revoked() async throws {
        try await FleetUnderTest.inTurn { directory in
            try await FleetUnderTest.initialise(directory)
            let agent = try await FleetUnderTest.serve(directory) { fleet in
                let admin = try await fleet.admin()
                let agent = try await ScriptedAgent.enrol(in: fleet, token: try await admin.token())
                try await admin.revoke(agent)
                return agent
            }
            try await FleetUnderTest.serve(directory) { fleet in
                let fault = await refusal {
                    _ = try await agent.reconnected(to: fleet).checkIn([])
                }
                #expect(fault?.code == .forbidden)
            }
        }
    }
}

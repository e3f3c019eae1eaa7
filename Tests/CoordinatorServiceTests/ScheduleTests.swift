import CoordinatorService
import Federation
import Registry
import Testing
import Wire

@Suite("A plan with a schedule", .timeLimit(.minutes(10)))
struct ScheduleTests {
    @Test(
        "starts a round when enough agents are ready, says what it waits for, and keeps its period")
    func schedule() async throws {
        try await FleetUnderTest.run { fleet in
            let schedule = "[schedule]\nevery_seconds = 3600\nready_agents = 2"
            let (admin, agents) = try await fleet.prepare(TinyPlan(schedule: schedule), agents: 1)
            let waiting = try await admin.watch("tiny") { $0.waitsFor == "1 of 2 agents are ready" }
            #expect(waiting.agentsReady == 1 && waiting.readyAgents == 2)
            #expect(waiting.everySeconds == 3600 && waiting.nextRoundSeconds == 0)
            #expect(try await admin.jobs(of: "tiny").isEmpty)

            let other = try await ScriptedAgent.enrol(in: fleet, token: try await admin.token())
            try await other.follow("tiny")
            try await submitFromAll(agents + [other])
            let done = try await admin.watch("tiny") { $0.modelVersion == 1 && $0.jobsOpen == 0 }
            #expect(done.nextRoundSeconds > 3000 && done.waitsFor == "")
            let jobs = try await admin.jobs(of: "tiny")
            #expect(jobs.count == 1 && jobs[0].scheduled && jobs[0].state == "finished")
            // A round that is asked for does not wait for the schedule.
            let asked = try await admin.start("tiny")
            try await submitFromAll(agents + [other])
            #expect(try await admin.watchToEnd(asked).state == "finished")
        }
    }

    @Test("does not start the round of this period again after a restart")
    func restart() async throws {
        try await FleetUnderTest.inTurn { directory in
            try await FleetUnderTest.initialise(directory)
            let text = "[schedule]\nevery_seconds = 3600\nready_agents = 1"
            try await FleetUnderTest.serve(directory) { fleet in
                let admin = try await fleet.admin()
                let agent = try await ScriptedAgent.enrol(in: fleet, token: try await admin.token())
                try await admin.apply(TinyPlan(schedule: text).text)
                _ = try await admin.waitUntilPrepared("tiny")
                try await submitFromAll([agent])
                _ = try await admin.watch("tiny") { $0.modelVersion == 1 && $0.jobsOpen == 0 }
            }
            try await FleetUnderTest.serve(directory) { fleet in
                let admin = try await fleet.admin()
                let plan = try await admin.plan("tiny")
                #expect(plan.nextRoundSeconds > 3000 && plan.jobsOpen == 0)
                #expect(try await admin.rounds(of: "tiny").count == 1)
            }
        }
    }

    @Test("starts a round once that it had asked for just before the server died")
    func crash() async throws {
        try await FleetUnderTest.inTurn { directory in
            try await FleetUnderTest.initialise(directory)
            let text = "[schedule]\nevery_seconds = 3600\nready_agents = 1"
            let agent = try await FleetUnderTest.serve(directory) { fleet in
                let admin = try await fleet.admin()
                try await admin.apply(TinyPlan(schedule: text).text)
                _ = try await admin.waitUntilPrepared("tiny")
                return try await ScriptedAgent.enrol(in: fleet, token: try await admin.token())
            }
            // All that it came to write down.
            let plan = try #require(PlanID("tiny"))
            let job = try await StateDirectory(path: directory.file("state")).registry().createJob(
                plan: plan, rounds: 1, idempotencyKey: "schedule/after-job-0", nowUnix: 1,
                event: { FleetEvent(.roundsRequested, [("job", .number($0))]) }
            ).job
            try await FleetUnderTest.serve(directory) { fleet in
                let admin = try await fleet.admin()
                let back = try await agent.reconnected(to: fleet)
                try await submitFromAll([back])
                _ = try await admin.watch("tiny") { $0.modelVersion == 1 && $0.jobsOpen == 0 }
                let jobs = try await admin.jobs(of: "tiny")
                #expect(jobs.map(\.job) == [job] && jobs[0].scheduled)
                #expect(jobs[0].state == "finished" && jobs[0].roundsDone == 1)
            }
        }
    }

    @Test("whose budget is spent waits and says so")
    func budget() async throws {
        try await FleetUnderTest.run { fleet in
            let plan = TinyPlan(
                privacy: TinyPlan.privacy(noise: 2, maxEpsilon: 0.1),
                schedule: "[schedule]\nready_agents = 1")
            let (admin, _) = try await fleet.prepare(plan, agents: 1)
            let waiting = try await admin.watch("tiny") { $0.waitsFor.contains("epsilon") }
            #expect(waiting.waitsFor.contains("one more round would bring"))
            #expect(try await admin.jobs(of: "tiny").isEmpty)
        }
    }

    @Test("of whose agents some take no work does not count or offer them, but tells them news")
    func unavailable() async throws {
        try await FleetUnderTest.run { fleet in
            let (admin, agents) = try await fleet.prepare(
                // The plan counts on a third agent, for which its first round waits that long.
                TinyPlan(
                    selectionSeconds: 5, reportSeconds: 20,
                    schedule: "[schedule]\nready_agents = 2"), agents: 2)
            try await submitFromAll(agents)
            _ = try await admin.watch("tiny") { $0.modelVersion >= 1 }
            let before = try await agents[0].readiness("tiny")
            let answer = try await agents[0].checkIn(
                [before], waitSeconds: 0, unavailable: "on battery")
            #expect(answer.next != .comeBackSeconds(0))
            try await agents[1].follow("tiny")
            guard
                case .agent(let shown) = try await admin.ask(
                    .agentShow(AgentShow(agent: agents[0].name)))
            else { throw Fault(.internal, "another answer") }
            #expect(shown.unavailable == "on battery")
            let waiting = try await admin.watch("tiny") { $0.waitsFor == "1 of 2 agents are ready" }
            #expect(waiting.agentsReady == 1)
            let status = try await admin.status()
            #expect(status.agentsHere == 2 && status.agentsUnavailable == 1)

            // A round that is asked for does not get it either.
            _ = try await admin.start("tiny")
            let still = try await agents[0].checkIn([before], unavailable: "on battery")
            if case .assignment = still.next { Issue.record("it was given work") }
            #expect(still.plans.map(\.plan) == ["tiny"])
            _ = try await agents[0].assignment()
        }
    }
}

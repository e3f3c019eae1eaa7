import Federation
import Registry
import Testing
import Wire

@Suite("The queue of a plan", .timeLimit(.minutes(10)))
struct QueueTests {
    @Test("runs jobs one after another in the order they were asked for")
    func order() async throws {
        try await FleetUnderTest.run { fleet in
            let (admin, agents) = try await fleet.prepare(TinyPlan(), agents: 2)
            let first = try await admin.start("tiny", key: "monday")
            let second = try await admin.start("tiny", rounds: 2, key: "tuesday")
            let third = try await admin.start("tiny")
            #expect(second.state == "queued" && second.detail == "after another job")
            #expect(try await admin.start("tiny", rounds: 2, key: "tuesday").job == second.job)
            #expect(try await admin.plan("tiny").jobsOpen == 3)
            for _ in 0..<4 { try await submitFromAll(agents) }
            #expect(try await admin.watchToEnd(third).state == "finished")
            let jobs = try await admin.jobs(of: "tiny")
            #expect(jobs.map(\.job) == [first.job, second.job, third.job])
            #expect(jobs.map(\.roundsDone) == [1, 2, 1])
            #expect(jobs.allSatisfy { $0.state == "finished" && !$0.scheduled })
            #expect(try await admin.jobs(of: "tiny", open: true).isEmpty)
            #expect(try await admin.job(second.job).rounds.map(\.round) == [2, 3])
        }
    }

    @Test("does not hold up the jobs of another plan")
    func severalPlans() async throws {
        try await FleetUnderTest.run(plans: ["tiny", "twin"]) { fleet in
            // The one that is never worked on must outlast the other, however slow the machine.
            let patient = TinyPlan(selectionSeconds: 600, reportSeconds: 600)
            let (admin, agents) = try await fleet.prepare(patient, agents: 1)
            _ = try await fleet.prepare(TinyPlan(name: "twin"), agents: 0)
            try await agents[0].follow("twin")
            let slow = try await admin.start("tiny")
            let quick = try await admin.start("twin")
            let twin = try await agents[0].assignment("twin")
            #expect(twin.plan == "twin")
            #expect(
                try await agents[0].submit(twin, try exampleUpdate(twin)).verdict == .accepted)
            #expect(try await admin.watchToEnd(quick).state == "finished")
            #expect(try await admin.job(slow.job).state == "running")
        }
    }

    @Test("goes on with the next job when one is cancelled, whether it runs or waits")
    func cancellation() async throws {
        try await FleetUnderTest.run { fleet in
            let (admin, agents) = try await fleet.prepare(TinyPlan(), agents: 2)
            let first = try await admin.start("tiny", rounds: 5)
            let second = try await admin.start("tiny")
            let third = try await admin.start("tiny")
            let assignment = try await agents[0].assignment()
            #expect(try await admin.cancel(second).state == "cancelled")
            let cancelled = try await admin.cancel(first, reason: "wrong plan")
            #expect(cancelled.state == "cancelled")
            #expect(cancelled.detail == "cancelled by admin: wrong plan")
            #expect(cancelled.rounds.map(\.reason) == ["cancelled by admin: wrong plan"])
            #expect(try await agents[0].heartbeat(assignment).wanted == false)
            try await submitFromAll(agents)
            #expect(try await admin.watchToEnd(third).state == "finished")
            #expect(
                try await admin.jobs(of: "tiny").map(\.state) == [
                    "cancelled", "cancelled", "finished",
                ])
            let long = String(repeating: "x", count: 1001)
            let wordy = await refusal { try await admin.cancel(third, reason: long) }
            #expect(wordy?.code == .invalid)
            let pause = await refusal { try await admin.pause("tiny", reason: long) }
            #expect(pause?.code == .invalid)
            let again = await refusal { try await admin.cancel(first) }
            #expect(again?.code == .conflict)
            let unknown = await refusal { try await admin.cancel(JobRecord(job: 99)) }
            #expect(unknown?.code == .notFound)
            let leaves = try await fleet.registry().events(from: 0, limit: 1000)
            #expect(
                leaves.filter { String(decoding: $0.leaf, as: UTF8.self).contains("jobCancelled") }
                    .count == 2)
        }
    }

    @Test("survives the server's death (NVFLARE 242, Flower 599)")
    func restart() async throws {
        try await FleetUnderTest.inTurn { directory in
            try await FleetUnderTest.initialise(directory)
            let (agents, jobs) = try await FleetUnderTest.serve(directory) { fleet in
                let (admin, agents) = try await fleet.prepare(TinyPlan(), agents: 2)
                let first = try await admin.start("tiny", rounds: 2, key: "first")
                let second = try await admin.start("tiny")
                try await submitFromAll(agents)
                _ = try await admin.watch(first) { $0.rounds.count == 2 }
                return (agents, [first, second])
            }
            try await FleetUnderTest.serve(directory) { fleet in
                let admin = try await fleet.admin()
                #expect(try await admin.start("tiny", rounds: 2, key: "first").job == jobs[0].job)
                var back: [ScriptedAgent] = []
                for agent in agents { back.append(try await agent.reconnected(to: fleet)) }
                try await submitFromAll(back)
                try await submitFromAll(back)
                let second = try await admin.watchToEnd(jobs[1])
                #expect(second.state == "finished", "\(second.detail)")
                let first = try await admin.job(jobs[0].job)
                #expect(first.state == "finished" && first.roundsDone == 2)
                #expect(first.rounds.map(\.round) == [1, 2])
                #expect(second.rounds.map(\.round) == [3])
            }
        }
    }

    @Test("of a job's rounds and of all rounds a page is told at a time")
    func pages() async throws {
        try await FleetUnderTest.run { fleet in
            let (admin, agents) = try await fleet.prepare(TinyPlan(), agents: 2)
            let job = try await admin.start("tiny", rounds: 3)
            for _ in 0..<3 { try await submitFromAll(agents) }
            _ = try await admin.watchToEnd(job)
            let rest = try await admin.ask(.jobWatch(JobWatch(job: job.job, afterRound: 2)))
            guard case .job(let record) = rest else { throw admin.unexpected(rest) }
            #expect(record.rounds.map(\.round) == [3] && !record.moreRounds)
            let answer = try await admin.ask(
                .roundList(RoundList(plan: "tiny", after: 1, limit: 1)))
            guard case .rounds(let rounds) = answer else { throw admin.unexpected(answer) }
            #expect(rounds.items.map(\.round) == [2] && rounds.more)
            let models = try await admin.ask(
                .modelList(ModelList(plan: "tiny", first: 2, limit: 9)))
            guard case .models(let versions) = models else { throw admin.unexpected(models) }
            #expect(versions.items.compactMap { $0.model?.version } == [2, 3] && !versions.more)
            let people = try await admin.ask(.agentList(AgentList(limit: 1)))
            guard case .agents(let page) = people else { throw admin.unexpected(people) }
            #expect(page.items.count == 1 && page.more)
        }
    }
}

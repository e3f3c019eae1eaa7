import Federation
import Privacy
import Testing
import Wire

@Suite("A job of rounds", .timeLimit(.minutes(10)))
struct JobTests {
    @Test("starts once for one idempotency key")
    func once() async throws {
        try await FleetUnderTest.run { fleet in
            let (admin, agents) = try await fleet.prepare(TinyPlan(), agents: 2)
            let job = try await admin.start("tiny", key: "monday")
            #expect(try await admin.start("tiny", key: "monday").job == job.job)
            let other = await refusal {
                _ = try await admin.start("tiny", rounds: 2, key: "monday")
            }
            #expect(other?.code == .conflict)
            let reserved = await refusal {
                _ = try await admin.start("tiny", key: "schedule/after-job-1")
            }
            #expect(reserved?.code == .invalid)
            try await submitFromAll(agents)
            #expect(try await admin.watchToEnd(job).state == "finished")
            #expect(try await admin.start("tiny", key: "monday").state == "finished")
            #expect(try await admin.rounds(of: "tiny").count == 1)
        }
    }

    @Test("of no rounds, or before the plan has a model, does not start")
    func impossible() async throws {
        try await FleetUnderTest.run { fleet in
            let admin = try await fleet.admin()
            try await admin.apply(TinyPlan(teacherEpochs: 2000).text)
            let early = await refusal { _ = try await admin.start("tiny") }
            #expect(early?.code == .conflict)
            #expect(early?.message.contains("preparing") == true)
            _ = try await admin.waitUntilPrepared("tiny")
            for rounds in [0, 100_001] as [UInt32] {
                let fault = await refusal { _ = try await admin.start("tiny", rounds: rounds) }
                #expect(fault?.code == .invalid)
            }
        }
    }

    @Test("ends when its round is cancelled, and the agents hear that they are not wanted")
    func cancellation() async throws {
        try await FleetUnderTest.run { fleet in
            let (admin, agents) = try await fleet.prepare(TinyPlan(), agents: 3)
            let job = try await admin.start("tiny", rounds: 5)
            let assignment = try await agents[0].assignment()
            #expect(try await agents[0].heartbeat(assignment).wanted)
            _ = try await admin.ask(
                .roundCancel(RoundCancel(round: assignment.round, reason: "wrong plan")))
            let ended = try await admin.watchToEnd(job)
            #expect(ended.state == "cancelled" && ended.detail == "cancelled by admin: wrong plan")
            #expect(ended.rounds.count == 1 && ended.roundsDone == 0)
            #expect(ended.rounds.first?.phase == "abandoned")
            #expect(ended.epsilon == 0)
            #expect(try await agents[0].heartbeat(assignment).wanted == false)
            let update = try exampleUpdate(assignment)
            #expect(try await agents[0].submit(assignment, update).verdict == .gone)
            let again = await refusal {
                _ = try await admin.ask(.roundCancel(RoundCancel(round: assignment.round)))
            }
            #expect(again?.code == .conflict)

            // The plan is free again.
            let next = try await admin.start("tiny")
            try await submitFromAll(agents)
            #expect(try await admin.watchToEnd(next).state == "finished")
        }
    }

    @Test("of another plan over the same population spends the same budget")
    func sharedPopulation() async throws {
        try await FleetUnderTest.run(plans: ["tiny", "twin"]) { fleet in
            let tiny = TinyPlan(population: "people", privacy: TinyPlan.privacy(noise: 2))
            let (admin, agents) = try await fleet.prepare(tiny, agents: 3)
            let job = try await admin.start("tiny")
            try await submitFromAll(agents)
            #expect(try await admin.watchToEnd(job).state == "finished")

            let once = PLDAccountant.epsilon(
                noiseMultiplier: 2, samplingRate: 1, rounds: 1, delta: 1e-3)
            let twin = TinyPlan(
                name: "twin", population: "people",
                privacy: TinyPlan.privacy(noise: 2, maxEpsilon: once * 1.1))
            try await admin.apply(twin.text)
            #expect(try await admin.waitUntilPrepared("twin").epsilon == once)
            let fault = await refusal { _ = try await admin.start("twin") }
            #expect(fault?.code == .exhausted)

            let moved = await refusal {
                try await admin.apply(
                    TinyPlan(population: "others", privacy: TinyPlan.privacy(noise: 2)).text)
            }
            #expect(moved?.code == .conflict)
        }
    }

    @Test("stops before the round that would overspend, saying what is left")
    func budget() async throws {
        try await FleetUnderTest.run { fleet in
            let once = PLDAccountant.epsilon(
                noiseMultiplier: 2, samplingRate: 1, rounds: 1, delta: 1e-3)
            let limit = once * 1.1
            let plan = TinyPlan(privacy: TinyPlan.privacy(noise: 2, maxEpsilon: limit))
            let (admin, agents) = try await fleet.prepare(plan, agents: 3)
            let job = try await admin.start("tiny", rounds: 2)
            try await submitFromAll(agents)
            let ended = try await admin.watchToEnd(job)
            #expect(ended.state == "failed" && ended.roundsDone == 1)
            #expect(ended.detail.contains("is left"), "\(ended.detail)")
            #expect(ended.rounds.count == 1 && ended.rounds.first?.published == true)
            #expect(ended.epsilon == once)

            let fault = await refusal { _ = try await admin.start("tiny") }
            #expect(fault?.code == .exhausted)
            let left = ((limit - once) * 1000).rounded() / 1000
            #expect(fault?.message.contains("\(left) is left") == true, "\(fault?.message ?? "")")
            #expect(try await admin.rounds(of: "tiny").count == 1)
            #expect(try await admin.plan("tiny").epsilon == once)
        }
    }
}

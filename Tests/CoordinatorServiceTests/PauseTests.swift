import Federation
import Registry
import Testing
import Wire

@Suite("A plan that is paused", .timeLimit(.minutes(10)))
struct PauseTests {
    @Test("finishes the round in flight, starts no other, and goes on when it is resumed")
    func pause() async throws {
        try await FleetUnderTest.run { fleet in
            let (admin, agents) = try await fleet.prepare(TinyPlan(), agents: 2)
            let job = try await admin.start("tiny", rounds: 2)
            _ = try await admin.watch(job) { $0.rounds.count == 1 }
            let paused = try await admin.pause("tiny", reason: "holidays")
            #expect(paused.pausedUnix > 0 && paused.pausedReason == "holidays")
            try await submitFromAll(agents)
            let waiting = try await admin.watch(job) { $0.state == "queued" }
            #expect(waiting.roundsDone == 1 && waiting.rounds.map(\.phase) == ["published"])
            #expect(waiting.detail == "the plan is paused: holidays")
            #expect(try await admin.plan("tiny").waitsFor == "the plan is paused: holidays")
            let twice = await refusal { try await admin.pause("tiny") }
            #expect(twice?.code == .conflict)

            let resumed = try await admin.resume("tiny")
            #expect(resumed.pausedUnix == 0)
            try await submitFromAll(agents)
            #expect(try await admin.watchToEnd(job).state == "finished")
            let again = await refusal { try await admin.resume("tiny") }
            #expect(again?.code == .conflict)
        }
    }

    @Test("is paused after a restart and after a new text, and its schedule waits too")
    func restart() async throws {
        try await FleetUnderTest.inTurn { directory in
            try await FleetUnderTest.initialise(directory)
            let text = "[schedule]\nevery_seconds = 1"
            let job = try await FleetUnderTest.serve(directory) { fleet in
                let admin = try await fleet.admin()
                try await admin.apply(TinyPlan().text)
                _ = try await admin.waitUntilPrepared("tiny")
                try await admin.pause("tiny", reason: "holidays")
                return try await admin.start("tiny")
            }
            try await FleetUnderTest.serve(directory) { fleet in
                let admin = try await fleet.admin()
                let waiting = try await admin.plan("tiny")
                #expect(waiting.pausedReason == "holidays" && waiting.jobsOpen == 1)
                #expect(try await admin.job(job.job).state == "queued")
                _ = try await admin.cancel(job)
                try await admin.apply(TinyPlan(schedule: text).text)
                let still = try await admin.watch("tiny") { $0.waitsFor.contains("holidays") }
                #expect(still.everySeconds == 1 && still.jobsOpen == 0)
                try await admin.resume("tiny")
                _ = try await admin.watch("tiny") { $0.jobsOpen == 1 || $0.modelVersion > 0 }
            }
        }
    }

    @Test("can be given an older version's weights while jobs wait")
    func republish() async throws {
        try await FleetUnderTest.run { fleet in
            let (admin, _) = try await fleet.prepare(TinyPlan(), agents: 0)
            try await admin.pause("tiny")
            let job = try await admin.start("tiny")
            let answer = try await admin.ask(
                .modelRepublish(ModelRepublish(plan: "tiny", version: 0)))
            guard case .model(let model) = answer else { throw admin.unexpected(answer) }
            #expect(model.model?.version == 1)
            #expect(try await admin.job(job.job).state == "queued")
        }
    }
}

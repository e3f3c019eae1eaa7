import CoordinatorService
import Federation
import Foundation
import Registry
import Testing
import Wire

@Suite("A private plan's cohort", .timeLimit(.minutes(10)))
struct SecretCohortTests {
    @Test("is in no event, and its size in no list of rounds")
    func records() async throws {
        try await FleetUnderTest.run { fleet in
            let (admin, agents) = try await fleet.prepare(TinyPlan(), agents: 3)
            let job = try await admin.start("tiny")
            try await agents[0].decline(try await agents[0].assignment())
            try await submitFromAll(Array(agents[1...]))
            let watched = try #require(try await admin.watchToEnd(job).rounds.first)
            // Who runs the rounds may watch them.
            #expect(!watched.withheld && watched.selected == 3 && watched.reported == 2)
            #expect(watched.bytesIn > 0)
            let listed = try await admin.rounds(of: "tiny")
            guard case .round(let shown) = try await admin.ask(.roundShow(RoundShow(round: 1)))
            else { throw Fault(.internal, "no round") }
            for record in listed + [shown] {
                #expect(record.withheld && record.published)
                #expect(record.selected == 0 && record.reported == 0)
                #expect(record.bytesIn == 0 && record.bytesOut == 0)
            }
            try await expectNoMembers(in: fleet, agents)
        }
    }

    /// After the round began, no leaf names an agent or has a field that none of these explains.
    private func expectNoMembers(
        in fleet: FleetUnderTest, _ agents: [ScriptedAgent]
    ) async throws {
        let registry = try fleet.registry()
        let leaves = try await registry.events(from: 0, limit: 100).map(\.leaf)
        let texts = leaves.map { String(decoding: $0, as: UTF8.self) }
        let started = try #require(texts.firstIndex { $0.contains("roundStarted") })
        #expect(texts.count == started + 4)
        let known: Set = [
            "event", "time", "rows", "plan", "digest", "round", "base", "lattice", "population",
            "attempt", "noiseMultiplier", "samplingRate", "delta", "epsilon", "aggregate", "master",
            "updates", "capacity", "version", "model", "bundle", "statement", "key", "parent",
            "parentVersion",
        ]
        for leaf in leaves[started...] {
            let fields =
                try JSONSerialization.jsonObject(with: Data(leaf)) as? [String: Any] ?? [:]
            #expect(known.isSuperset(of: fields.keys), "\(fields)")
            for agent in agents {
                #expect(!String(decoding: leaf, as: UTF8.self).contains(agent.name))
            }
        }
    }

    @Test("is not told to an auditor who watches, unlike that of a plan without privacy")
    func auditor() async throws {
        try await FleetUnderTest.run(plans: ["tiny", "open"]) { fleet in
            let (admin, agents) = try await fleet.prepare(TinyPlan(), agents: 2)
            let folder = fleet.directory.file("auditor")
            try await fleet.state.issueCredential(name: "eve", role: .auditor, output: folder)
            let auditor = try await fleet.admin(folder: folder)
            let job = try await admin.start("tiny")
            // Who is woken by, or sees a number grow with, each that goes to work could count them.
            #expect(try await auditor.job(job.job, after: 1).revision == 0)
            #expect(try await auditor.plan("tiny").revision == 0)
            #expect(try await admin.plan("tiny").revision > 0)
            try await submitFromAll(agents)
            _ = try await admin.watchToEnd(job)
            let watched = try #require(try await auditor.job(job.job).rounds.first)
            #expect(watched.withheld && watched.published)
            #expect(watched.selected == 0 && watched.reported == 0 && watched.bytesIn == 0)

            let open = TinyPlan(name: "open", privacy: nil, agents: 2)
            let (_, others) = try await fleet.prepare(open, agents: 2)
            let second = try await admin.start("open")
            for agent in others {
                let assignment = try await agent.assignment("open")
                _ = try await agent.submit(assignment, try exampleUpdate(assignment))
            }
            _ = try await admin.watchToEnd(second)
            let told = try #require(try await auditor.rounds(of: "open").first)
            #expect(!told.withheld && told.selected == 2 && told.reported == 2)
        }
    }

    @Test("cannot be counted from who is here, who was last seen when, or what is uploaded")
    func presence() async throws {
        try await FleetUnderTest.run { fleet in
            let (admin, agents) = try await fleet.prepare(TinyPlan(), agents: 3)
            let folder = fleet.directory.file("auditor")
            try await fleet.state.issueCredential(name: "eve", role: .auditor, output: folder)
            let auditor = try await fleet.admin(folder: folder)
            // Heard again with nothing new, which the registry does not write down.
            let ready = try await agents[0].readiness("tiny")
            _ = try await agents[0].checkIn([ready])
            let written = try #require(
                try await auditor.agents().first { $0.agent == agents[0].name })
            #expect(written.plans.map(\.withheld) == [true] && written.plans[0].examples == 1)
            try await Task.sleep(for: .milliseconds(1100))
            _ = try await agents[0].checkIn([ready])
            let exact = try await admin.agents().first { $0.agent == agents[0].name }
            #expect(try #require(exact).lastSeenUnix > written.lastSeenUnix)
            let coarse = try await auditor.agents().first { $0.agent == agents[0].name }
            #expect(coarse == written)

            _ = try await admin.start("tiny")
            let assignment = try await agents[0].assignment()
            _ = try await agents[1].assignment()
            #expect(try await auditor.status().agentsHere == 3)
            #expect(try await auditor.plan("tiny").agentsReady == 3)

            let update = try exampleUpdate(assignment)
            _ = try await agents[0].announce(agents[0].header(assignment, update))
            try await agents[0].chunk(update.dropLast(), at: 0)
            while try await admin.status().uploads == 0 {
                try await Task.sleep(for: .milliseconds(50))
            }
            let status = try await auditor.status()
            #expect(status.rounds.count == 1 && status.uploads == 0 && status.uploadBytes == 0)
        }
    }
}

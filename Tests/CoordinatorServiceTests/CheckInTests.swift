import CoordinatorService
import Cryptography
import Federation
import Provenance
import Testing
import Wire

@Suite("A check-in", .timeLimit(.minutes(10)))
struct CheckInTests {
    @Test("tells a new agent of its plans at once, and an informed one when to come back")
    func news() async throws {
        try await FleetUnderTest.run { fleet in
            let (admin, _) = try await fleet.prepare(TinyPlan(), agents: 0)
            let agent = try await ScriptedAgent.enrol(in: fleet, token: try await admin.token())
            let unknown = PlanReadiness(plan: "unheard-of")
            let first = try await agent.checkIn(
                [PlanReadiness(plan: "tiny"), unknown], waitSeconds: 30)
            #expect(first.next == .comeBackSeconds(0))
            #expect(first.plans.map(\.plan) == ["tiny"])
            #expect(first.plans.first?.serving?.version == 0)
            #expect(first.trustSetVersion == 1)
            let informed = try await agent.readiness("tiny", examples: 12)
            guard case .comeBackSeconds(let seconds) = try await agent.checkIn([informed]).next
            else {
                Issue.record("an assignment without a round")
                return
            }
            #expect((1...2).contains(seconds))

            let record = try #require(try await admin.agents().first)
            #expect(record.version == "test" && record.memoryKib == 1024)
            #expect(record.plans.map(\.plan) == ["tiny"])
            #expect(record.plans.first?.examples == 1 && record.plans.first?.hasModel == true)
            #expect(record.lastSeenUnix >= record.enrolledUnix)

            // For a mistyped name the nearest there is.
            let mistaken = try await agent.checkIn([PlanReadiness(plan: "tinny"), unknown])
            #expect(mistaken.plans.map(\.plan) == ["tiny"])
        }
    }

    @Test(
        "that waits gets its assignment when a round starts, and hears of the new version after it")
    func longPoll() async throws {
        try await FleetUnderTest.run { fleet in
            let (admin, agents) = try await fleet.prepare(TinyPlan(), agents: 2)
            let readiness = try await agents[0].readiness("tiny")
            async let waiting = agents[0].checkIn([readiness], waitSeconds: 30)
            try await Task.sleep(for: .milliseconds(200))
            let job = try await admin.start("tiny")
            guard case .assignment(let assignment) = try await waiting.next else {
                Issue.record("no assignment")
                return
            }
            let update = try exampleUpdate(assignment)
            #expect(try await agents[0].submit(assignment, update).verdict == .accepted)

            async let next = agents[0].checkIn([readiness], waitSeconds: 30)
            try await submitFromAll([agents[1]])
            let answer = try await next
            #expect(answer.next == .comeBackSeconds(0))
            #expect(answer.plans.first?.serving?.version == 1)
            #expect(try await admin.watchToEnd(job).state == "finished")
        }
    }

    @Test("that waits hears of a plan's new text")
    func newText() async throws {
        try await FleetUnderTest.run { fleet in
            let (admin, agents) = try await fleet.prepare(TinyPlan(), agents: 1)
            let readiness = try await agents[0].readiness("tiny")
            async let waiting = agents[0].checkIn([readiness], waitSeconds: 30)
            try await Task.sleep(for: .milliseconds(200))
            let applied = try await admin.apply(TinyPlan(reportSeconds: 30).text)
            let answer = try await waiting
            #expect(answer.plans.first?.planDigest == applied.digest)
            #expect(answer.next == .comeBackSeconds(0))
        }
    }

    @Test("of a member that comes again in the same round gets its own place again")
    func sameMember() async throws {
        try await FleetUnderTest.run { fleet in
            let (admin, agents) = try await fleet.prepare(TinyPlan(), agents: 2)
            let job = try await admin.start("tiny")
            let assignment = try await agents[0].assignment()
            let again = try await agents[0].reconnected().assignment()
            #expect(again.round == assignment.round && again.attempt == assignment.attempt)
            #expect(again.submitToken == assignment.submitToken)
            #expect(again.lattice == assignment.lattice)
            try await submitFromAll(agents)
            let ended = try await admin.watchToEnd(job)
            #expect(ended.rounds.first?.selected == 2)
        }
    }

    @Test("whose connection broke while it waited is not given a place")
    func brokenWait() async throws {
        try await FleetUnderTest.run { fleet in
            // The window must close by itself, since one of two known agents never comes.
            let plan = TinyPlan(selectionSeconds: 1)
            let (admin, agents) = try await fleet.prepare(plan, agents: 2)
            let readiness = try await agents[0].readiness("tiny")
            try await agents[0].line.send(
                .checkInRequest(CheckInRequest(plans: [readiness], waitSeconds: 30)))
            try await Task.sleep(for: .milliseconds(200))
            try await agents[0].line.close()
            try await Task.sleep(for: .seconds(1))
            let job = try await admin.start("tiny")
            try await submitFromAll([agents[1]])
            let ended = try await admin.watchToEnd(job)
            #expect(ended.rounds.first?.selected == 1)
            #expect(ended.rounds.first?.reported == 1)
        }
    }

    @Test("without examples for a plan, or for an older text of it, gets no assignment")
    func notReady() async throws {
        try await FleetUnderTest.run { fleet in
            let plan = TinyPlan(selectionSeconds: 1)
            let (admin, agents) = try await fleet.prepare(plan, agents: 1)
            var empty = try await agents[0].readiness("tiny", examples: 0)
            _ = try await agents[0].checkIn([empty])
            let job = try await admin.start("tiny")
            #expect(isComeBack(try await agents[0].checkIn([empty])))
            empty.examples = 10
            empty.planDigest[0] ^= 1
            #expect(isComeBack(try await agents[0].checkIn([empty])))
            let ended = try await admin.watchToEnd(job)
            #expect(ended.rounds.first?.selected == 0)
        }
    }

    @Test("that says no by its coin says no again, and the cohort is who the coin chose")
    func coins() async throws {
        try await FleetUnderTest.run { fleet in
            let plan = TinyPlan(
                privacy: TinyPlan.privacy(agents: 8, samplingRate: 0.5), agents: 4)
            let (admin, agents) = try await fleet.prepare(plan, agents: 8)
            let job = try await admin.start("tiny")
            var chosen: [(ScriptedAgent, Assignment)] = []
            for agent in agents {
                let readiness = try await agent.readiness("tiny")
                let next = try await agent.checkIn([readiness]).next
                let again = try await agent.checkIn([readiness]).next
                if case .assignment(let assignment) = next {
                    guard case .assignment(let same) = again else {
                        Issue.record("the coin was drawn again")
                        return
                    }
                    #expect(same.submitToken == assignment.submitToken)
                    chosen.append((agent, assignment))
                } else if case .assignment = again {
                    Issue.record("the coin was drawn again")
                }
            }
            for (agent, assignment) in chosen {
                let update = try exampleUpdate(assignment)
                #expect(try await agent.submit(assignment, update).verdict == .accepted)
            }
            let ended = try await admin.watchToEnd(job)
            #expect(ended.rounds.first?.published == true)
            #expect(ended.rounds.first?.selected == UInt32(chosen.count))
            #expect(ended.rounds.first?.reported == UInt32(chosen.count))
        }
    }

    @Test("names the trust set's version, and the set is there for who asks for a newer one")
    func trustSet() async throws {
        try await FleetUnderTest.run { fleet in
            let admin = try await fleet.admin()
            let agent = try await ScriptedAgent.enrol(in: fleet, token: try await admin.token())
            #expect(try await agent.checkIn([]).trustSetVersion == 1)
            #expect(
                try await agent.checkIn([]).logCheckpoint == (try await fleet.checkpoint()).note)
            let document = try CredentialFile.read(fleet.state.trustSetFile)
            #expect(
                try await agent.line.ask(.trustSetRequest(TrustSetRequest(afterVersion: 0)))
                    == .trustSetUpdate(TrustSetUpdate(sets: [document])))
            #expect(
                try await agent.line.ask(.trustSetRequest(TrustSetRequest(afterVersion: 1)))
                    == .trustSetUpdate(TrustSetUpdate(sets: [])))
        }
    }

    private func isComeBack(_ response: CheckInResponse) -> Bool {
        if case .comeBackSeconds = response.next { true } else { false }
    }
}

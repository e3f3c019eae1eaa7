import Federation
import Registry
import Testing

@Suite("Coins, contributions and traffic")
struct ContributionsTests {
    private let scratch: Scratch
    private var registry: Registry { scratch.registry }

    init() throws { scratch = try Scratch() }

    private func contribute(_ at: RoundAttempt, _ agent: AgentID) async throws(Fault) -> Bool {
        try await registry.recordContribution(
            at, agent: agent, updateDigest: digest("update"), bytes: 100)
    }

    @Test("a coin is stored once and never drawn again")
    func coins() async throws {
        try await registry.enrolAgents(2)
        let at = try await registry.startFirstRound()
        let (lucky, unlucky) = (agentID(1), agentID(2))
        #expect(try await registry.recordCoin(at, agent: lucky, selected: true))
        #expect(try await registry.recordCoin(at, agent: lucky, selected: false))
        #expect(try await !registry.recordCoin(at, agent: unlucky, selected: false))
        #expect(try await !registry.recordCoin(at, agent: unlucky, selected: true))
        let again = try scratch.reopened()
        #expect(try await again.recordCoin(at, agent: lucky, selected: false))
        #expect(try await registry.round(at.round).selected == 1)
    }

    @Test("of many coins thrown at once for an agent all callers see the same")
    func coinRace() async throws {
        try await registry.enrolAgents(1)
        let at = try await registry.startFirstRound()
        let agent = agentID(1)
        let seen = try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<10 {
                group.addTask {
                    try await registry.recordCoin(
                        at, agent: agent, selected: number.isMultiple(of: 2))
                }
            }
            return try await group.reduce(into: Set<Bool>()) { $0.insert($1) }
        }
        #expect(seen.count == 1)
    }

    @Test("an agent's update counts once")
    func contributions() async throws {
        try await registry.enrolAgents(2)
        let at = try await registry.startFirstRound()
        #expect(try await contribute(at, agentID(1)))
        #expect(try await !contribute(at, agentID(1)))
        #expect(try await contribute(at, agentID(2)))
        #expect(try await registry.round(at.round).reported == 2)
    }

    @Test("of updates that are recorded together, each is told what became of it")
    func contributionsTogether() async throws {
        try await registry.enrolAgents(4)
        let at = try await registry.startFirstRound()
        func update(_ agent: Int, _ text: String = "update") -> NewContribution {
            NewContribution(agent: agentID(agent), updateDigest: digest(text), bytes: 100)
        }
        #expect(try await contribute(at, agentID(1)))
        let records = try await registry.recordContributions(
            at, [update(1), update(2), update(1, "another"), update(3), update(3, "another")])
        #expect(records == [.again, .first, .conflict, .first, .conflict])
        #expect(try await registry.recordContributions(at, []).isEmpty)
        let stored = try await registry.contributions(of: at)
        #expect(Set(stored.map(\.agent)) == [agentID(1), agentID(2), agentID(3)])
        #expect(stored.allSatisfy { $0.updateDigest == digest("update") })
        // One that cannot be recorded at all takes the others with it.
        let unknown = await faultCode {
            _ = try await registry.recordContributions(at, [update(4), update(5)])
        }
        #expect(unknown == .notFound)
        #expect(try await registry.contributions(of: at).count == 3)
    }

    @Test("an update that comes after the sum was closed is not recorded")
    func lateContribution() async throws {
        try await registry.enrolAgents(2)
        let at = try await registry.startFirstRound()
        #expect(try await contribute(at, agentID(1)))
        for (from, to) in [(RoundPhase.selecting, RoundPhase.training), (.training, .aggregating)] {
            try await registry.transition(
                at, from: from, to: to, counting: to == .aggregating ? [agentID(1)] : nil,
                nowUnixMilliseconds: nowMilliseconds, event: nil)
        }
        for agent in [agentID(1), agentID(2)] {
            let late = await faultCode { _ = try await contribute(at, agent) }
            #expect(late == .gone)
        }
        let recorded = try await registry.contributions(of: at)
        #expect(recorded.map(\.agent) == [agentID(1)] && recorded.allSatisfy { !$0.isLost })
    }

    @Test("traffic adds up until the round has ended")
    func traffic() async throws {
        let at = try await registry.startFirstRound()
        try await registry.addTraffic(at, bytesIn: 10, bytesOut: 20)
        try await registry.addTraffic(at, bytesIn: 1, bytesOut: 2)
        try await registry.abandon(
            at, reason: "", nowUnixMilliseconds: nowMilliseconds, event: event(.roundAbandoned, "1")
        )
        let late = await faultCode {
            try await registry.addTraffic(at, bytesIn: 1, bytesOut: 2)
        }
        #expect(late == .gone)
        let round = try await registry.round(at.round)
        #expect(round.bytesIn == 11)
        #expect(round.bytesOut == 22)
    }

    @Test("an ended round, another attempt, an unknown round or agent are refused")
    func refusals() async throws {
        try await registry.enrolAgents(1)
        let at = try await registry.startFirstRound()
        let agent = agentID(1)
        let later = RoundAttempt(round: at.round, attempt: 2)
        let missing = RoundAttempt(round: RoundID(7), attempt: 1)
        func codes(_ at: RoundAttempt, _ agent: AgentID) async -> [Fault.Code?] {
            [
                await faultCode {
                    _ = try await registry.recordCoin(at, agent: agent, selected: true)
                },
                await faultCode { _ = try await contribute(at, agent) },
            ]
        }
        #expect(await codes(later, agent) == [.gone, .gone])
        #expect(await codes(missing, agent) == [.notFound, .notFound])
        #expect(await codes(at, agentID(5)) == [.notFound, .notFound])
        let traffic = await faultCode {
            try await registry.addTraffic(missing, bytesIn: 1, bytesOut: 1)
        }
        #expect(traffic == .notFound)
        try await registry.abandon(
            at, reason: "", nowUnixMilliseconds: nowMilliseconds, event: event(.roundAbandoned, "1")
        )
        #expect(await codes(at, agent) == [.gone, .gone])
        #expect(try await registry.round(at.round).selected == 0)
    }
}

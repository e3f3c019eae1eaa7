import Federation
import Registry
import Testing

@Suite("The privacy ledger")
struct PrivacyLedgerTests {
    private let scratch: Scratch
    private var registry: Registry { scratch.registry }

    init() throws { scratch = try Scratch() }

    private func charge(_ at: RoundAttempt, epsilonAfter: Double = 8.5) async throws(Fault) {
        try await registry.chargeBudget(
            at, plan: fashion, population: "people", noiseMultiplier: 0.05, samplingRate: 1,
            delta: 1e-5, epsilonAfter: epsilonAfter, nowUnix: now,
            event: event(.budgetCharged, "\(at)"))
    }

    @Test("a charge keeps its terms and shows in its round")
    func terms() async throws {
        let at = try await registry.startFirstRound()
        #expect(try await registry.round(at.round).epsilonAfter == nil)
        try await charge(at)
        let stored = try #require(try await registry.ledger(population: "people").first)
        #expect(stored.at == at)
        #expect(stored.plan == fashion)
        #expect(stored.noiseMultiplier == 0.05)
        #expect(stored.samplingRate == 1)
        #expect(stored.delta == 1e-5)
        #expect(stored.epsilonAfter == 8.5)
        #expect(stored.chargedUnix == now)
        #expect(try await registry.round(at.round).epsilonAfter == 8.5)
        #expect(try await registry.charges(plan: fashion) == 1)
        #expect(try await registry.ledger(population: "others").isEmpty)
    }

    @Test("one attempt is charged once, with one event")
    func once() async throws {
        let at = try await registry.startFirstRound()
        let before = try await registry.eventCount()
        try await charge(at)
        #expect(await faultCode { try await charge(at) } == .conflict)
        #expect(try await registry.charges(plan: fashion) == 1)
        #expect(try await registry.eventCount() == before + 1)
    }

    @Test("rounds are charged in order, and a charge outlives an abandoned round")
    func order() async throws {
        let job = try await registry.prepareFashion()
        for epsilon in [1.5, 2.5] {
            let at = try await registry.startRound(job: job)
            try await charge(at, epsilonAfter: epsilon)
            try await registry.abandon(
                at, reason: "crash", nowUnixMilliseconds: nowMilliseconds,
                event: event(.roundAbandoned, "\(at)"))
        }
        let ledger = try await registry.ledger(population: "people")
        #expect(ledger.map(\.epsilonAfter) == [1.5, 2.5])
        #expect(ledger.map(\.at.round.number) == [1, 2])
    }

    @Test("an ended round, another attempt, an unknown round or a missing number are refused")
    func refusals() async throws {
        let at = try await registry.startFirstRound()
        let later = RoundAttempt(round: at.round, attempt: 2)
        let missing = RoundAttempt(round: RoundID(7), attempt: 1)
        #expect(await faultCode { try await charge(later) } == .gone)
        #expect(await faultCode { try await charge(missing) } == .notFound)
        #expect(await faultCode { try await charge(at, epsilonAfter: .nan) } == .invalid)
        try await registry.abandon(
            at, reason: "", nowUnixMilliseconds: nowMilliseconds, event: event(.roundAbandoned, "1")
        )
        #expect(await faultCode { try await charge(at) } == .gone)
        #expect(try await registry.charges(plan: fashion) == 0)
    }
}

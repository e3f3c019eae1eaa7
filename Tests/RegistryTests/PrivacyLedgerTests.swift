import Federation
import Provenance
import Registry
import Testing

@Suite("The privacy ledger")
struct PrivacyLedgerTests {
    private let scratch: Scratch
    private var registry: Registry { scratch.registry }

    init() throws { scratch = try Scratch() }

    private func charge(_ at: RoundAttempt, epsilonAfter: Double = 8.5) async throws(Fault) {
        let told = try await registry.chargeBudget(
            at, plan: fashion, population: "people", noiseMultiplier: 0.05, samplingRate: 1,
            delta: 1e-5, nowUnix: now, epsilonAfter: { _ in epsilonAfter },
            event: { event(.budgetCharged, "\(at) \($0)") })
        #expect(told == epsilonAfter)
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

    @Test("a charge's total is worked out from the charges that are written before it")
    func total() async throws {
        let job = try await registry.prepareFashion()
        for number in 1...3 {
            let at = try await registry.startRound(job: job)
            let told = try await registry.chargeBudget(
                at, plan: fashion, population: "people", noiseMultiplier: 2, samplingRate: 1,
                delta: 1e-5, nowUnix: now, epsilonAfter: { Double($0.count + 1) * 1.5 },
                event: { FleetEvent(.budgetCharged, [("epsilon", .decimal($0))]) })
            #expect(told == Double(number) * 1.5)
            #expect(try await registry.round(at.round).epsilonAfter == told)
            let last = try await registry.eventCount() - 1
            let leaf = try #require(try await registry.events(from: last, limit: 1).first?.leaf)
            #expect(LeafFields(leaf)?.decimal("epsilon") == told)
            try await registry.abandon(
                at, reason: "crash", nowUnixMilliseconds: nowMilliseconds,
                event: event(.roundAbandoned, "\(at)"))
        }
    }

    @Test("a job's spending is as it stood when the job had ended")
    func ofJob() async throws {
        let first = try await registry.prepareFashion()
        let (idle, _) = try await registry.createJob(
            plan: fashion, rounds: 1, idempotencyKey: "", nowUnix: now - 1,
            event: { event(.roundsRequested, "\($0)") })
        let (next, _) = try await registry.createJob(
            plan: fashion, rounds: 1, idempotencyKey: "", nowUnix: now,
            event: { event(.roundsRequested, "\($0)") })
        #expect(try await registry.lastCharge(ofJob: first, population: "people") == nil)
        for (job, epsilon) in [(first, 1.5), (first, 2.5), (next, 4)] {
            let at = try await registry.startRound(job: job)
            try await charge(at, epsilonAfter: epsilon)
            try await registry.abandon(
                at, reason: "crash", nowUnixMilliseconds: nowMilliseconds,
                event: event(.roundAbandoned, "\(at)"))
        }
        let ofFirst = try await registry.lastCharge(ofJob: first, population: "people")
        #expect(ofFirst?.charge.epsilonAfter == 2.5 && ofFirst?.charges == 2)
        let ofNext = try await registry.lastCharge(ofJob: next, population: "people")
        #expect(ofNext?.charge.epsilonAfter == 4 && ofNext?.charges == 3)
        // Asked for before anything was spent, and nothing was spent for it.
        #expect(try await registry.lastCharge(ofJob: idle, population: "people") == nil)
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

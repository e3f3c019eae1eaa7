import Federation
import Registry
import Testing

@Suite("Round transitions")
struct RoundTransitionsTests {
    private let scratch: Scratch
    private var registry: Registry { scratch.registry }

    init() throws { scratch = try Scratch() }

    private func code(_ body: (Registry) async throws -> Void) async -> Fault.Code? {
        await faultCode { try await body(registry) }
    }

    @Test("a round goes from selecting to published and its history says when")
    func wholeRound() async throws {
        let at = try await registry.startFirstRound()
        #expect(at == RoundAttempt(round: RoundID(1), attempt: 1))
        try await registry.gather(at)
        try await registry.releaseRound(at)
        try await registry.publishRound(at, version: 1)
        let round = try await registry.round(at.round)
        #expect(round.phase == .published)
        #expect(
            round.history.map(\.phase) == [
                .selecting, .training, .aggregating, .sealing, .published,
            ])
        #expect(round.history.map(\.unixMilliseconds) == (0...4).map { nowMilliseconds + $0 })
        #expect(round.startedUnixMilliseconds == nowMilliseconds)
        #expect(round.endedUnixMilliseconds == nowMilliseconds + 4)
        #expect(round.aggregateDigest == digest("sum"))
        #expect(round.masterDigest == digest("master"))
        #expect(round.velocityDigest == digest("velocity"))
        #expect(round.publishedVersion == 1)
        #expect(round.accuracy == 0.51)
        #expect(round.baseVersion == 0)
        #expect(round.rotationSeed == rotationSeed)
        #expect(round.latticeID == digest("lattice"))
        #expect(try await registry.rounds(plan: fashion) == [round])
        #expect(try await registry.rounds(plan: PlanID("other")).isEmpty)
        #expect(try await registry.unfinishedRounds().isEmpty)
    }

    @Test("an adaptive clipping norm is part of the round, of its release and of the version")
    func clippingNorms() async throws {
        let job = try await registry.prepareFashion()
        let at = try await registry.startRound(
            plan: fashion, job: job, baseVersion: 0, rotationSeed: rotationSeed,
            latticeID: digest("lattice"), clippingNorm: 0.1, nowUnixMilliseconds: nowMilliseconds,
            event: { event(.roundStarted, "\($0.round)") })
        try await registry.gather(at)
        #expect(try await registry.round(at.round).clippingNorm == 0.1)
        #expect(try await registry.round(at.round).nextClippingNorm == nil)
        try await registry.release(
            at, aggregateDigest: digest("sum"), masterDigest: digest("master"),
            velocityDigest: nil, nextClippingNorm: 0.3, commitmentSecret: testSecret,
            nowUnixMilliseconds: nowMilliseconds + 3,
            event: event(.roundSealed, "\(at.round)"))
        // Once released it stands, whatever becomes of the process.
        let reopened = try scratch.reopened()
        #expect(try await reopened.round(at.round).nextClippingNorm == 0.3)
        var model = fashionModel(1, round: at.round.number)
        model.clippingNorm = 0.3
        try await registry.publish(
            at, model: model, nowUnixMilliseconds: nowMilliseconds + 4,
            events: [modelSigned(1)])
        #expect(try await reopened.latestModel(fashion)?.clippingNorm == 0.3)
        #expect(try await reopened.model(fashion, version: 0).clippingNorm == nil)
    }

    @Test("starting says the number of the round in its event")
    func startEvent() async throws {
        let job = try await registry.prepareFashion()
        let before = try await registry.eventCount()
        let at = try await registry.startRound(job: job)
        let leaves = try await registry.events(from: before, limit: 9).map { unsealed($0.leaf) }
        #expect(leaves == [event(.roundStarted, "\(at.round)").leafBytes(unix: now, rows: nil)])
    }

    @Test("a step from another phase than the stored one is refused and leaves no trace")
    func wrongPhase() async throws {
        let at = try await registry.startFirstRound()
        let before = try await registry.eventCount()
        let skipped = await code {
            try await $0.transition(
                at, from: .training, to: .aggregating, nowUnixMilliseconds: nowMilliseconds,
                event: event(.roundSealed, "early"))
        }
        #expect(skipped == .conflict)
        #expect(await code { try await $0.releaseRound(at) } == .conflict)
        #expect(await code { try await $0.publishRound(at, version: 1) } == .conflict)
        let round = try await registry.round(at.round)
        #expect(round.phase == .selecting)
        #expect(round.history.count == 1)
        #expect(round.masterDigest == nil)
        #expect(try await registry.latestModel(fashion)?.version == 0)
        #expect(try await registry.eventCount() == before)
    }

    @Test(
        "a bare transition cannot skip, go back, or enter a phase that needs more",
        arguments: [
            (RoundPhase.selecting, RoundPhase.aggregating), (.selecting, .selecting),
            (.selecting, .sealing), (.selecting, .published), (.selecting, .abandoned),
        ])
    func impossible(from: RoundPhase, to target: RoundPhase) async throws {
        let at = try await registry.startFirstRound()
        let refused = await code {
            try await $0.transition(
                at, from: from, to: target, nowUnixMilliseconds: nowMilliseconds, event: nil)
        }
        #expect(refused == .conflict)
        #expect(try await registry.round(at.round).phase == .selecting)
    }

    @Test("of many tasks that make the same step one succeeds")
    func race() async throws {
        let at = try await registry.startFirstRound()
        let before = try await registry.eventCount()
        let codes = await withTaskGroup(of: Fault.Code?.self) { group in
            for number in 0..<6 {
                group.addTask {
                    do throws(Fault) {
                        try await registry.transition(
                            at, from: .selecting, to: .training,
                            nowUnixMilliseconds: nowMilliseconds,
                            event: event(.roundSealed, "\(number)"))
                        return nil
                    } catch { return error.code }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(codes.filter { $0 == nil }.count == 1)
        #expect(codes.filter { $0 == .conflict }.count == 5)
        #expect(try await registry.eventCount() == before + 1)
    }

    @Test("an abandoned round says why, is over, and makes room for the next")
    func abandon() async throws {
        let at = try await registry.startFirstRound()
        #expect(await code { _ = try await $0.startRound(job: 1) } == .conflict)
        try await registry.abandon(
            at, reason: "too few", nowUnixMilliseconds: nowMilliseconds + 7,
            event: event(.roundAbandoned, "1"))
        let round = try await registry.round(at.round)
        #expect(round.phase == .abandoned)
        #expect(round.reason == "too few")
        #expect(round.endedUnixMilliseconds == nowMilliseconds + 7)
        let again = await code {
            try await $0.abandon(
                at, reason: "again", nowUnixMilliseconds: nowMilliseconds,
                event: event(.roundAbandoned, "1"))
        }
        #expect(again == .conflict)
        #expect(try await registry.startRound(job: 1).round == RoundID(2))
        let unfinished = try await registry.unfinishedRounds()
        #expect(unfinished.map(\.at.round.number) == [2])
        #expect(unfinished.map(\.phase) == [.selecting])
    }

    @Test("a model of another round or of a version that exists is not published")
    func wrongModel() async throws {
        let at = try await registry.startFirstRound()
        try await registry.gather(at)
        try await registry.releaseRound(at)
        let before = try await registry.eventCount()
        let otherRound = await code {
            try await $0.publish(
                at, model: fashionModel(1, round: 2), nowUnixMilliseconds: nowMilliseconds,
                events: [modelSigned(1)])
        }
        #expect(otherRound == .invalid)
        #expect(await code { try await $0.publishRound(at, version: 0) } == .conflict)
        #expect(await code { try await $0.publishRound(at, version: 2) } == .conflict)
        #expect(try await registry.round(at.round).phase == .sealing)
        #expect(try await registry.eventCount() == before)
        try await registry.publishRound(at, version: 1)
        #expect(await code { try await $0.publishRound(at, version: 2) } == .conflict)
    }

    @Test("an unknown round, another attempt, and unknown references are told apart")
    func unknown() async throws {
        let at = try await registry.startFirstRound()
        let missing = RoundAttempt(round: RoundID(7), attempt: 1)
        let later = RoundAttempt(round: at.round, attempt: 2)
        #expect(await code { try await $0.gather(missing) } == .notFound)
        #expect(await code { try await $0.releaseRound(missing) } == .notFound)
        #expect(await code { try await $0.publishRound(missing, version: 1) } == .notFound)
        #expect(await code { _ = try await $0.round(RoundID(.max)) } == .notFound)
        #expect(await code { try await $0.gather(later) } == .gone)
        #expect(await code { try await $0.releaseRound(later) } == .gone)
        try await registry.abandon(
            at, reason: "", nowUnixMilliseconds: nowMilliseconds, event: event(.roundAbandoned, "1")
        )
        #expect(await code { _ = try await $0.startRound(job: 99) } == .notFound)
    }
}

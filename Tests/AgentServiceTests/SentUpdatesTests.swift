import AgentService
import AgentSession
import Federation
import Testing

@Suite("What a device last sent")
struct SentUpdatesTests {
    let temporary: TemporaryDirectory
    private let sent: SentUpdates

    init() throws {
        temporary = try TemporaryDirectory()
        sent = SentUpdates(directory: temporary.path)
    }

    private let protection = SentUpdate.Protection(
        norm: 2.5, clippingNorm: 1.5, ownNoise: 0.25, addedNoiseMultiplier: .infinity,
        targetEpsilon: 4)
    private let coordinator = NetworkAddress(host: "10.0.0.1", port: 7443)

    private func update(round: UInt64, attempt: UInt32 = 1) throws -> PendingUpdate {
        let digest = try #require(Digest(bytes: [UInt8](repeating: 1, count: 32)))
        return PendingUpdate(
            plan: try planID("pumps"), at: RoundAttempt(round: RoundID(round), attempt: attempt),
            baseVersion: 1, latticeID: digest, submitToken: [], examples: 1, withinClip: true,
            size: 1_000, digest: digest)
    }

    @Test("is nothing before anything was sent")
    func nothing() throws {
        #expect(try sent.last(planID("pumps")) == nil)
        try sent.made(update(round: 3), protection)
        #expect(try sent.last(planID("pumps")) == nil)
        #expect(try sent.lastMade(planID("pumps"))?.protection == protection)
    }

    @Test("says when, to whom, how much and how it was protected, over restarts")
    func remembered() throws {
        let update = try update(round: 3)
        try sent.made(update, protection)
        try sent.sent(update, to: coordinator, unixSeconds: 77)
        var last = try #require(try SentUpdates(directory: temporary.path).last(planID("pumps")))
        #expect(last.sentUnix == 77 && last.coordinator == "10.0.0.1:7443")
        #expect(last.bytes == 1_000 && last.protection == protection && last.protection.isClipped)
        #expect(last.verdict == "pending" && last.count == 1 && last.totalBytes == 1_000)
        try sent.settled(update, "rejected: normBound")
        last = try #require(try sent.last(planID("pumps")))
        #expect(last.verdict == "rejected: normBound" && last.count == 1)
    }

    @Test("counts each update once, also when it is sent again in a later attempt")
    func counted() throws {
        for (round, attempt) in [(3, 1), (3, 2), (4, 1)] as [(UInt64, UInt32)] {
            let update = try update(round: round, attempt: attempt)
            if attempt == 1 { try sent.made(update, protection) }
            try sent.sent(update, to: coordinator, unixSeconds: round)
        }
        let last = try #require(try sent.last(planID("pumps")))
        #expect(last.count == 2 && last.totalBytes == 2_000 && last.at.round.number == 4)
    }

    @Test("a verdict on another round than the last sent changes nothing")
    func otherRound() throws {
        let first = try update(round: 3)
        try sent.made(first, protection)
        try sent.sent(first, to: coordinator, unixSeconds: 1)
        try sent.settled(update(round: 9), "accepted")
        #expect(try sent.last(planID("pumps"))?.verdict == "pending")
    }

    @Test("a damaged record counts as none")
    func damaged() throws {
        for text in ["", "round 3", "round x\nattempt 1\nbytes 1\nnorm 1\n"] {
            try temporary.write(Array(text.utf8), to: "pumps.sent")
            #expect(try sent.last(planID("pumps")) == nil)
        }
    }
}

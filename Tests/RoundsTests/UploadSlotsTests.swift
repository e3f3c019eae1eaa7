import Federation
import Rounds
import Testing

/// Holds slots and their clock, because `#expect` cannot call what mutates a value.
private final class Places {
    private var slots: UploadSlots
    private var random = SeededRandom(seed: 7)
    var now = MonotonicInstant(nanoseconds: 0)

    init(_ capacity: Int) { slots = UploadSlots(capacity: capacity) }

    var count: Int { slots.count }
    var bytes: Int { slots.bytes }

    func wants(_ agent: AgentID, _ bytes: Int) -> UploadSlots.Answer {
        slots.wants(agent, bytes: bytes, now: now, random: &random)
    }

    func isAdmitted(_ agent: AgentID, _ bytes: Int) -> Bool {
        if case .admitted = wants(agent, bytes) { true } else { false }
    }

    func moved(_ agent: AgentID) { slots.moved(agent, now: now) }
    func finished(_ agent: AgentID) { slots.finished(agent, now: now) }
    func pass(_ seconds: Double) { now = now.advanced(bySeconds: seconds) }
}

@Suite("Places for uploads")
struct UploadSlotsTests {
    private func agent(_ number: Int) throws -> AgentID {
        try #require(AgentID("agent-\(number)"))
    }

    @Test("take as many updates as fit, however many agents come (NVFLARE 2461, 2166, PR 4019)")
    func bounded() throws {
        let places = Places(100)
        var admitted = 0
        for number in 0..<1000 where places.isAdmitted(try agent(number), 30) { admitted += 1 }
        #expect(admitted == 3)
        #expect(places.bytes == 90)
    }

    @Test("take one update of any size (Flower 3006, PR 3236: no cap on the size of a message)")
    func oversized() throws {
        let places = Places(100)
        #expect(places.isAdmitted(try agent(1), 4_000))
        #expect(!places.isAdmitted(try agent(2), 1))
        places.finished(try agent(1))
        #expect(places.isAdmitted(try agent(2), 1))
    }

    @Test("are kept by who has one and goes on")
    func resuming() throws {
        let places = Places(100)
        #expect(places.isAdmitted(try agent(1), 100))
        places.pass(60)
        #expect(places.wants(try agent(1), 100) == .admitted(evicted: []))
        #expect(places.bytes == 100)
    }

    @Test("are lost by uploads that stand still, the longest first, when another wants one")
    func stalled() throws {
        let places = Places(100)
        #expect(places.isAdmitted(try agent(1), 50))
        places.pass(1)
        #expect(places.isAdmitted(try agent(2), 50))
        places.pass(UploadSlots.stallSeconds)
        places.moved(try agent(2))
        #expect(places.wants(try agent(3), 50) == .admitted(evicted: [try agent(1)]))
        #expect(!places.isAdmitted(try agent(4), 50))
        #expect(places.count == 2)
    }

    @Test("serve everybody in the end, and never ask for more than half a minute's patience")
    func everybody() throws {
        let places = Places(100)
        var waiting: [(agent: AgentID, due: MonotonicInstant)] = []
        for number in 0..<60 { waiting.append((try agent(number), places.now)) }
        var uploading: [(agent: AgentID, ends: MonotonicInstant)] = []
        var steps = 0
        while !waiting.isEmpty || !uploading.isEmpty {
            steps += 1
            try #require(steps < 10_000)
            for (agent, ends) in uploading where ends <= places.now {
                places.finished(agent)
                uploading.removeAll { $0.agent == agent }
            }
            for (index, (agent, due)) in waiting.enumerated().reversed() where due <= places.now {
                switch places.wants(agent, 40) {
                case .admitted(let evicted):
                    #expect(evicted.isEmpty)
                    waiting.remove(at: index)
                    uploading.append((agent, places.now.advanced(bySeconds: 3)))
                case .later(let seconds):
                    #expect((1...UploadSlots.longestWaitSeconds).contains(seconds))
                    waiting[index].due = places.now.advanced(bySeconds: seconds)
                }
            }
            #expect(places.bytes <= 100)
            places.pass(0.1)
        }
        // Thirty pairs, three seconds each, with little idle time between.
        #expect(places.now.nanoseconds < 200_000_000_000)
    }
}

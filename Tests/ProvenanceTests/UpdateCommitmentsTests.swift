import Federation
import Provenance
import ProvenanceSamples
import Testing

@Suite("Commitments to a round's updates")
struct UpdateCommitmentsTests {
    private let secret = [UInt8](repeating: 7, count: UpdateCommitments.secretBytes)

    private func contributions(_ count: Int) throws -> [(agent: AgentID, update: Digest)] {
        try (0..<count).map { index in
            (try #require(AgentID("agent-\(index)")), SampleFacts.digest("update \(index)"))
        }
    }

    @Test("have a root that follows from the secret and the updates, not from their order")
    func root() throws {
        let updates = try contributions(12)
        let one = UpdateCommitments(secret: secret, contributions: updates, capacity: 64)
        let reversed = UpdateCommitments(
            secret: secret, contributions: updates.reversed(), capacity: 64)
        #expect(one.root == reversed.root)
        let fewer = UpdateCommitments(
            secret: secret, contributions: updates.dropLast(), capacity: 64)
        #expect(fewer.root != one.root)
        let other = UpdateCommitments(
            secret: [UInt8](repeating: 8, count: 32), contributions: updates, capacity: 64)
        #expect(other.root != one.root)
        let none = UpdateCommitments(secret: secret, contributions: [], capacity: 64)
        #expect(Set([none.root, one.root, fewer.root, other.root]).count == 4)
    }

    @Test("open to each agent's own update and to no other", arguments: [1, 12, 64, 65, 200])
    func openings(count: Int) throws {
        let updates = try contributions(count)
        let made = UpdateCommitments(secret: secret, contributions: updates, capacity: 64)
        #expect(made.capacity == 64)
        var slots: [UInt64: Int] = [:]
        for (agent, update) in updates {
            let opening = try #require(made.opening(of: agent))
            #expect(opening.path.count == 6)
            slots[opening.slot, default: 0] += 1
            func opens(_ agent: AgentID, _ update: Digest, _ root: Digest) -> Bool {
                UpdateCommitments.verify(
                    opening, agent: agent, update: update, root: root, capacity: 64)
            }
            #expect(opens(agent, update, made.root))
            #expect(!opens(agent, SampleFacts.digest("another"), made.root))
            #expect(!opens(agent, update, SampleFacts.digest("another")))
            #expect(!opens(try #require(AgentID("stranger")), update, made.root))
        }
        // Slots are shared only where there are too few.
        #expect(slots.values.allSatisfy { $0 <= (count + 63) / 64 })
        #expect(made.opening(of: try #require(AgentID("stranger"))) == nil)
    }

    @Test("lie in slots that tell nothing of who came or how many")
    func placement() throws {
        let updates = try contributions(20)
        func slots(_ secret: UInt8) throws -> [UInt64] {
            let made = UpdateCommitments(
                secret: [UInt8](repeating: secret, count: 32), contributions: updates, capacity: 64)
            return try updates.map { try #require(made.opening(of: $0.agent)).slot }
        }
        let first = try slots(1)
        #expect(first != (try slots(2)))
        #expect(first != first.sorted())
        // Twenty of 64 in the first third would be one chance in 10^12.
        #expect((first.max() ?? 0) > 21)
    }

    @Test("have as many slots as the plan alone decides")
    func capacity() throws {
        var plan = try #require(SampleFacts.plan())
        #expect(UpdateCommitments.capacity(for: plan) == 64)
        plan.round.agents = 17
        #expect(UpdateCommitments.capacity(for: plan) == 128)
        plan.round.overSelection = 2
        #expect(UpdateCommitments.capacity(for: plan) == 256)
        plan.privacy = SampleFacts.privacy
        #expect(UpdateCommitments.capacity(for: plan) == 256)
        plan.privacy?.agents = 1_000_000
        #expect(UpdateCommitments.capacity(for: plan) == 65_536)
    }

    @Test("do not open with a damaged opening")
    func damaged() throws {
        let updates = try contributions(3)
        let made = UpdateCommitments(secret: secret, contributions: updates, capacity: 64)
        let opening = try #require(made.opening(of: updates[0].agent))
        func opens(_ opening: UpdateCommitments.Opening, capacity: Int = 64) -> Bool {
            UpdateCommitments.verify(
                opening, agent: updates[0].agent, update: updates[0].update, root: made.root,
                capacity: capacity)
        }
        #expect(opens(opening))
        #expect(!opens(opening, capacity: 128))
        #expect(!opens(opening, capacity: -1))
        for other in try updates[1...].map({ try #require(made.opening(of: $0.agent)) }) {
            #expect(!opens(other))
        }
    }
}

import Federation
import Foundation
import Provenance
import Registry
import Testing

@Suite("Proofs of the log")
struct LogProofsTests {
    private let scratch: Scratch
    private var registry: Registry { scratch.registry }

    init() throws { scratch = try Scratch() }

    @Test("each commit is signed with all its events, and any leaf can be proved")
    func inclusion() async throws {
        _ = try await registry.prepareFashion()
        for size in 4...9 {
            let position = try await registry.record(event(.keyAdded, "\(size)"), nowUnix: now)
            #expect(position == UInt64(size) - 1)
            let signed = try await registry.checkpoint()
            #expect(signed.checkpoint.size == UInt64(size))
            for index in 0..<UInt64(size) {
                let proof = try await registry.inclusionProof(index: index)
                #expect(try proof.verify(key: logSigner.verifier) == signed)
                let leaf = try await registry.events(from: index, limit: 1).first?.leaf
                #expect(proof.leaf == leaf)
            }
        }
        #expect(await faultCode { _ = try await registry.inclusionProof(index: 9) } == .notFound)
        #expect(await faultCode { _ = try await registry.inclusionProof(index: .max) } == .notFound)
    }

    @Test("a model's proof is of the leaf that says who signed it")
    func models() async throws {
        let at = try await registry.startFirstRound()
        try await registry.gather(at)
        try await registry.releaseRound(at)
        try await registry.publishRound(at, version: 1)
        try await registry.republish(fashionModel(2, round: 0), event: modelSigned(2), nowUnix: now)
        for version in 0...2 as ClosedRange<UInt64> {
            let proof = try await registry.modelProof(plan: fashion, version: version)
            _ = try proof.verify(key: logSigner.verifier)
            let fields = try #require(LeafFields(proof.leaf))
            #expect(fields.event == "modelSigned")
            #expect(fields.number("version") == version)
            #expect(fields.text("rows") != nil)
        }
        let missing = await faultCode {
            _ = try await registry.modelProof(plan: fashion, version: 3)
        }
        #expect(missing == .notFound)
    }

    @Test("the log's growth between any two sizes can be shown, and nothing else")
    func consistency() async throws {
        var roots: [Digest] = [try await registry.checkpoint().checkpoint.root]
        for number in 1...9 {
            try await registry.record(event(.keyAdded, "\(number)"), nowUnix: now)
            roots.append(try await registry.checkpoint().checkpoint.root)
        }
        for to in 0...9 {
            for from in 0...to {
                let path = try await registry.consistencyPath(from: UInt64(from), to: UInt64(to))
                #expect(
                    LogTree.isConsistent(
                        from: UInt64(from), fromRoot: roots[from], to: UInt64(to),
                        toRoot: roots[to], path: path))
            }
        }
        for (from, to) in [(3, 2), (3, 10), (11, 12)] as [(UInt64, UInt64)] {
            let code = await faultCode {
                _ = try await registry.consistencyPath(from: from, to: to)
            }
            #expect(code == .invalid)
        }
    }

    @Test("the first event since a time is found, also where there is none yet")
    func positions() async throws {
        for offset in [0, 5, 5, 9] as [UInt64] {
            try await registry.record(event(.keyAdded, "\(offset)"), nowUnix: now + offset)
        }
        let found = [
            try await registry.position(ofFirstEventSince: 0),
            try await registry.position(ofFirstEventSince: now + 1),
            try await registry.position(ofFirstEventSince: now + 9),
            try await registry.position(ofFirstEventSince: .max),
        ]
        #expect(found == [0, 1, 3, 4])
    }

    @Test("an event that does not fit a leaf is refused, with everything it came with")
    func tooLarge() async throws {
        try await registry.enrolAgents(1)
        let reason = String(repeating: "x", count: 65_536)
        let code = await faultCode {
            try await registry.revoke(
                agentID(1), reason: reason, nowUnix: now,
                event: FleetEvent(.agentRevoked, [("reason", .text(reason))]))
        }
        #expect(code == .invalid)
        #expect(try await !registry.agent(agentID(1)).isRevoked)
        #expect(try await registry.checkpoint().checkpoint.size == 2)
    }

    @Test(
        "an event that readers could not read is refused",
        arguments: [FleetEvent.Value.number(.max), .text("a\u{0}b")])
    func unreadable(value: FleetEvent.Value) async throws {
        let code = await faultCode {
            try await registry.record(FleetEvent(.keyAdded, [("x", value)]), nowUnix: now)
        }
        #expect(code == .invalid)
        #expect(try await registry.eventCount() == 0)
        let largest = FleetEvent(.keyAdded, [("x", .number(UInt64(Int64.max)))])
        #expect(try await registry.record(largest, nowUnix: .max) == 0)
        #expect(try LivedIn(scratch: scratch).copy().subjects() == [])
    }

    @Test("rows are sealed with a salt: the same change twice makes different leaves")
    func salted() async throws {
        let other = try Scratch()
        try await registry.enrolAgents(1)
        try await other.registry.enrolAgents(1)
        let leaves = try await registry.events(from: 0, limit: 9).map(\.leaf)
        let others = try await other.registry.events(from: 0, limit: 9).map(\.leaf)
        #expect(leaves.count == 2)
        #expect(leaves[0] != others[0] && leaves[1] != others[1])
        #expect(leaves.map(unsealed) == others.map(unsealed))
    }
}

import Cryptography
import Federation
import Testing
import Wire

@Suite("An update that is not as it should be", .timeLimit(.minutes(10)))
struct RejectedUpdateTests {
    /// How an agent spoils its update, and the reason it is told.
    private struct Defect {
        let name: String
        let reason: UpdateRejection
        /// Returns the last answer.
        let submit: (ScriptedAgent, Assignment, [UInt8]) async throws -> SubmitStatus
    }

    @Test("is rejected with its reason, and the round goes on with the others")
    func rejections() async throws {
        try await FleetUnderTest.run { fleet in
            let defects = headerDefects + contentDefects
            let plan = TinyPlan(
                privacy: TinyPlan.privacy(agents: defects.count + 1), agents: defects.count + 1)
            let (admin, agents) = try await fleet.prepare(plan, agents: defects.count + 1)
            let job = try await admin.start("tiny")
            for (defect, agent) in zip(defects, agents) {
                let assignment = try await agent.assignment()
                let update = try exampleUpdate(assignment)
                let status = try await defect.submit(agent, assignment, update)
                #expect(status.verdict == .rejected, "\(defect.name)")
                #expect(status.reason == defect.reason.rawValue, "\(defect.name)")
                // The agent is out of this round and nothing it sends afterwards counts.
                #expect(try await agent.submit(assignment, update).verdict == .gone)
            }
            try await submitFromAll([agents[defects.count]])
            let ended = try await admin.watchToEnd(job)
            #expect(ended.rounds.first?.published == true)
            #expect(ended.rounds.first?.reported == 1)
        }
    }

    private func announced(
        _ name: String, _ reason: UpdateRejection, _ spoil: @escaping (inout SubmitHeader) -> Void
    ) -> Defect {
        Defect(name: name, reason: reason) { agent, assignment, update in
            var header = agent.header(assignment, update)
            spoil(&header)
            return try await agent.announce(header)
        }
    }

    private var headerDefects: [Defect] {
        [
            announced("another lattice", .wrongLattice) { $0.latticeId[0] ^= 1 },
            announced("another base version", .wrongLattice) { $0.baseVersion += 1 },
            announced("one coordinate too many", .wrongDimension) { $0.size += 1 },
            announced("no coordinates", .wrongDimension) { $0.size = 0 },
            announced("a size beyond reason", .malformed) { $0.size = .max },
            announced("more examples than allowed", .tooManyExamples) {
                $0.examples = TinyPlan.maxExamples + 1
            },
            announced("no examples", .tooManyExamples) { $0.examples = 0 },
            announced("the sum of two updates", .malformed) { $0.updatesSummed = 2 },
            announced("metrics, which no plan asks for", .malformed) {
                $0.metrics = [Metric(name: "loss", sum: -65_536, count: 40)]
            },
        ]
    }

    private var contentDefects: [Defect] {
        [
            Defect(name: "a norm above the bound", reason: .normBound) {
                agent, assignment, update in
                try await agent.submit(
                    assignment, [UInt8](repeating: 127, count: update.count))
            },
            Defect(name: "a coordinate of -128", reason: .normBound) { agent, assignment, update in
                var update = update
                update[5] = 0x80
                return try await agent.submit(assignment, update)
            },
            Defect(name: "other bytes than announced", reason: .digestMismatch) {
                agent, assignment, update in
                _ = try await agent.announce(agent.header(assignment, update))
                var other = update
                other[0] ^= 1
                try await agent.chunk(other, at: 0)
                return try await agent.finish(assignment)
            },
            Defect(name: "a gap between chunks", reason: .malformed) { agent, assignment, update in
                _ = try await agent.announce(agent.header(assignment, update))
                try await agent.chunk(update[..<10], at: 0)
                try await agent.chunk(update[20...], at: 20)
                return try await agent.finish(assignment)
            },
            Defect(name: "more bytes than announced", reason: .malformed) {
                agent, assignment, update in
                _ = try await agent.announce(agent.header(assignment, update))
                try await agent.chunk(update + [0], at: 0)
                return try await agent.finish(assignment)
            },
            Defect(name: "an end without a beginning", reason: .malformed) {
                agent, assignment, update in try await agent.finish(assignment)
            },
        ]
    }

    @Test("with a wrong submit token is refused, and its agent may still send the right one")
    func wrongToken() async throws {
        try await FleetUnderTest.run { fleet in
            let (admin, agents) = try await fleet.prepare(TinyPlan(), agents: 3)
            let job = try await admin.start("tiny")
            let assignment = try await agents[0].assignment()
            let other = try await agents[1].assignment()
            let update = try exampleUpdate(assignment)

            var stolen = assignment
            stolen.submitToken = other.submitToken
            #expect(try await agents[0].submit(stolen, update).reason == "badToken")
            let status = try await agents[0].announce(agents[0].header(stolen, update))
            #expect(status.verdict == .rejected && status.reason == "badToken")
            #expect(try await agents[0].heartbeat(stolen).wanted == false)
            try await agents[0].decline(stolen)

            #expect(try await agents[0].submit(assignment, update).verdict == .accepted)
            #expect(try await agents[1].submit(other, update).verdict == .accepted)
            try await submitFromAll([agents[2]])
            #expect(try await admin.watchToEnd(job).rounds.first?.reported == 3)
        }
    }

    @Test("is continued where a broken connection left it")
    func resumption() async throws {
        try await FleetUnderTest.run { fleet in
            let (admin, agents) = try await fleet.prepare(TinyPlan(), agents: 3)
            let job = try await admin.start("tiny")
            let assignment = try await agents[0].assignment()
            let update = try exampleUpdate(assignment)
            let digest = SHA256.digest(of: update)
            let header = agents[0].header(assignment, update)
            #expect(try await agents[0].announce(header) == SubmitStatus(.wanted(offset: 0)))
            try await agents[0].chunk(update[..<30], at: 0)
            // Answered after the chunk, so the chunk has arrived.
            let half = SubmitStatus(.wanted(offset: 30))
            #expect(try await agents[0].probe(assignment, digest: digest) == half)
            #expect(try await agents[0].finish(assignment) == half)
            try await agents[0].line.close()

            let back = try await agents[0].reconnected()
            #expect(try await back.probe(assignment, digest: digest) == half)
            let another = SHA256.digest(of: [1])
            #expect(
                try await back.probe(assignment, digest: another)
                    == SubmitStatus(.wanted(offset: 0)))
            #expect(try await back.announce(header) == half)
            // Ten bytes again, which does no harm.
            try await back.chunk(update[20...], at: 20)
            #expect(try await back.finish(assignment).verdict == .accepted)
            try await submitFromAll(Array(agents[1...]))
            #expect(try await admin.watchToEnd(job).rounds.first?.reported == 3)
        }
    }
}

import CoordinatorService
import Cryptography
import Federation
import Foundation
import Testing
import Wire

@Suite("Updates on their way in", .timeLimit(.minutes(10)))
struct IngestTests {
    private func plan(agents: Int) -> TinyPlan {
        var plan = TinyPlan()
        plan.privacy = nil
        plan.agents = agents
        return plan
    }

    @Test(
        "are counted however their bytes are cut, in one chunk or in many, with what follows them")
    func pieces() async throws {
        try await FleetUnderTest.run { fleet in
            let (admin, agents) = try await fleet.prepare(plan(agents: 2), agents: 2)
            let job = try await admin.start("tiny")
            for (index, agent) in agents.enumerated() {
                let assignment = try await agent.assignment()
                let update = try exampleUpdate(assignment, seed: UInt64(index))
                let announced = try await agent.announce(agent.header(assignment, update))
                #expect(announced.verdict == .wanted)
                let size = index == 0 ? update.count : 7
                var stream: [UInt8] = []
                for start in stride(from: 0, to: update.count, by: size) {
                    let end = min(update.count, start + size)
                    stream += try Message.submitChunk(
                        SubmitChunk(offset: UInt64(start), data: Array(update[start..<end]))
                    ).encoded()
                }
                stream += try Message.submitFinish(
                    SubmitFinish(round: assignment.round, attempt: assignment.attempt)
                ).encoded()
                for start in stride(from: 0, to: stream.count, by: 11) {
                    try await agent.line.write(Array(stream[start..<min(stream.count, start + 11)]))
                }
                guard case .submitStatus(let status) = try await agent.line.receive() else {
                    Issue.record("not a verdict")
                    return
                }
                #expect(status.verdict == .accepted)
            }
            #expect(try await admin.watchToEnd(job).rounds.first?.reported == 2)
        }
    }

    /// What the agent hears in answer to these bytes.
    private func answers(
        _ count: Int, to bytes: [UInt8], from agent: ScriptedAgent, piece: Int = .max
    ) async throws -> [Message] {
        for start in stride(from: 0, to: bytes.count, by: min(piece, bytes.count)) {
            try await agent.line.write(Array(bytes[start...].prefix(piece)))
        }
        var answers: [Message] = []
        for _ in 0..<count { answers.append(try await agent.line.receive()) }
        return answers
    }

    @Test("are offered in the packet that asks whether they are wanted", arguments: [.max, 5])
    func offeredAtOnce(piece: Int) async throws {
        try await FleetUnderTest.run { fleet in
            let (admin, agents) = try await fleet.prepare(plan(agents: 2), agents: 2)
            let job = try await admin.start("tiny")
            let agent = agents[0]
            let assignment = try await agent.assignment()
            let update = try exampleUpdate(assignment)
            let header = agent.header(assignment, update)
            let probe = try Message.submitProbe(
                agent.probeMessage(assignment, digest: SHA256.digest(of: update))
            ).encoded()
            let opening = try probe + Message.submitHeader(header).encoded()
            let wanted = Message.submitStatus(SubmitStatus(verdict: .wanted))
            #expect(
                try await answers(2, to: opening, from: agent, piece: piece) == [wanted, wanted])
            // What else may come with a probe is heard after it.
            let beat = try Message.heartbeat(agent.beat(assignment)).encoded()
            let mixed = try await answers(
                4, to: probe + probe + beat + probe, from: agent, piece: piece)
            #expect([mixed[0], mixed[1], mixed[3]] == [wanted, wanted, wanted])
            guard case .heartbeatAck(let ack) = mixed[2] else {
                Issue.record("not a heartbeat's answer")
                return
            }
            #expect(ack.wanted)
            try await agent.chunk(update, at: 0)
            #expect(try await agent.finish(assignment).verdict == .accepted)
            let duplicate = Message.submitStatus(SubmitStatus(verdict: .duplicate))
            #expect(try await answers(2, to: opening, from: agent) == [duplicate, duplicate])
            let other = try await agents[1].assignment()
            #expect(
                try await agents[1].submit(other, exampleUpdate(other)).verdict == .accepted)
            #expect(try await admin.watchToEnd(job).rounds.first?.reported == 2)
        }
    }

    @Test("that come with garbage are answered before the connection ends")
    func garbageBehindProbe() async throws {
        try await FleetUnderTest.run { fleet in
            let (admin, agents) = try await fleet.prepare(plan(agents: 2), agents: 2)
            _ = try await admin.start("tiny")
            let assignment = try await agents[0].assignment()
            let probe = Message.submitProbe(
                agents[0].probeMessage(assignment, digest: SHA256.digest(of: [1])))
            let heard = try await answers(
                2, to: try probe.encoded() + [0, 0, 0, 2, 0xff, 0xff], from: agents[0])
            #expect(heard.first == .submitStatus(SubmitStatus(verdict: .wanted)))
            guard case .failure(let failure) = heard[1] else {
                Issue.record("not a failure")
                return
            }
            #expect(failure.closing)
        }
    }

    @Test("are each counted once when all of them are finished at the same time")
    func together() async throws {
        let count = 12
        try await FleetUnderTest.run { fleet in
            let (admin, agents) = try await fleet.prepare(plan(agents: count), agents: count)
            let job = try await admin.start("tiny")
            var members: [(agent: ScriptedAgent, assignment: Assignment)] = []
            for agent in agents { members.append((agent, try await agent.assignment())) }
            for (index, (agent, assignment)) in members.enumerated() {
                var update = try exampleUpdate(assignment, seed: UInt64(index))
                let header = agent.header(assignment, update)
                #expect(try await agent.announce(header).verdict == .wanted)
                // One of them is not what its header promised.
                if index == 5 { update[0] ^= 1 }
                try await agent.chunk(update, at: 0)
            }
            let verdicts = try await withThrowingTaskGroup(
                of: (Int, SubmitStatus).self
            ) { group in
                for (index, (agent, assignment)) in members.enumerated() where index > 0 {
                    group.addTask { (index, try await agent.finish(assignment)) }
                }
                return try await group.reduce(into: [Int: SubmitStatus]()) { $0[$1.0] = $1.1 }
            }
            #expect(verdicts.count == count - 1)
            for (index, status) in verdicts {
                #expect(status.verdict == (index == 5 ? .rejected : .accepted))
                #expect(status.reason == (index == 5 ? "digestMismatch" : ""))
            }
            // The same again changes nothing.
            let (second, assignment) = members[1]
            let again = try await second.submit(assignment, try exampleUpdate(assignment, seed: 1))
            #expect(again.verdict == .duplicate)
            #expect(try await members[0].agent.finish(members[0].assignment).verdict == .accepted)
            #expect(
                try await admin.watchToEnd(job).rounds.first?.reported == UInt32(count - 1))
        }
    }

    @Test("end on the connection that began them when another one begins them anew")
    func takenOver() async throws {
        try await FleetUnderTest.run { fleet in
            let (admin, agents) = try await fleet.prepare(plan(agents: 2), agents: 2)
            let job = try await admin.start("tiny")
            let first = agents[0]
            let assignment = try await first.assignment()
            let (old, new) = (
                try exampleUpdate(assignment, seed: 1), try exampleUpdate(assignment, seed: 2)
            )
            #expect(try await first.announce(first.header(assignment, old)).verdict == .wanted)
            try await first.chunk(old.prefix(10), at: 0)
            let second = try await first.reconnected()
            let announced = try await second.announce(second.header(assignment, new))
            #expect(announced.verdict == .wanted && announced.offset == 0)
            // What the older connection still sends belongs to nothing.
            try await first.chunk(old.dropFirst(10), at: 10)
            _ = try await first.heartbeat(assignment)
            try await second.chunk(new, at: 0)
            #expect(try await second.finish(assignment).verdict == .accepted)
            try await submitFromAll([agents[1]])
            #expect(try await admin.watchToEnd(job).rounds.first?.reported == 2)
        }
    }

    @Test("go on from where the answer to a finish says, on any connection")
    func finishedTooSoon() async throws {
        try await FleetUnderTest.run { fleet in
            let (admin, agents) = try await fleet.prepare(plan(agents: 2), agents: 2)
            let job = try await admin.start("tiny")
            let first = agents[0]
            let assignment = try await first.assignment()
            let (old, new) = (
                try exampleUpdate(assignment, seed: 1), try exampleUpdate(assignment, seed: 2)
            )
            #expect(try await first.announce(first.header(assignment, old)).verdict == .wanted)
            let second = try await first.reconnected()
            #expect(try await second.announce(second.header(assignment, new)).verdict == .wanted)
            try await second.chunk(new.prefix(10), at: 0)
            _ = try await second.heartbeat(assignment)
            let early = try await first.finish(assignment)
            #expect(early.verdict == .wanted && early.offset == 10)
            try await first.chunk(new.dropFirst(10), at: 10)
            #expect(try await first.finish(assignment).verdict == .accepted)
            try await submitFromAll([agents[1]])
            #expect(try await admin.watchToEnd(job).rounds.first?.reported == 2)
        }
    }

    @Test("and models on their way out are two at a time for an agent, on however many connections")
    func connectionsOfOne() async throws {
        try await FleetUnderTest.run { fleet in
            let (admin, agents) = try await fleet.prepare(plan(agents: 2), agents: 2)
            let model = try #require(try await admin.latestModel(of: "tiny").model)
            var others: [ScriptedAgent] = []
            for _ in 0..<6 { others.append(try await agents[0].reconnected()) }
            let sizes = try await withThrowingTaskGroup(of: Int.self) { group in
                for other in others {
                    group.addTask { try await other.download(model.modelDigest).count }
                }
                return try await group.reduce(into: [Int]()) { $0.append($1) }
            }
            #expect(sizes.count == 6 && sizes.allSatisfy { $0 == Int(model.modelSize) })
        }
    }
}

import CoordinatorService
import Cryptography
import Federation
import Foundation
import Provenance
import Registry
import Testing
import Wire

@Suite("What an auditor can ask", .timeLimit(.minutes(10)))
struct AuditTests {
    @Test("every leaf can be read, and together they make the checkpoint's root")
    func wholeLog() async throws {
        try await FleetUnderTest.run { fleet in
            let admin = try await fleet.admin()
            for _ in 0..<5 { _ = try await admin.token() }
            let key = try await admin.trustSet().log
            let note = try await admin.path(from: 0).note
            try expectWhole(try await admin.log(), under: note, key: key)
        }
    }

    private func expectWhole(_ entries: LogEntries, under note: [UInt8], key: LogKey) throws {
        let signed = try SignedCheckpoint(note: note, key: key).checkpoint
        #expect(entries.size == signed.size)
        #expect(entries.items.enumerated().allSatisfy { $1.index == UInt64($0) })
        let leaves = entries.items.map(\.leaf)
        #expect(root(of: leaves) == signed.root)
        #expect(LeafFields(leaves[0])?.event == "fleetCreated")
        #expect(LeafFields(leaves[1])?.event == "keyAdded")
        #expect(LeafFields(try #require(leaves.last))?.event == "tokenIssued")
        #expect(
            entries.items.allSatisfy { LeafFields($0.leaf)?.time == $0.loggedUnix })
    }

    @Test("an answer ends with the leaves asked for, or when the frame is full")
    func pages() async throws {
        try await FleetUnderTest.run { fleet in
            let admin = try await fleet.admin()
            let first = try await admin.log().size
            let registry = try fleet.registry()
            for number in 0..<40 {
                let reason = String(repeating: "x", count: 60_000 + number)
                _ = try await registry.record(
                    FleetEvent(.roundAbandoned, [("reason", .text(reason))]), nowUnix: 5)
            }
            #expect(try await admin.log(from: 1, limit: 1).items.map(\.index) == [1])
            #expect(try await admin.log(limit: 0).items.isEmpty)
            #expect(try await admin.log(from: .max).items.isEmpty)
            var read = first
            var answers = 0
            while read < first + 40 {
                let answer = try await admin.log(from: read)
                #expect(answer.size == first + 40)
                #expect(answer.items.first?.index == read)
                read += UInt64(answer.items.count)
                answers += 1
            }
            #expect(answers == 3)
        }
    }

    @Test("a proof of any leaf, and of a model's, holds under the trust set's key")
    func proofs() async throws {
        try await FleetUnderTest.run { fleet in
            let (admin, _) = try await fleet.prepare(TinyPlan(), agents: 1)
            let key = try await admin.trustSet().log
            let leaves = try await admin.log().items.map(\.leaf)
            for index in leaves.indices {
                let proof = try await admin.proof(AuditProve(index: UInt64(index)))
                try expect(proof, at: index, of: leaves, key: key)
            }
            let model = try await admin.proof(AuditProve(byModel: true, plan: "tiny", version: 0))
            let leaf = try #require(LeafFields(model.leaf))
            #expect(leaf.event == "modelSigned" && leaf.text("plan") == "tiny")
            _ = try model.verify(key: key)
        }
    }

    private func expect(
        _ proof: Provenance.LogProof, at index: Int, of leaves: [[UInt8]], key: LogKey
    ) throws {
        #expect(proof.leaf == leaves[index] && proof.index == UInt64(index))
        _ = try proof.verify(key: key)
    }

    @Test("what is not in the log has no proof, and what was never seen no path")
    func unknown() async throws {
        try await FleetUnderTest.run { fleet in
            let (admin, _) = try await fleet.prepare(TinyPlan(), agents: 0)
            let size = try await admin.checkpoint().size
            for request in [
                AuditProve(index: size), AuditProve(index: .max),
                AuditProve(byModel: true, plan: "tiny", version: 9),
                AuditProve(byModel: true, plan: "ghost", version: 0),
            ] {
                let fault = await refusal { _ = try await admin.proof(request) }
                #expect(fault?.code == .notFound, "\(request)")
            }
            let ahead = await refusal {
                _ = try await admin.ask(.auditCheckpoint(AuditCheckpoint(fromSize: size + 1)))
            }
            #expect(ahead?.code == .conflict)
            #expect(ahead?.message.contains("fewer than the \(size + 1)") == true)
        }
    }

    @Test("a checkpoint comes with what leads to it from any older one")
    func consistency() async throws {
        try await FleetUnderTest.run { fleet in
            let admin = try await fleet.admin()
            var notes = [try await admin.path(from: 0).note]
            for _ in 0..<6 {
                _ = try await admin.token()
                notes.append(try await admin.path(from: 0).note)
            }
            let key = try await admin.trustSet().log
            // By index: Swift 6.3's optimiser crashes on a checkpoint that lives across an await.
            let seen = try notes.map { try SignedCheckpoint(note: $0, key: key).checkpoint }
            for index in seen.indices {
                let record = try await admin.path(from: seen[index].size)
                try expect(record, toFollow: seen[index], newest: seen.last, key: key)
            }
        }
    }

    private func expect(
        _ record: CheckpointRecord, toFollow older: Checkpoint, newest last: Checkpoint?,
        key: LogKey
    ) throws {
        let newest = try SignedCheckpoint(note: record.note, key: key).checkpoint
        #expect(newest.size == last?.size)
        #expect(
            LogTree.isConsistent(
                from: older.size, fromRoot: older.root, to: newest.size,
                toRoot: newest.root, path: record.consistency.compactMap(Digest.init)))
    }

    @Test(
        "auditors and operators read the log; only an admin republishes a model, and no agent does")
    func permissions() async throws {
        try await FleetUnderTest.run { fleet in
            let (admin, agents) = try await fleet.prepare(TinyPlan(), agents: 1)
            let republish = AdminRequest.modelRepublish(ModelRepublish(plan: "tiny", version: 0))
            let reading: [AdminRequest] = [
                .auditLog(AuditLog(first: 0, limit: 1)), .auditProve(AuditProve(index: 0)),
                .auditCheckpoint(AuditCheckpoint()), .trustShow(TrustShow()),
            ]
            for role in [Role.auditor, .operator] {
                let folder = fleet.directory.file("\(role.rawValue)")
                try await fleet.state.issueCredential(
                    name: "\(role.rawValue)-one", role: role, output: folder)
                let person = try await fleet.admin(folder: folder)
                for request in reading { _ = try await person.ask(request) }
                let fault = await refusal { _ = try await person.ask(republish) }
                #expect(fault?.code == .forbidden)
            }
            for request in reading + [republish] {
                let fault = await refusal { try await agents[0].line.ask(.adminRequest(request)) }
                #expect(fault?.code == .forbidden)
            }
            guard case .model(let record) = try await admin.ask(republish) else {
                throw Fault(.internal, "not a model")
            }
            #expect(record.model?.version == 1 && record.round == 0)
            #expect(try await admin.models(of: "tiny").count == 2)
        }
    }

    @Test("the last model that an agent refused, and why, is told until it refuses another")
    func refusals() async throws {
        try await FleetUnderTest.run { fleet in
            let (admin, agents) = try await fleet.prepare(TinyPlan(), agents: 2)
            #expect(try await admin.agents().map(\.refusal) == ["", ""])
            let digest = try #require(try await admin.latestModel(of: "tiny").model).modelDigest
            for (number, reason) in ["no proof", "no proof", "another signer"].enumerated() {
                let refusal = ModelRefusal(
                    plan: "tiny", version: 0, modelDigest: number < 2 ? digest : digest.reversed(),
                    reason: reason)
                #expect(
                    try await agents[1].line.ask(.modelRefusal(refusal))
                        == .modelRefusalAck(ModelRefusalAck()))
            }
            let records = try await admin.agents()
            let refused = records.first { $0.agent == agents[1].name }?.refusal
            #expect(refused?.hasPrefix("tiny version 0: ") == true)
            #expect(records.first { $0.agent == agents[0].name }?.refusal == "")
            let shown = try await admin.ask(.agentShow(AgentShow(agent: agents[1].name)))
            guard case .agent(let record) = shown else { throw Fault(.internal, "\(shown)") }
            #expect(record.refusal == refused)
            let leaves = try await admin.log().items.compactMap { LeafFields($0.leaf) }
            #expect(leaves.count { $0.event == "modelRefused" } == 2)
        }
    }

    private func root(of leaves: [[UInt8]]) -> Digest {
        func hash(_ node: LogNode) -> Digest {
            if node.level == 0 { return Merkle.leafHash(leaves[Int(node.index)]) }
            let left = LogNode(level: node.level - 1, index: 2 * node.index)
            let right = LogNode(level: node.level - 1, index: 2 * node.index + 1)
            return Merkle.nodeHash(hash(left), hash(right))
        }
        return LogTree.root(size: UInt64(leaves.count), node: hash)
    }
}

extension Admin {
    fileprivate func log(
        from first: UInt64 = 0, limit: UInt32 = 4096
    ) async throws -> LogEntries {
        let answer = try await ask(.auditLog(AuditLog(first: first, limit: limit)))
        guard case .log(let entries) = answer else { throw unexpected(answer) }
        return entries
    }

    fileprivate func trustSet() async throws -> TrustSet {
        let answer = try await ask(.trustShow(TrustShow()))
        guard case .trust(let record) = answer else { throw unexpected(answer) }
        return try TrustSet(document: record.document)
    }

    fileprivate func checkpoint() async throws -> Checkpoint {
        let record = try await path(from: 0)
        return try SignedCheckpoint(note: record.note, key: try await trustSet().log).checkpoint
    }

    fileprivate func path(from size: UInt64) async throws -> CheckpointRecord {
        let answer = try await ask(.auditCheckpoint(AuditCheckpoint(fromSize: size)))
        guard case .checkpoint(let record) = answer else { throw unexpected(answer) }
        return record
    }

    fileprivate func proof(_ request: AuditProve) async throws -> Provenance.LogProof {
        let answer = try await ask(.auditProve(request))
        guard case .logProof(let record) = answer else { throw unexpected(answer) }
        return try Provenance.LogProof(parsing: record.proof)
    }
}

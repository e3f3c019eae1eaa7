import CoordinatorService
import Cryptography
import Federation
import Foundation
import Provenance
import Registry
import Testing
import Wire

@Suite("A checkpoint that an agent presents", .timeLimit(.minutes(10)))
struct RollbackTests {
    private let elsewhere = SHA256.digest(of: [9])

    /// A checkpoint with the fleet's own log key, of a log that is not this one.
    private func forged(_ fleet: FleetUnderTest, size: UInt64) throws -> [UInt8] {
        let signer = try fleet.state.logSigner()
        return try signer.sign(
            Checkpoint(origin: signer.verifier.name, size: size, root: elsewhere)
        ).note
    }

    private func continuity(_ admin: Admin) async throws -> DoctorLine {
        guard case .doctor(let report) = try await admin.ask(.doctorRun(DoctorRun())) else {
            throw Fault(.internal, "not a doctor's answer")
        }
        return try #require(report.items.first { $0.check.contains("continuity") })
    }

    @Test("that this log contains, whenever it was made, changes nothing")
    func contained() async throws {
        try await FleetUnderTest.run { fleet in
            let early = try await fleet.checkpoint()
            let (admin, agents) = try await fleet.prepare(TinyPlan(), agents: 2)
            for note in [early.note, try await fleet.checkpoint().note, []] {
                _ = try await agents[0].checkIn([], logCheckpoint: note)
            }
            let line = try await continuity(admin)
            #expect(line.ok && line.detail.hasPrefix("1 agent "))
            for agent in agents { try await agent.follow("tiny") }
            let job = try await admin.start("tiny")
            try await submitFromAll(agents)
            #expect(try await admin.watchToEnd(job).state == "finished")
        }
    }

    @Test("of a longer log shows that this state was set back: no round begins, doctor says why")
    func longer() async throws {
        try await FleetUnderTest.run { fleet in
            let (admin, agents) = try await fleet.prepare(TinyPlan(), agents: 2)
            let size = try await fleet.checkpoint().checkpoint.size
            _ = try await agents[0].checkIn([], logCheckpoint: try forged(fleet, size: size + 7))
            let fault = await refusal { _ = try await admin.start("tiny") }
            #expect(fault?.code == .conflict)
            #expect(fault?.message.contains("has seen \(size + 7) entries") == true)
            #expect(fault?.remedy.contains("backup") == true)
            let line = try await continuity(admin)
            #expect(!line.ok && line.detail.contains(agents[0].name))
        }
    }

    @Test("of another history shows it too, at this log's size or before it", arguments: [0, 3])
    func forked(back: UInt64) async throws {
        try await FleetUnderTest.run { fleet in
            let (admin, agents) = try await fleet.prepare(TinyPlan(), agents: 2)
            let size = try await fleet.checkpoint().checkpoint.size - back
            _ = try await agents[0].checkIn([], logCheckpoint: try forged(fleet, size: size))
            let fault = await refusal { _ = try await admin.start("tiny") }
            #expect(fault?.message.contains("are others than agent") == true)
        }
    }

    @Test("ends the round that is open before its noise is drawn")
    func openRound() async throws {
        try await FleetUnderTest.run { fleet in
            let (admin, agents) = try await fleet.prepare(TinyPlan(), agents: 2)
            let job = try await admin.start("tiny")
            _ = try await agents[0].checkIn([], logCheckpoint: try forged(fleet, size: 1_000))
            for agent in agents { try await agent.follow("tiny") }
            try await submitFromAll(agents)
            let ended = try await admin.watchToEnd(job)
            #expect(ended.state == "failed" && ended.detail.contains("not the newest"))
            #expect(ended.rounds.first?.phase == "abandoned")
            let answer = try await admin.ask(.ledgerShow(LedgerShow(plan: "tiny")))
            guard case .ledger(let ledger) = answer else {
                Issue.record("no ledger")
                return
            }
            #expect(ledger.total == 0)
        }
    }

    @Test("that this log's key did not sign proves nothing")
    func strangers() async throws {
        try await FleetUnderTest.run { fleet in
            let admin = try await fleet.admin()
            let agent = try await ScriptedAgent.enrol(in: fleet, token: try await admin.token())
            let stranger = try LogSigner(name: "tributary/lab", key: PrivateKey.generate(.ed25519))
            let other = try LogSigner(
                name: "tributary/other",
                key: PrivateKey(pemFile: fleet.state.path + "/keys/log.key"))
            var notes: [[UInt8]] = [Array("noise\n\n".utf8)]
            for signer in [stranger, other] {
                notes.append(
                    try signer.sign(
                        Checkpoint(origin: signer.verifier.name, size: 999, root: elsewhere)
                    ).note)
            }
            for note in notes { _ = try await agent.checkIn([], logCheckpoint: note) }
            #expect(try await continuity(admin).ok)
        }
    }

    @Test("is led to the newest one, with the proof of a model")
    func proof() async throws {
        try await FleetUnderTest.run { fleet in
            let early = try await fleet.checkpoint().checkpoint
            let (admin, agents) = try await fleet.prepare(TinyPlan(), agents: 1)
            func ask(
                _ plan: String = "tiny", version: UInt64 = 0, from size: UInt64
            ) async throws -> Wire.LogProof {
                let request = LogProofRequest(plan: plan, version: version, fromSize: size)
                guard
                    case .logProof(let proof) = try await agents[0].line.ask(
                        .logProofRequest(request))
                else { throw Fault(.internal, "no proof") }
                return proof
            }
            let answer = try await ask(from: early.size)
            let trust = try TrustSet(document: CredentialFile.read(fleet.state.trustSetFile))
            let model = try await admin.latestModel(of: "tiny").model
            let logged = try LoggedModel.verify(
                bundle: try await agents[0].download(model?.signatureDigest ?? []),
                proof: answer.proof, trust: trust)
            #expect(logged.version == 0 && logged.plan.name == "tiny")
            let next = logged.checkpoint.checkpoint
            #expect(
                LogTree.isConsistent(
                    from: early.size, fromRoot: early.root, to: next.size, toRoot: next.root,
                    path: answer.consistency.compactMap(Digest.init(bytes:))))
            #expect(try await ask(from: 10_000).consistency.isEmpty)
            #expect(try await ask(from: 0).consistency.isEmpty)
            for (plan, version) in [("none", 0), ("tiny", 9)] as [(String, UInt64)] {
                let fault = await refusal { _ = try await ask(plan, version: version, from: 0) }
                #expect(fault?.code == .notFound)
            }
        }
    }

    @Test("and a model that an agent refuses: it is written down once and shown with the agent")
    func refusals() async throws {
        try await FleetUnderTest.run { fleet in
            let (admin, agents) = try await fleet.prepare(TinyPlan(), agents: 1)
            let model = try #require(try await admin.latestModel(of: "tiny").model)
            func report(_ version: UInt64, _ digest: [UInt8]) async throws(Fault) -> Message {
                try await agents[0].line.ask(
                    .modelRefusal(
                        ModelRefusal(
                            plan: "tiny", version: version, modelDigest: digest,
                            reason: "its signature is wrong")))
            }
            for _ in 0..<2 {
                #expect(
                    try await report(0, model.modelDigest) == .modelRefusalAck(ModelRefusalAck()))
            }
            let leaves = try await fleet.registry().events(from: 0, limit: 100)
                .compactMap { LeafFields($0.leaf) }.filter { $0.event == "modelRefused" }
            #expect(leaves.map { $0.text("agent") } == [agents[0].name])
            #expect(leaves.first?.text("reason") == "its signature is wrong")
            let record = try #require(try await admin.agents().first)
            #expect(record.refusal.contains("its signature is wrong"))
            for (version, digest) in [(7, model.modelDigest), (0, [1])] as [(UInt64, [UInt8])] {
                #expect(await refusal { _ = try await report(version, digest) } != nil)
            }
        }
    }
}

import CoordinatorService
import Cryptography
import Federation
import Foundation
import ModelFormats
import Provenance
import Registry
import Testing
import Wire

@Suite("A private round", .timeLimit(.minutes(10)))
struct PrivateRoundTests {
    @Test("goes from check-in to a signed version that names its parent")
    func publishes() async throws {
        try await FleetUnderTest.run { fleet in
            let plan = TinyPlan()
            let (admin, agents) = try await fleet.prepare(plan, agents: 3)
            let first = try await admin.latestModel(of: "tiny")
            let job = try await admin.start("tiny")
            for (index, agent) in agents.enumerated() {
                let assignment = try await agent.assignment()
                try await check(assignment, plan, from: agent)
                let update = try exampleUpdate(assignment, seed: UInt64(index))
                #expect(try await agent.submit(assignment, update).verdict == .accepted)
            }
            #expect(try await admin.watchToEnd(job).state == "finished")

            let published = try await admin.latestModel(of: "tiny")
            #expect(published.model?.version == 1)
            #expect(published.hasParent && published.parentVersion == 0)
            let identity = try await verifiedIdentity(
                try #require(published.model), from: agents[0])
            #expect(identity.version == 1)
            #expect(identity.parent?.bytes == first.model?.modelDigest)
            #expect(
                published.files.map(\.name)
                    == ["MODEL_CARD.md", "bom.cdx.json", "model.onnx", "provenance.json"])
            #expect(published.files[2].digest == published.model?.modelDigest)
            let key = try PublicKey(pem: String(decoding: published.publicKey, as: UTF8.self))
            #expect(try trustSet(fleet).publicModelKeys == [key])
        }
    }

    /// What an agent checks before it trains: plan text, model and signature are what their digests say.
    private func check(
        _ assignment: Assignment, _ plan: TinyPlan, from agent: ScriptedAgent
    ) async throws {
        let text = try await agent.download(assignment.planDigest)
        #expect(text == Array(plan.text.utf8))
        let rest = try await agent.line.ask(
            .blobRequest(BlobRequest(digest: assignment.planDigest, offset: 100)))
        #expect(
            rest
                == .blobChunk(
                    BlobChunk(
                        digest: assignment.planDigest, offset: 100, totalSize: UInt64(text.count),
                        data: Array(text[100...]))))
        let base = try #require(assignment.baseModel)
        let identity = try await verifiedIdentity(base, from: agent)
        #expect(identity.version == 0 && identity.parent == nil)
        let spec = try #require(assignment.lattice)
        let lattice = try Lattice(spec)
        #expect(spec.id == SHA256.digest(of: lattice.canonicalBytes).bytes)
        #expect(lattice.dimension == TinyPlan.latticeDimension)
        #expect(assignment.reportSeconds > 0 && assignment.leaseSeconds > 0)
    }

    /// Downloads a version, checks its signature against the fleet's trust set, and reads who it says it is.
    private func verifiedIdentity(
        _ model: ModelRef, from agent: ScriptedAgent
    ) async throws -> ModelIdentity {
        let onnx = try await agent.download(model.modelDigest)
        #expect(UInt64(onnx.count) == model.modelSize)
        let bundle = try await agent.download(model.signatureDigest)
        let signed = try ModelSignature.verify(
            bundle: bundle, trusted: try trustSet(agent.fleet).publicModelKeys)
        #expect(
            signed.files.contains(
                Provenance.ModelFile(name: "model.onnx", digest: SHA256.digest(of: onnx))))
        let identity = try OnnxModel.decode(onnx).identity
        #expect(identity.plan.name == model.plan && identity.version == model.version)
        return identity
    }

    private func trustSet(_ fleet: FleetUnderTest) throws -> TrustSet {
        try TrustSet(document: try CredentialFile.read(fleet.state.trustSetFile))
    }

    @Test("has a job whose epsilon stays what it was when it ended")
    func endedJob() async throws {
        try await FleetUnderTest.run { fleet in
            let (admin, agents) = try await fleet.prepare(TinyPlan(), agents: 3)
            var jobs: [JobRecord] = []
            for _ in 0..<2 {
                let job = try await admin.start("tiny")
                try await submitFromAll(agents)
                jobs.append(try await admin.watchToEnd(job))
            }
            #expect(jobs[0].epsilon > 0 && jobs[1].epsilon > jobs[0].epsilon)
            #expect(jobs[1].agentsForEpsilon4 > jobs[0].agentsForEpsilon4)
            for job in jobs {
                let later = try await admin.job(job.job)
                #expect(later.epsilon == job.epsilon && later.epsilon == job.rounds[0].epsilon)
                #expect(later.agentsForEpsilon4 == job.agentsForEpsilon4)
                #expect(later.delta == job.delta)
            }
        }
    }

    @Test("is charged before it is sealed, and sealed before its model is signed")
    func order() async throws {
        try await FleetUnderTest.run { fleet in
            let (admin, agents) = try await fleet.prepare(TinyPlan(), agents: 3)
            let job = try await admin.start("tiny")
            try await submitFromAll(agents)
            let ended = try await admin.watchToEnd(job)

            let registry = try fleet.registry()
            let charges = try await registry.ledger(population: "tiny")
            #expect(charges.count == 1)
            #expect(charges.first?.at == RoundAttempt(round: RoundID(1), attempt: 1))
            #expect(charges.first?.epsilonAfter == ended.epsilon)
            let kinds = try await registry.events(from: 0, limit: 100).map { event in
                let json = try JSONSerialization.jsonObject(with: Data(event.leaf))
                return try #require((json as? [String: Any])?["event"] as? String)
            }
            #expect(
                kinds.drop { $0 != "planApplied" } == ["planApplied", "modelSigned"]
                    + Array(repeating: ["tokenIssued", "agentEnrolled"], count: 3).joined()
                    + [
                        "roundsRequested", "roundStarted", "budgetCharged", "roundSealed",
                        "modelSigned",
                    ])
            let phases = try await registry.round(RoundID(1)).history.map(\.phase)
            #expect(phases == [.selecting, .training, .aggregating, .sealing, .published])
        }
    }

    @Test("tells whoever watches the job its accuracy, what it spent and how it went")
    func watching() async throws {
        try await FleetUnderTest.run { fleet in
            let (admin, agents) = try await fleet.prepare(TinyPlan(), agents: 3)
            let job = try await admin.start("tiny", rounds: 2)
            for _ in 0..<2 { try await submitFromAll(agents) }
            let ended = try await admin.watchToEnd(job)
            #expect(ended.state == "finished" && ended.detail.isEmpty)
            #expect(ended.roundsDone == 2 && ended.roundsWanted == 2)
            #expect(ended.rounds.map(\.round) == [1, 2])
            for round in ended.rounds {
                #expect(round.published && round.phase == "published")
                #expect(round.selected == 3 && round.reported == 3)
                #expect((0...1).contains(round.accuracy))
                #expect(round.bytesIn == 3 * UInt64(TinyPlan.latticeDimension))
            }
            #expect(ended.rounds[0].epsilon > 0)
            #expect(ended.rounds[1].epsilon > ended.rounds[0].epsilon)
            #expect(ended.epsilon == ended.rounds[1].epsilon)
            #expect(ended.noiseMultiplier == 0.05 && ended.delta == 1e-3)
            #expect(ended.agentsForEpsilon4 > 3)
            let plan = try await admin.plan("tiny")
            #expect(plan.modelVersion == 2 && plan.epsilon == ended.epsilon)
            #expect(plan.accuracyLast == ended.rounds[1].accuracy)
        }
    }

    @Test("counts an update once, and wants none after its end")
    func idempotence() async throws {
        try await FleetUnderTest.run { fleet in
            let (admin, agents) = try await fleet.prepare(TinyPlan(), agents: 3)
            let job = try await admin.start("tiny")
            let assignment = try await agents[0].assignment()
            let update = try exampleUpdate(assignment)
            #expect(try await agents[0].submit(assignment, update).verdict == .accepted)
            #expect(try await agents[0].submit(assignment, update).verdict == .duplicate)
            #expect(try await agents[0].finish(assignment).verdict == .duplicate)
            #expect(try await agents[0].heartbeat(assignment).wanted == false)
            try await submitFromAll(Array(agents[1...]))
            let ended = try await admin.watchToEnd(job)
            #expect(ended.rounds.first?.reported == 3)
            #expect(try await agents[0].submit(assignment, update).verdict == .gone)
        }
    }

    @Test("counts an update once that two connections finish at the same time")
    func twoConnections() async throws {
        try await FleetUnderTest.run { fleet in
            let (admin, agents) = try await fleet.prepare(TinyPlan(), agents: 1)
            let job = try await admin.start("tiny")
            let assignment = try await agents[0].assignment()
            let update = try exampleUpdate(assignment)
            let twin = try await agents[0].reconnected()
            for side in [agents[0], twin] {
                let status = try await side.announce(side.header(assignment, update))
                #expect(status.verdict == .wanted)
            }
            try await agents[0].chunk(update, at: 0)
            // Answered after the chunk, so the chunk has arrived for both.
            _ = try await agents[0].probe(assignment, digest: SHA256.digest(of: update))
            async let first = agents[0].finish(assignment)
            async let second = twin.finish(assignment)
            let verdicts = try await [first.verdict, second.verdict]
            #expect(verdicts.count { $0 == .accepted } == 1)
            #expect(verdicts.contains(.duplicate) || verdicts.contains(.gone))
            #expect(try await admin.watchToEnd(job).rounds.first?.reported == 1)
        }
    }

    @Test("is released even when every agent it selected declines")
    func everyoneDeclines() async throws {
        try await FleetUnderTest.run { fleet in
            let (admin, agents) = try await fleet.prepare(TinyPlan(), agents: 3)
            let job = try await admin.start("tiny")
            for agent in agents { try await agent.decline(try await agent.assignment()) }
            let ended = try await admin.watchToEnd(job)
            #expect(ended.state == "finished")
            #expect(ended.rounds.first?.published == true)
            #expect(ended.rounds.first?.reported == 0)
            #expect(ended.epsilon > 0)
        }
    }

    @Test("whose version would be too bad is not published, and stays charged")
    func refusedVersion() async throws {
        try await FleetUnderTest.run { fleet in
            let plan = TinyPlan(privacy: TinyPlan.privacy(noise: 50), maxAccuracyDrop: 0.01)
            let (admin, agents) = try await fleet.prepare(plan, agents: 3)
            let job = try await admin.start("tiny", rounds: 3)
            try await submitFromAll(agents)
            let ended = try await admin.watchToEnd(job)
            #expect(ended.state == "failed" && ended.rounds.count == 1)
            #expect(ended.detail.hasPrefix("the new version was refused: "), "\(ended.detail)")
            #expect(ended.rounds.first?.phase == "abandoned")
            #expect(ended.rounds.first?.reason == ended.detail)
            let after = try await admin.plan("tiny")
            #expect(after.state == "ready" && after.modelVersion == 0 && after.epsilon > 0)
            let registry = try fleet.registry()
            #expect(try await registry.ledger(population: "tiny").count == 1)
        }
    }

    @Test("keeps its master weights and its sums to itself")
    func unservedBlobs() async throws {
        try await FleetUnderTest.run { fleet in
            let (admin, agents) = try await fleet.prepare(TinyPlan(), agents: 1)
            let job = try await admin.start("tiny")
            try await submitFromAll(agents)
            _ = try await admin.watchToEnd(job)
            let registry = try fleet.registry()
            let round = try await registry.round(RoundID(1))
            for digest in [round.masterDigest, round.aggregateDigest] {
                let bytes = try #require(digest).bytes
                for line in [agents[0].line, admin.line] {
                    let fault = await refusal {
                        try await line.ask(.blobRequest(BlobRequest(digest: bytes)))
                    }
                    #expect(fault?.code == .notFound)
                }
            }
        }
    }
}

/// Every agent takes its assignment and submits an update, one after another.
func submitFromAll(_ agents: [ScriptedAgent]) async throws {
    for (index, agent) in agents.enumerated() {
        let assignment = try await agent.assignment()
        let status = try await agent.submit(
            assignment, try exampleUpdate(assignment, seed: UInt64(index)))
        #expect(status.verdict == .accepted)
    }
}

import CoordinatorService
import Cryptography
import Federation
import Foundation
import ModelFormats
import Provenance
import Registry
import Testing
import Verification
import Wire

/// Everything that the coordinator says of one version.
private struct PublishedVersion {
    /// The directory's files, by name.
    let files: [String: [UInt8]]
    let signed: SignedModel
    /// The version's leaf in the log.
    let leaf: LeafFields
    let record: ModelRecord

    init(_ fleet: FleetUnderTest, _ admin: Admin, version: UInt64) async throws {
        let answer = try await admin.ask(
            .modelShow(ModelShow(plan: "tiny", version: version, latest: false)))
        guard case .model(let record) = answer else { throw Fault(.internal, "\(answer)") }
        self.record = record
        var files: [String: [UInt8]] = [:]
        for file in record.files { files[file.name] = try await fleet.blob(file.digest) }
        self.files = files
        let trust = try TrustSet(document: try CredentialFile.read(fleet.state.trustSetFile))
        let reference = try #require(record.model)
        signed = try ModelSignature.verify(
            bundle: try await fleet.blob(reference.signatureDigest),
            trusted: trust.publicModelKeys, authorities: trust.authorities)
        let registry = try fleet.registry()
        let id = try #require(PlanID("tiny"))
        let proof = try await registry.modelProof(plan: id, version: version)
        leaf = try #require(LeafFields(proof.leaf))
    }

    func text(_ file: String) throws -> String {
        String(decoding: try #require(files[file]), as: UTF8.self)
    }

    /// provenance.json's `buildDefinition`.
    func definition() throws -> [String: Any] {
        let json = try JSONSerialization.jsonObject(with: Data(#require(files["provenance.json"])))
        let predicate = try #require((json as? [String: Any])?["predicate"] as? [String: Any])
        return try #require(predicate["buildDefinition"] as? [String: Any])
    }

    /// The digests of provenance.json's dependencies, by name.
    func dependencies() throws -> [String: String] {
        let list = try #require(try definition()["resolvedDependencies"] as? [[String: Any]])
        return try list.reduce(into: [:]) { digests, item in
            let digest = try #require(item["digest"] as? [String: String])
            digests[try #require(item["name"] as? String)] = digest["sha256"]
        }
    }
}

extension FleetUnderTest {
    fileprivate func blob(_ digest: [UInt8]) async throws -> [UInt8] {
        let registry = try registry()
        return try await registry.blob(try #require(Digest(bytes: digest)))
    }
}

@Suite("A published version", .timeLimit(.minutes(10)))
struct ModelDirectoryTests {
    @Test(
        "is a directory of four files, kept in a registry, signed and logged together (NVFLARE 2215)"
    )
    func directory() async throws {
        try await FleetUnderTest.run { fleet in
            let (admin, agents) = try await fleet.prepare(TinyPlan(), agents: 3)
            let job = try await admin.start("tiny")
            try await submitFromAll(agents)
            _ = try await admin.watchToEnd(job)
            let versions = [
                try await PublishedVersion(fleet, admin, version: 0),
                try await PublishedVersion(fleet, admin, version: 1),
            ]
            for (number, version) in versions.enumerated() {
                #expect(version.signed.name == "tiny-\(number)")
                #expect(
                    version.signed.files
                        == version.record.files.map {
                            Provenance.ModelFile(
                                name: $0.name,
                                digest: SHA256.digest(of: version.files[$0.name] ?? []))
                        })
                #expect(version.files.count == 4)
                let leaf = version.leaf
                #expect(leaf.event == "modelSigned" && leaf.number("version") == UInt64(number))
                #expect(leaf.text("statement") == version.signed.statementDigest.hex)
                #expect(leaf.text("key") == version.signed.signer.spkiDigest.hex)
                #expect(try version.text("MODEL_CARD.md").hasPrefix("# tiny, version \(number)\n"))
                #expect(try version.text("MODEL_CARD.md").contains("60 examples, with this file"))
            }
            let parent = SHA256.digest(of: try #require(versions[0].files["model.onnx"])).hex
            #expect(versions[0].leaf.text("parent") == nil)
            #expect(versions[1].leaf.text("parent") == parent)
            #expect(versions[1].leaf.number("parentVersion") == 0)
            #expect(try versions[1].dependencies()["parent"] == parent)
            #expect(try versions[0].dependencies().keys.sorted() == ["plan"])
            #expect(try versions[1].text("bom.cdx.json").contains(parent))
        }
    }

    @Test("names the commitments of its round that the log seals, and tells no count")
    func commitments() async throws {
        try await FleetUnderTest.run { fleet in
            let (admin, agents) = try await fleet.prepare(TinyPlan(), agents: 3)
            let job = try await admin.start("tiny", rounds: 2)
            for _ in 0..<2 { try await submitFromAll(agents) }
            _ = try await admin.watchToEnd(job)
            let sealed = try await fleet.registry().events(from: 0, limit: 100)
                .compactMap { LeafFields($0.leaf) }.filter { $0.event == "roundSealed" }
            #expect(sealed.count == 2)
            #expect(sealed.map { $0.number("capacity") } == [64, 64])
            // The same agents with the same updates: each round has salts of its own.
            let roots = sealed.compactMap { $0.text("updates") }
            #expect(Set(roots).count == 2)
            for (number, root) in roots.enumerated() {
                let version = try await PublishedVersion(
                    fleet, admin, version: UInt64(number + 1))
                #expect(try version.dependencies()["updates"] == root)
                #expect(try version.text("MODEL_CARD.md").contains("took part is not published"))
            }
        }
    }

    @Test("of a plan without privacy tells the round's size in buckets")
    func open() async throws {
        try await FleetUnderTest.run { fleet in
            let plan = TinyPlan(privacy: nil, agents: 3)
            let (admin, agents) = try await fleet.prepare(plan, agents: 3)
            let job = try await admin.start("tiny")
            for (index, agent) in agents.enumerated() {
                let assignment = try await agent.assignment()
                let update = try exampleUpdate(assignment, seed: UInt64(index))
                _ = try await agent.submit(assignment, update, examples: 40)
            }
            _ = try await admin.watchToEnd(job)
            let card = try await PublishedVersion(fleet, admin, version: 1).text("MODEL_CARD.md")
            #expect(card.contains("- Agents in the round: 2-3\n"))
            #expect(card.contains("- Examples they trained on: 100-999\n"))
        }
    }
}

@Suite("The verifier", .timeLimit(.minutes(10)))
struct VerifiedVersionTests {
    /// Writes a version as `model export` does, and checks it against the coordinator's log.
    private func verify(
        _ version: UInt64, of fleet: FleetUnderTest, _ admin: Admin
    ) async throws -> VerificationReport {
        let published = try await PublishedVersion(fleet, admin, version: version)
        let name = "export/tiny-\(version)"
        for (file, bytes) in published.files {
            try fleet.directory.write("\(name)/\(file)", "")
            try Data(bytes).write(to: URL(filePath: fleet.directory.file("\(name)/\(file)")))
        }
        let signature = try #require(published.record.model?.signatureDigest)
        let path = fleet.directory.file(name)
        try Data(await fleet.blob(signature)).write(to: URL(filePath: path + ".sig"))
        let proof = try await fleet.registry().modelProof(
            plan: try #require(PlanID("tiny")), version: version)
        try Data(proof.encoded()).write(to: URL(filePath: path + ".tlog-proof"))
        let trust = try TrustSet(document: try CredentialFile.read(fleet.state.trustSetFile))
        return ModelVerification(
            directory: path, signature: path + ".sig", proof: path + ".tlog-proof",
            trust: .set(trust), log: try LogLocation(fleet.state.path + "/log"), remembered: nil
        ).run()
    }

    @Test(
        "finds that every version, its card, provenance and budget agree with the log",
        arguments: [
            TinyPlan.privacy(), TinyPlan.privacy(noise: 0.5, localNoise: 0.5), nil,
        ])
    func everyVersion(privacy: String?) async throws {
        try await FleetUnderTest.run { fleet in
            let plan = TinyPlan(privacy: privacy, postRoundEpochs: privacy == nil ? 1 : 0)
            let (admin, agents) = try await fleet.prepare(plan, agents: 3)
            let job = try await admin.start("tiny", rounds: 2)
            for _ in 0..<2 { try await submitFromAll(agents) }
            #expect(try await admin.watchToEnd(job).state == "finished")
            _ = try await admin.ask(.modelRepublish(ModelRepublish(plan: "tiny", version: 1)))
            for version in 0...3 as ClosedRange<UInt64> {
                let report = try await verify(version, of: fleet, admin)
                #expect(report.verdict == .verified, "\(report.checks)")
                for name in ["card", "provenance", "bill of materials", "provenance in the log"] {
                    #expect(report.check(name)?.result == .passed, "\(report.checks)")
                }
            }
        }
    }
}

@Suite("Republishing a version", .timeLimit(.minutes(10)))
struct RepublishTests {
    private func republish(_ version: UInt64, by admin: Admin) async throws -> ModelRecord {
        let answer = try await admin.ask(
            .modelRepublish(ModelRepublish(plan: "tiny", version: version)))
        guard case .model(let record) = answer else { throw Fault(.internal, "\(answer)") }
        return record
    }

    @Test("makes its weights the next version, of that parent, and the next round goes on from it")
    func again() async throws {
        try await FleetUnderTest.run { fleet in
            let (admin, agents) = try await fleet.prepare(TinyPlan(), agents: 3)
            let job = try await admin.start("tiny")
            try await submitFromAll(agents)
            _ = try await admin.watchToEnd(job)
            let spent = try await admin.plan("tiny").epsilon
            let record = try await republish(0, by: admin)
            #expect(record.model?.version == 2 && record.parentVersion == 0 && record.round == 0)
            #expect(try await admin.plan("tiny").modelVersion == 2)
            #expect(try await admin.plan("tiny").epsilon == spent)

            let first = try await PublishedVersion(fleet, admin, version: 0)
            let version = try await PublishedVersion(fleet, admin, version: 2)
            let parent = SHA256.digest(of: try #require(first.files["model.onnx"]))
            #expect(version.leaf.text("parent") == parent.hex)
            #expect(try version.dependencies()["parent"] == parent.hex)
            let old = try OnnxModel.decode(try #require(first.files["model.onnx"]))
            let new = try OnnxModel.decode(try #require(version.files["model.onnx"]))
            #expect(new.model == old.model)
            #expect(new.identity.version == 2 && new.identity.parent == parent)
            #expect(version.record.accuracy == first.record.accuracy)

            let next = try await admin.start("tiny")
            try await submitFromAll(agents)
            #expect(try await admin.watchToEnd(next).state == "finished")
            let last = try await PublishedVersion(fleet, admin, version: 3)
            #expect(last.leaf.number("parentVersion") == 2)
        }
    }

    @Test("is refused while rounds run, without a model, for unknown versions and to auditors")
    func refused() async throws {
        try await FleetUnderTest.run { fleet in
            let (admin, agents) = try await fleet.prepare(TinyPlan(), agents: 1)
            let unknown = await refusal { _ = try await republish(7, by: admin) }
            #expect(unknown?.code == .notFound)
            let job = try await admin.start("tiny")
            let busy = await refusal { _ = try await republish(0, by: admin) }
            #expect(busy?.code == .conflict && busy?.message.contains("busy") == true)
            try await submitFromAll(agents)
            _ = try await admin.watchToEnd(job)
            #expect(try await admin.models(of: "tiny").count == 2)
        }
    }
}

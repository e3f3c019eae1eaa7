import AgentService
import AgentSession
import Cryptography
import Federation
import Learning
import Provenance
import Testing

@Suite("Model acceptance")
struct ModelAcceptanceTests {
    let fleet: ExampleFleet
    let acceptance: ModelAcceptance

    init() throws {
        fleet = try ExampleFleet()
        acceptance = ModelAcceptance(
            trust: fleet.trust, plan: fleet.plan,
            held: HeldVersion(version: 4, model: SHA256.digest(of: [4])))
    }

    /// The fault with which version 5 is refused; each argument is what is wrong with it.
    private func refusal(
        _ acceptance: ModelAcceptance? = nil, model: [UInt8]? = nil, evidence: ModelEvidence? = nil,
        as reference: ModelReference? = nil
    ) throws -> Fault? {
        let model = try model ?? fleet.model(version: 5)
        let evidence = try evidence ?? fleet.evidence(version: 5, model: model)
        let reference =
            try reference
            ?? fleet.reference(version: 5, model: model, signature: evidence.signature)
        return fault { () throws(Fault) in
            _ = try (acceptance ?? self.acceptance).accept(model, evidence, as: reference)
        }
    }

    @Test("a signed model of the plan, newer than the one held, is accepted")
    func accepted() throws {
        let model = try fleet.model(version: 5)
        let evidence = try fleet.evidence(version: 5, model: model)
        let accepted = try acceptance.accept(
            model, evidence,
            as: fleet.reference(version: 5, model: model, signature: evidence.signature))
        #expect(accepted.model.shape == (try StudentShape(plan: fleet.plan)))
        #expect(accepted.checkpoint.checkpoint.size == 6)
    }

    @Test("the version held, and any version when none is held, are accepted")
    func sameVersion() throws {
        var acceptance = acceptance
        acceptance.held = HeldVersion(
            version: 5, model: SHA256.digest(of: try fleet.model(version: 5)))
        #expect(try refusal(acceptance) == nil)
        acceptance.held = nil
        #expect(try refusal(acceptance) == nil)
    }

    @Test("another model under the version held is refused")
    func twin() throws {
        var acceptance = acceptance
        acceptance.held = HeldVersion(
            version: 5, model: SHA256.digest(of: [5]))
        let fault = try refusal(acceptance)
        #expect(fault?.code == .conflict)
        #expect(fault?.message.contains("another model of the same version") == true)
        // What vouched for the one held is damaged: it may be replaced.
        acceptance.held = HeldVersion(version: 5, model: nil)
        #expect(try refusal(acceptance) == nil)
    }

    @Test("a model that another key signed is refused")
    func wrongKey() throws {
        let model = try fleet.model(version: 5)
        var evidence = try fleet.evidence(version: 5, model: model)
        evidence.signature = try fleet.signature(of: model, key: PrivateKey.generate(.p256))
        #expect(try refusal(model: model, evidence: evidence)?.code == .untrusted)
    }

    @Test("bytes that are no signature are refused, and bytes that are no proof")
    func noEvidence() throws {
        let good = try fleet.evidence(version: 5, model: fleet.model(version: 5))
        for bytes in [[], Array("{}".utf8), Array(good.proof.dropLast(9))] {
            var evidence = good
            evidence.signature = bytes
            #expect(try refusal(evidence: evidence)?.code == .untrusted)
            evidence = good
            evidence.proof = bytes
            #expect(try refusal(evidence: evidence)?.code == .untrusted)
        }
    }

    @Test("a signature over another file does not vouch for this one")
    func wrongDigest() throws {
        let evidence = try fleet.evidence(version: 5, model: fleet.model(version: 6))
        let fault = try refusal(evidence: evidence)
        #expect(fault?.code == .untrusted)
        #expect(fault?.message.contains("another model.onnx") == true)
    }

    @Test("a signature that lists the bytes under another name does not vouch for model.onnx")
    func wrongName() throws {
        let model = try fleet.model(version: 5)
        let evidence = try fleet.evidence(
            version: 5, model: model,
            signature: fleet.signature(of: model, file: "old/model.onnx"))
        #expect(try refusal(model: model, evidence: evidence)?.code == .untrusted)
    }

    @Test("a signature with another signature's proof is refused")
    func swappedProof() throws {
        let model = try fleet.model(version: 5)
        var evidence = try fleet.evidence(version: 5, model: model)
        evidence.proof = try fleet.evidence(version: 5, model: fleet.model(version: 6)).proof
        #expect(try refusal(model: model, evidence: evidence)?.code == .untrusted)
    }

    @Test("a model that the log has under another version is refused")
    func otherLeaf() throws {
        let model = try fleet.model(version: 5)
        let evidence = try fleet.evidence(version: 6, model: model)
        let fault = try refusal(model: model, evidence: evidence)
        #expect(fault?.code == .untrusted)
        #expect(fault?.message.contains("that of version 6") == true, "\(fault?.message ?? "")")
    }

    @Test("a proof whose path leads elsewhere, or whose checkpoint another key signed, is refused")
    func wrongProof() throws {
        let model = try fleet.model(version: 5)
        let signature = try fleet.signature(of: model)
        let leaf = try fleet.leaf(version: 5, model: model, signature: signature)
        var log = try fleet.exampleLog()
        let index = log.append(leaf)
        var other = ExampleLog(
            signer: try LogSigner(name: "tributary/plant", key: PrivateKey.generate(.ed25519)))
        let stranger = other.append(leaf)
        for proof in [
            try log.proof(of: index, path: [SHA256.digest(of: [1])]), try other.proof(of: stranger),
        ] {
            let evidence = ModelEvidence(signature: signature, proof: proof, consistency: [])
            #expect(try refusal(model: model, evidence: evidence)?.code == .untrusted)
        }
    }

    @Test("a model that was signed before its key counted, or after, is refused")
    func keyValidity() throws {
        let spare = try PrivateKey.generate(.p256)
        let model = try fleet.model(version: 5)
        let evidence = try fleet.evidence(version: 5, model: model)
        for key in [
            TrustSet.ModelKey(key: fleet.modelKey.publicKey, from: 5),
            TrustSet.ModelKey(key: fleet.modelKey.publicKey, from: 1, until: 5),
        ] {
            var acceptance = acceptance
            acceptance.trust = try TrustSet.initial(
                fleet: "plant", authorities: [fleet.authority.certificate],
                modelKeys: [key, TrustSet.ModelKey(key: spare.publicKey, from: 2)],
                log: fleet.log.verifier, signedBy: spare)
            #expect(try refusal(acceptance, model: model, evidence: evidence)?.code == .untrusted)
        }
        #expect(try refusal(model: model, evidence: evidence) == nil)
    }

    @Test("a model older than the one held is refused, and told so")
    func rollback() throws {
        var acceptance = acceptance
        acceptance.held = HeldVersion(
            version: 6, model: SHA256.digest(of: [6]))
        let fault = try refusal(acceptance)
        #expect(fault?.code == .conflict)
        #expect(fault?.message.contains("version 6") == true)
    }

    @Test("a model that says it is another version than announced is refused")
    func otherVersion() throws {
        let model = try fleet.model(version: 4)
        #expect(try refusal(model: model)?.code == .untrusted)
    }

    @Test("a model of another plan is refused, whether it or the coordinator says so")
    func otherPlan() throws {
        let model = try fleet.model(version: 5, plan: "valves")
        #expect(try refusal(model: model)?.code == .untrusted)
        let reference = try fleet.reference(
            version: 5, plan: "valves", model: model, signature: fleet.signature(of: model))
        #expect(try refusal(model: model, as: reference)?.code == .untrusted)
    }

    @Test("a model of another shape or normalisation than the plan's is refused")
    func otherShape() throws {
        let wide = try fleet.model(version: 5, widths: [3, 5, 2])
        let fault = try refusal(model: wide)
        #expect(fault?.code == .invalid)
        #expect(fault?.message.contains("layers") == true)
        let scaled = try fleet.model(version: 5, scale: 2)
        #expect(try refusal(model: scaled)?.code == .invalid)
    }

    @Test("a model that says it is of another objective than the plan's is refused")
    func otherObjective() throws {
        let other = try fleet.model(version: 5, objective: .reconstruction)
        let fault = try refusal(model: other)
        #expect(fault?.code == .invalid)
        #expect(fault?.message.contains("objective") == true)
        #expect(try refusal(model: fleet.model(version: 5, objective: .classification)) == nil)
    }

    @Test("signed bytes that are no model are refused")
    func noModel() throws {
        #expect(try refusal(model: [1, 2, 3]) != nil)
    }
}

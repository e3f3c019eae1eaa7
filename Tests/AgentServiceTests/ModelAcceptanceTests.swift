import AgentService
import AgentSession
import Cryptography
import Federation
import Learning
import Testing

@Suite("Model acceptance")
struct ModelAcceptanceTests {
    let fleet: ExampleFleet
    let acceptance: ModelAcceptance

    init() throws {
        fleet = try ExampleFleet()
        acceptance = ModelAcceptance(
            modelKeys: [fleet.modelKey.publicKey], plan: fleet.plan, held: 4)
    }

    /// The fault with which version 5 is refused; each argument is what is wrong with it.
    private func refusal(
        _ acceptance: ModelAcceptance? = nil, model: [UInt8]? = nil, signature: [UInt8]? = nil,
        as reference: ModelReference? = nil
    ) throws -> Fault? {
        let model = try model ?? fleet.model(version: 5)
        let signature = try signature ?? fleet.signature(of: model)
        let reference =
            try reference
            ?? fleet.reference(version: 5, model: model, signature: signature)
        return fault { () throws(Fault) in
            _ = try (acceptance ?? self.acceptance).accept(
                model, signature: signature, as: reference)
        }
    }

    @Test("a signed model of the plan, newer than the one held, is accepted")
    func accepted() throws {
        let model = try fleet.model(version: 5)
        let signature = try fleet.signature(of: model)
        let accepted = try acceptance.accept(
            model, signature: signature,
            as: fleet.reference(version: 5, model: model, signature: signature))
        #expect(accepted.shape == (try StudentShape(plan: fleet.plan)))
    }

    @Test("the version held, and any version when none is held, are accepted")
    func sameVersion() throws {
        var acceptance = acceptance
        acceptance.held = 5
        #expect(try refusal(acceptance) == nil)
        acceptance.held = nil
        #expect(try refusal(acceptance) == nil)
    }

    @Test("a model that another key signed is refused")
    func wrongKey() throws {
        let model = try fleet.model(version: 5)
        let signature = try fleet.signature(of: model, key: PrivateKey.generate(.p256))
        #expect(try refusal(model: model, signature: signature)?.code == .untrusted)
    }

    @Test("bytes that are no signature are refused")
    func noSignature() throws {
        #expect(try refusal(signature: [])?.code == .untrusted)
        #expect(try refusal(signature: Array("{}".utf8))?.code == .untrusted)
    }

    @Test("a signature over another file does not vouch for this one")
    func wrongDigest() throws {
        let signature = try fleet.signature(of: fleet.model(version: 6))
        let fault = try refusal(signature: signature)
        #expect(fault?.code == .untrusted)
        #expect(fault?.message.contains("another model.onnx") == true)
    }

    @Test("a signature that lists the bytes under another name does not vouch for model.onnx")
    func wrongName() throws {
        let model = try fleet.model(version: 5)
        let signature = try fleet.signature(of: model, file: "old/model.onnx")
        #expect(try refusal(model: model, signature: signature)?.code == .untrusted)
    }

    @Test("a model older than the one held is refused, and told so")
    func rollback() throws {
        var acceptance = acceptance
        acceptance.held = 6
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
        let signature = try fleet.signature(of: model)
        let reference = try fleet.reference(
            version: 5, plan: "valves", model: model, signature: signature)
        #expect(try refusal(model: model, signature: signature, as: reference)?.code == .untrusted)
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

    @Test("signed bytes that are no model are refused")
    func noModel() throws {
        #expect(try refusal(model: [1, 2, 3]) != nil)
    }
}

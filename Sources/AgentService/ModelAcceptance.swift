package import AgentSession
package import Cryptography
package import Federation
package import Learning
import ModelFormats
import Provenance

/// Decides whether a model that the coordinator sent may be used on this device.
package struct ModelAcceptance {
    /// The keys of the trust set that may sign models.
    package var modelKeys: [PublicKey]
    package var plan: Plan
    /// The version held, below which nothing is accepted; nil when there is none.
    package var held: UInt64?

    package init(modelKeys: [PublicKey], plan: Plan, held: UInt64?) {
        self.modelKeys = modelKeys
        self.plan = plan
        self.held = held
    }

    /// The name under which the signature lists the model file.
    private static let fileName = "model.onnx"

    /// The model in `bytes`, if a trusted key signed it and it is what `reference` says.
    ///
    /// The signature is checked before the model is parsed, so that only a trusted signer's bytes reach the parser.
    ///
    /// - Throws: `Fault.untrusted` when the signature, the digest or the identity does not hold, `Fault.conflict` for a version
    ///   older than the one held, `Fault.invalid` for a model of another shape than the plan's.
    package func accept(
        _ bytes: [UInt8], signature: [UInt8], as reference: ModelReference
    ) throws(Fault) -> QuantizedModel {
        let name = "version \(reference.version) of the model '\(reference.plan)'"
        func refused(_ code: Fault.Code, _ why: String, remedy: String = "") -> Fault {
            Fault(code, "\(name) is refused: \(why)", remedy: remedy)
        }
        guard reference.plan == plan.id else {
            throw refused(.untrusted, "it was offered for the plan '\(plan.id)'")
        }
        if let held, reference.version < held {
            throw refused(
                .conflict, "this device holds version \(held), which is newer",
                remedy: "publish the older model under a new version number")
        }
        let signed = try ModelSignature.verify(bundle: signature, trusted: modelKeys)
        let digest = SHA256.digest(of: bytes)
        guard signed.files.contains(where: { $0.name == Self.fileName && $0.digest == digest })
        else {
            throw refused(.untrusted, "its signature is for another \(Self.fileName)")
        }
        let (model, identity) = try OnnxModel.decode(bytes)
        guard identity.plan == reference.plan, identity.version == reference.version else {
            throw refused(
                .untrusted,
                "the file says that it is version \(identity.version) of '\(identity.plan)'")
        }
        guard model.shape == (try StudentShape(plan: plan)).deployed else {
            throw refused(.invalid, "its layers are not the plan's")
        }
        guard model.normalisation == Normalisation(plan: plan.data) else {
            throw refused(.invalid, "it normalises features in another way than the plan")
        }
        return model
    }
}

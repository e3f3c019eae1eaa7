package import AgentSession
import Cryptography
package import Federation
package import Learning
import ModelFormats
package import Provenance

/// What the coordinator sent to show that a model may be used.
package struct ModelEvidence: Sendable, Equatable {
    /// The signature bundle over the model's directory.
    package var signature: [UInt8]
    /// C2SP tlog-proof that the model is in the log.
    package var proof: [UInt8]
    /// The hashes that lead from the checkpoint that the device keeps to the proof's; nil when that was checked before.
    package var consistency: [Digest]?

    package init(signature: [UInt8], proof: [UInt8], consistency: [Digest]? = nil) {
        self.signature = signature
        self.proof = proof
        self.consistency = consistency
    }
}

/// Decides whether a model that the coordinator sent may be used on this device.
package struct ModelAcceptance {
    /// Whom the device believes.
    package var trust: TrustSet
    package var plan: Plan
    /// The version held, below which nothing is accepted, and the digest of its file; nil when there is none.
    package var held: HeldVersion?

    package init(trust: TrustSet, plan: Plan, held: HeldVersion?) {
        self.trust = trust
        self.plan = plan
        self.held = held
    }

    /// The model in `bytes` and the log's checkpoint that covers it, if a trusted key signed it when it counted, the log has
    /// it, and it is what `reference` says. Whether the log is the one that the device knows is `KeptCheckpoint`'s to say.
    ///
    /// All that is checked before the model is parsed, so that only a trusted signer's bytes reach the parser.
    ///
    /// - Throws: `Fault.untrusted` when the signature, the proof, a digest or the identity does not hold, `Fault.conflict` for
    ///   a version older than the one held, `Fault.invalid` for a model of another shape than the plan's.
    package func accept(
        _ bytes: [UInt8], _ evidence: ModelEvidence, as reference: ModelReference
    ) throws(Fault) -> (model: QuantizedModel, checkpoint: SignedCheckpoint) {
        func refused(_ code: Fault.Code, _ why: String, remedy: String = "") -> Fault {
            Fault(
                code,
                "version \(reference.version) of the model '\(reference.plan)' is refused: \(why)",
                remedy: remedy)
        }
        guard reference.plan == plan.id else {
            throw refused(.untrusted, "it was offered for the plan '\(plan.id)'")
        }
        let digest = SHA256.digest(of: bytes)
        if let problem = orderProblem(reference.version, digest) {
            throw refused(.conflict, problem)
        }
        let logged: LoggedModel
        do throws(Fault) {
            logged = try LoggedModel.verify(
                bundle: evidence.signature, proof: evidence.proof, trust: trust)
        } catch { throw refused(.untrusted, error.message, remedy: error.remedy) }
        guard logged.plan == reference.plan, logged.version == reference.version else {
            throw refused(
                .untrusted,
                "its signature is that of version \(logged.version) of '\(logged.plan)'")
        }
        guard logged.model == digest else {
            throw refused(.untrusted, "its signature is for another \(LoggedModel.modelFile)")
        }
        let (model, identity) = try OnnxModel.decode(bytes)
        guard identity.plan == reference.plan, identity.version == reference.version else {
            throw refused(
                .untrusted,
                "the file says that it is version \(identity.version) of '\(identity.plan)'")
        }
        guard identity.objective == nil || identity.objective == plan.training.objective else {
            throw refused(.invalid, "its objective is not the plan's")
        }
        guard model.shape == (try StudentShape(plan: plan)).deployed else {
            throw refused(.invalid, "its layers are not the plan's")
        }
        guard model.normalisation == Normalisation(plan: plan.data) else {
            throw refused(.invalid, "it normalises features in another way than the plan")
        }
        return (model, logged.checkpoint)
    }

    private func orderProblem(_ version: UInt64, _ model: Digest) -> String? {
        guard let held else { return nil }
        if version < held.version {
            return "this device holds version \(held.version), which is newer"
        }
        if version == held.version, let here = held.model, model != here {
            return "this device holds another model of the same version"
        }
        return nil
    }
}

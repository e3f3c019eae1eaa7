import Cryptography
import Federation
import Privacy
import Provenance
import Registry

/// Sealed versions on their way into the registry and the log.
extension Fleet {
    /// Puts a sealed version's blobs into the registry and describes it.
    func store(_ sealed: SealedModel, of candidate: Candidate) async throws(Fault) -> StoredModel {
        var files: [StoredModelFile] = []
        for file in sealed.files {
            files.append(
                StoredModelFile(
                    name: file.name, digest: try await registry.putBlob(file.bytes),
                    size: UInt64(file.bytes.count)))
        }
        let signatureDigest = try await registry.putBlob(sealed.signature)
        let masterDigest = try await put(candidate.master)
        let velocityDigest = candidate.velocity.isEmpty ? nil : try await put(candidate.velocity)
        return StoredModel(
            plan: candidate.plan.id, version: candidate.version, round: RoundID(candidate.round),
            modelDigest: sealed.onnx.digest, modelSize: UInt64(sealed.onnx.bytes.count),
            signatureDigest: signatureDigest, signatureSize: UInt64(sealed.signature.count),
            masterDigest: masterDigest, velocityDigest: velocityDigest,
            clippingNorm: candidate.clippingNorm, accuracy: sealed.accuracy,
            createdUnix: clock.unixSeconds, parentVersion: candidate.parent?.version, files: files,
            distillation: candidate.distillation)
    }

    /// Stores weights or optimiser state as a blob.
    func put(_ values: [Float]) async throws(Fault) -> Digest {
        let bytes = try await compute { () throws(Fault) in ParameterBlob.encode(values) }
        return try await registry.putBlob(bytes)
    }

    /// Lets agents and admins fetch a version's files and signature, as far as they are kept.
    func serve(_ model: StoredModel) {
        for digest in model.files.map(\.digest) + [model.modelDigest, model.signatureDigest]
        where digest != model.modelDigest || model.collectedUnix == nil {
            servedBlobs[digest] = model.plan
        }
    }

    /// The leaf of a signed version.
    func modelSigned(
        _ model: StoredModel, _ sealed: SealedModel, _ candidate: Candidate
    ) -> FleetEvent {
        var fields: [(String, FleetEvent.Value)] = [
            ("plan", .text(model.plan.name)), ("version", .number(model.version)),
            ("round", .number(model.round.number)), ("model", .text(model.modelDigest.hex)),
            ("statement", .text(sealed.statement.hex)),
            ("bundle", .text(model.signatureDigest.hex)),
            ("key", .text(sealed.signer.spkiDigest.hex)),
        ]
        if let parent = candidate.parent {
            fields += [
                ("parent", .text(parent.model.hex)), ("parentVersion", .number(parent.version)),
            ]
        }
        if let trial = model.distillation {
            // The round's event names the weights it released; these are what its version goes on with.
            fields += [
                ("master", .text(model.masterDigest.hex)),
                ("distillation", .text(trial.isAccepted ? "accepted" : "refused")),
                ("heldOutBefore", .decimal(trial.accuracyBefore)),
                ("heldOutAfter", .decimal(trial.accuracyAfter)),
            ]
        }
        return FleetEvent(.modelSigned, fields)
    }

    /// Whose signature a version has; nil when the trust set no longer knows the key.
    func signer(of model: StoredModel) async throws(Fault) -> PublicKey? {
        let bundle = try await registry.blob(model.signatureDigest)
        let signed = try? ModelSignature.verify(
            bundle: bundle, trusted: keys.trustSet.publicModelKeys)
        return signed?.signer
    }

    /// What a plan's population has spent, as model cards tell it; nil without privacy.
    ///
    /// - Parameter epsilon: what a round brought it to; nil: what it is now.
    func spend(of plan: PlanRuntime, epsilon: Double? = nil) -> ModelFacts.Spend? {
        guard let privacy = plan.plan.privacy, let budget = budget(of: plan) else { return nil }
        let rounds = plans[plan.plan.id]?.charges ?? plan.charges
        return ModelFacts.Spend(
            epsilon: epsilon ?? budget.epsilon, rounds: rounds,
            localEpsilon: privacy.localEpsilon(rounds: rounds))
    }
}

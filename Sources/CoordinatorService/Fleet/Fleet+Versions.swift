import Cryptography
import Federation
import Learning
import Privacy
import Provenance
import Registry

/// Sealed versions on their way into the registry and the log.
extension Fleet {
    /// Puts a sealed version's blobs into the registry and describes it.
    func store(_ sealed: SealedModel, of candidate: Candidate) async throws(Fault) -> StoredModel {
        var stored = try await putTogether(sealed.files.map(\.bytes) + [sealed.signature])
        let masterDigest: Digest
        do throws(Fault) {
            masterDigest = try await self.stored(candidate.master)
            stored.insert(masterDigest)
            if let velocity = candidate.velocityDigest { try await registry.keepBlob(velocity) }
        } catch {
            registry.letGo(of: stored)
            throw error
        }
        let files = sealed.files.map { file in
            StoredModelFile(name: file.name, digest: file.digest, size: UInt64(file.bytes.count))
        }
        return StoredModel(
            plan: candidate.plan.id, version: candidate.version, round: RoundID(candidate.round),
            modelDigest: sealed.onnx.digest, modelSize: UInt64(sealed.onnx.bytes.count),
            signatureDigest: SHA256.digest(of: sealed.signature),
            signatureSize: UInt64(sealed.signature.count),
            masterDigest: masterDigest, velocityDigest: candidate.velocityDigest,
            clippingNorm: candidate.clippingNorm, accuracy: sealed.accuracy,
            createdUnix: clock.unixSeconds, parentVersion: candidate.parent?.version, files: files,
            distillation: candidate.distillation)
    }

    /// Stores blobs that wait for the disk together: all, or none is kept.
    ///
    /// - Returns: their digests.
    private func putTogether(_ blobs: [[UInt8]]) async throws(Fault) -> Set<Digest> {
        let registry = registry
        let results = await withTaskGroup(of: Result<Digest, Fault>.self) { group in
            for blob in blobs {
                group.addTask {
                    do throws(Fault) { return .success(try await registry.putBlob(blob)) } catch {
                        return .failure(error)
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        let stored = Set(results.compactMap { try? $0.get() })
        for case .failure(let fault) in results {
            registry.letGo(of: stored)
            throw fault
        }
        return stored
    }

    /// The blob of master weights, which are stored now unless they were before.
    private func stored(_ master: Candidate.Master) async throws(Fault) -> Digest {
        switch master {
        case .stored(let digest):
            try await registry.keepBlob(digest)
            return digest
        case .values(let values):
            return try await registry.withBlobs("store weights", writing: 4 * values.count) {
                blobs throws(Fault) in
                var draft = try blobs.draft()
                try ParameterBlob.append(values, to: &draft)
                return try draft.finish()
            }
        }
    }

    /// Rounds a candidate to int8, measures and signs it, see `Candidate.sealed`. Weights that are stored are read a run at a
    /// time.
    func sealed(_ candidate: Candidate) async throws(Fault) -> SealedModel {
        let model: QuantizedModel
        switch candidate.master {
        case .values(let values):
            model = try await compute { () throws(Fault) in try candidate.rounded { values[$0] } }
        case .stored(let digest):
            model = try await registry.withBlobs("read weights", writing: 0) {
                blobs throws(Fault) in
                let stored = try StoredFloats(
                    digest, count: candidate.plan.parameterCount, in: blobs)
                return try candidate.rounded { (range) throws(Fault) in try stored[range][...] }
            }
        }
        return try await compute { () throws(Fault) in try candidate.sealed(model) }
    }

    /// The master weights in a blob.
    func weights(_ digest: Digest, of plan: Plan) async throws(Fault) -> [Float] {
        let count = plan.parameterCount
        return try await registry.withBlobs("read weights", writing: 0) { blobs throws(Fault) in
            try StoredFloats(digest, count: count, in: blobs)[0..<count]
        }
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
    /// Of the ledger: what a round has only reserved is not in the log, from which an auditor works it out.
    ///
    /// - Parameter epsilon: what a round brought it to; nil: what it is now.
    func spend(
        of plan: PlanRuntime, epsilon: Double? = nil
    ) async throws(Fault) -> ModelFacts.Spend? {
        guard let privacy = plan.plan.privacy else { return nil }
        let ledger = try await registry.ledger(population: plan.plan.population)
        let budget = PrivacyBudget(plan: privacy, charges: Self.charges(in: ledger))
        let rounds = ledger.count { $0.plan == plan.plan.id }
        return ModelFacts.Spend(
            epsilon: epsilon ?? budget.epsilon, rounds: rounds,
            localEpsilon: try await localEpsilon(of: plan))
    }

    /// What the coordinator may have learned of one agent by now; nil without local noise.
    ///
    /// Rounds that ended before their charge count as well: it may have seen updates of theirs. Whether it did is not
    /// asked, since the answer would tell of a private round's cohort.
    func localEpsilon(of plan: PlanRuntime) async throws(Fault) -> Double? {
        guard let privacy = plan.plan.privacy, privacy.localNoiseMultiplier > 0 else { return nil }
        return privacy.localEpsilon(
            rounds: try await registry.roundsBegun(plan: plan.plan.id))
    }
}

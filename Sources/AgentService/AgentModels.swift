import AgentSession
import Cryptography
import Federation
import Learning
import Logging
import Provenance
import Telemetry
import Wire

// Whether a model may be used: its signature, the log that it must be in, and what the coordinator hears of a refusal.

extension Agent {
    /// The verified model in the cache. The log's newest checkpoint is kept before the model is used.
    mutating func verified(_ reference: ModelReference) throws(Setback) -> QuantizedModel {
        let index = try place(of: reference.plan)
        guard let known = plans[index].known else {
            throw .local(
                Fault(.invalid, "the plan '\(reference.plan)' is not understood by this version"))
        }
        if let last = lastVerified, last.model == reference,
            last.trust == enrolment.trustSet.version
        {
            lastVerified = nil
            return last.weights
        }
        let evidence = try evidence(for: reference)
        // A log that is not the one this device knows says nothing of the model, but all of the coordinator.
        do throws(Fault) {
            try kept?.check(evidence, key: enrolment.trustSet.log)
        } catch { throw .connection(error) }
        let bytes = try locally { () throws(Fault) in try blobs.read(reference.model.digest) }
        let acceptance = ModelAcceptance(
            trust: enrolment.trustSet, plan: known.plan, held: models.held(reference.plan))
        let accepted: (model: QuantizedModel, checkpoint: SignedCheckpoint)
        do throws(Fault) {
            accepted = try acceptance.accept(bytes, evidence, as: reference)
        } catch {
            refusedModels[reference.plan] = error
            throw .model(error)
        }
        if evidence.consistency != nil {
            let checkpoint = KeptCheckpoint(accepted.checkpoint)
            try locally { () throws(Fault) in try checkpoint.store(in: directory) }
            kept = checkpoint
            proofs[reference.plan] = (reference, evidence.proof)
        }
        refusedModels[reference.plan] = nil
        return accepted.model
    }

    /// Asks for the proof that the log has the model, unless it is at hand.
    private mutating func evidence(
        for reference: ModelReference
    ) throws(Setback) -> ModelEvidence {
        let signature = try locally { () throws(Fault) in
            try blobs.read(reference.signature.digest)
        }
        if let known = proofs[reference.plan], known.model == reference {
            return ModelEvidence(signature: signature, proof: known.proof)
        }
        let request = LogProofRequest(
            plan: reference.plan.name, version: reference.version,
            fromSize: kept?.checkpoint.size ?? 0)
        let setback: Setback
        do throws(Setback) {
            let answer = try link.exchange(.logProofRequest(request))
            guard case .logProof(let proof) = answer else { throw link.unexpected() }
            return ModelEvidence(
                signature: signature, proof: proof.proof,
                // A path with anything but hashes in it leads nowhere.
                consistency: proof.consistency.compactMap(Digest.init(bytes:)))
        } catch { setback = error }
        // A coordinator that has no proof for its model cannot have it used.
        guard case .refusal(let fault) = setback, fault.isAboutTheModel else { throw setback }
        let refusal = Fault(
            .untrusted,
            "version \(reference.version) of the model '\(reference.plan)' is refused: the"
                + " coordinator has no proof for it: \(fault.message)", remedy: fault.remedy)
        refusedModels[reference.plan] = refusal
        throw .model(refusal)
    }

    /// Verifies a model and puts it where predictions read it.
    mutating func adopt(_ model: ModelReference) throws(Setback) {
        let weights = try verified(model)
        lastVerified =
            weights.shape.parameterCount <= Self.mostKeptParameters
            ? (model, enrolment.trustSet.version, weights) : nil
        try locally { () throws(Fault) in
            try models.install(
                model.plan, version: model.version, model: blobs.path(model.model.digest),
                signature: try blobs.read(model.signature.digest),
                proof: proofs[model.plan]?.proof ?? [], leaving: blobs)
        }
        log.info(
            "model adopted", metadata: ["plan": "\(model.plan)", "version": "\(model.version)"])
        measure(weights, model)
    }

    /// The largest model that stays in memory until a round begins with it, in parameters.
    private static var mostKeptParameters: Int { 1 << 19 }

    /// Measures a verified model on the examples held out, within the owner's rules; what keeps that from being done keeps
    /// nothing else.
    private mutating func measure(_ weights: QuantizedModel, _ model: ModelReference) {
        guard let index = plans.firstIndex(where: { $0.id == model.plan }), plans[index].holdsOut,
            conditions.refusal(with: nil, plannedMiB: 0) == nil
        else { return }
        var conditions = conditions
        var pace = TrainingPace(percent: limits.cpuPercent)
        do throws(Fault) {
            let before = plans[index].heldOutMeasure
            try plans[index].measure(weights, version: model.version) {
                [stop, owner, notifier] () throws(Fault) in
                notifier.alive()
                let rest = pace.owed
                if rest > 0 {
                    owner.sleep(seconds: rest, notifier)
                    pace.resume()
                    conditions.pause = owner.pause
                }
                if stop.isRequested { throw Fault(.gone, "the agent stops") }
                if let refusal = conditions.refusalWhileTraining(plannedMiB: 0) { throw refusal }
            }
            // What the log says of a private plan's data is no more than the coordinator hears.
            guard let measure = plans[index].heldOutMeasure, measure != before,
                !plans[index].isPrivate
            else { return }
            log.info(
                "measured on examples held out",
                metadata: [
                    "plan": "\(model.plan)", "version": "\(model.version)",
                    "examples": "\(measure.examples)", "accuracy": "\(measure.accuracy)",
                ])
        } catch {
            if stop.isRequested { return }
            log.warning("cannot measure on examples held out", error, ["plan": "\(model.plan)"])
        }
    }

    /// Tells the coordinator that this device refuses a model.
    mutating func report(
        refusalOf model: ModelReference, reason: String
    ) throws(Setback) {
        let answer = try link.exchange(
            .modelRefusal(
                ModelRefusal(
                    plan: model.plan.name, version: model.version,
                    modelDigest: model.model.digest.bytes,
                    reason: String(decoding: reason.utf8.prefix(1_000), as: UTF8.self))))
        guard case .modelRefusalAck = answer else { throw link.unexpected() }
        log.notice(
            "refusal reported",
            metadata: ["plan": "\(model.plan)", "version": "\(model.version)"])
    }

    /// Refuses a coordinator whose log is not the one that this device has seen, as it was or grown.
    func checkLog(_ response: CheckInResponse) throws(Fault) {
        // A newer trust set may name another log key; once it is here, the next answer is looked at.
        guard response.trustSetVersion <= enrolment.trustSet.version else { return }
        let signed: SignedCheckpoint
        do throws(Fault) {
            signed = try SignedCheckpoint(
                note: response.logCheckpoint, key: enrolment.trustSet.log)
        } catch {
            throw Fault(
                .untrusted,
                "the coordinator shows no checkpoint of the fleet's log: \(error.message)",
                remedy: "look into the coordinator's log: it may serve with another log key")
        }
        try kept?.checkSize(signed.checkpoint)
    }
}

extension Fault {
    /// Whether a refused question for a proof says something of the model, and not of the moment.
    fileprivate var isAboutTheModel: Bool { code == .notFound || code == .invalid }
}

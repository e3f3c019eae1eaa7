import CMessages
import Federation

extension LogProofRequest: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__LogProofRequest>) {
        tributary__v1__log_proof_request__init(raw)
    }

    init(raw: Tributary__V1__LogProofRequest) throws(Fault) {
        self.init(
            plan: try Read.text(raw.plan, "LogProofRequest.plan"),
            version: raw.version,
            fromSize: raw.from_size)
    }

    func fill(_ raw: inout Tributary__V1__LogProofRequest, in arena: Arena) throws(Fault) {
        raw.plan = try arena.text(plan, "LogProofRequest.plan")
        raw.version = version
        raw.from_size = fromSize
    }
}

extension LogProof: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__LogProof>) {
        tributary__v1__log_proof__init(raw)
    }

    init(raw: Tributary__V1__LogProof) throws(Fault) {
        self.init(
            proof: try Read.bytes(raw.proof, "LogProof.proof", limit: WireLimits.logProofBytes),
            consistency: try Read.hashes(raw.consistency, raw.n_consistency, "LogProof.consistency")
        )
    }

    func fill(_ raw: inout Tributary__V1__LogProof, in arena: Arena) throws(Fault) {
        raw.proof = try arena.bytes(proof, "LogProof.proof", limit: WireLimits.logProofBytes)
        (raw.consistency, raw.n_consistency) = try arena.hashes(consistency, "LogProof.consistency")
    }
}

extension ModelRefusal: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__ModelRefusal>) {
        tributary__v1__model_refusal__init(raw)
    }

    init(raw: Tributary__V1__ModelRefusal) throws(Fault) {
        self.init(
            plan: try Read.text(raw.plan, "ModelRefusal.plan"),
            version: raw.version,
            modelDigest: try Read.digest(raw.model_digest, "ModelRefusal.modelDigest"),
            reason: try Read.text(raw.reason, "ModelRefusal.reason"))
    }

    func fill(_ raw: inout Tributary__V1__ModelRefusal, in arena: Arena) throws(Fault) {
        raw.plan = try arena.text(plan, "ModelRefusal.plan")
        raw.version = version
        raw.model_digest = try arena.digest(modelDigest, "ModelRefusal.modelDigest")
        raw.reason = try arena.text(reason, "ModelRefusal.reason")
    }
}

extension ModelRefusalAck: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__ModelRefusalAck>) {
        tributary__v1__model_refusal_ack__init(raw)
    }

    init(raw: Tributary__V1__ModelRefusalAck) { self.init() }

    func fill(_ raw: inout Tributary__V1__ModelRefusalAck, in arena: Arena) {}
}

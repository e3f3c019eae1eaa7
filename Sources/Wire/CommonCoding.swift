import CMessages
import Federation

extension Failure: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__Failure>) {
        tributary__v1__failure__init(raw)
    }

    init(raw: Tributary__V1__Failure) throws(Fault) {
        self.init(
            code: try Read.text(raw.code, "Failure.code"),
            message: try Read.text(raw.message, "Failure.message"),
            remedy: try Read.text(raw.remedy, "Failure.remedy"),
            closing: raw.closing != 0)
    }

    func fill(_ raw: inout Tributary__V1__Failure, in arena: Arena) throws(Fault) {
        raw.code = try arena.text(code, "Failure.code")
        raw.message = try arena.text(message, "Failure.message")
        raw.remedy = try arena.text(remedy, "Failure.remedy")
        raw.closing = closing ? 1 : 0
    }
}

extension ModelRef: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__ModelRef>) {
        tributary__v1__model_ref__init(raw)
    }

    init(raw: Tributary__V1__ModelRef) throws(Fault) {
        self.init(
            plan: try Read.text(raw.plan, "ModelRef.plan"),
            version: raw.version,
            modelDigest: try Read.digest(raw.model_digest, "ModelRef.modelDigest"),
            modelSize: raw.model_size,
            signatureDigest: try Read.digest(raw.signature_digest, "ModelRef.signatureDigest"),
            signatureSize: raw.signature_size)
    }

    func fill(_ raw: inout Tributary__V1__ModelRef, in arena: Arena) throws(Fault) {
        raw.plan = try arena.text(plan, "ModelRef.plan")
        raw.version = version
        raw.model_digest = try arena.digest(modelDigest, "ModelRef.modelDigest")
        raw.model_size = modelSize
        raw.signature_digest = try arena.digest(signatureDigest, "ModelRef.signatureDigest")
        raw.signature_size = signatureSize
    }
}

extension LatticeSpec: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__LatticeSpec>) {
        tributary__v1__lattice_spec__init(raw)
    }

    init(raw: Tributary__V1__LatticeSpec) throws(Fault) {
        self.init(
            id: try Read.digest(raw.id, "LatticeSpec.id"),
            parameters: raw.parameters,
            clippingNorm: raw.clipping_norm,
            step: raw.step,
            kappa: raw.kappa,
            rotationSeed: raw.rotation_seed,
            elementBits: raw.element_bits,
            modulus: raw.modulus)
    }

    func fill(_ raw: inout Tributary__V1__LatticeSpec, in arena: Arena) throws(Fault) {
        raw.id = try arena.digest(id, "LatticeSpec.id")
        raw.parameters = parameters
        raw.clipping_norm = clippingNorm
        raw.step = step
        raw.kappa = kappa
        raw.rotation_seed = rotationSeed
        raw.element_bits = elementBits
        raw.modulus = modulus
    }
}

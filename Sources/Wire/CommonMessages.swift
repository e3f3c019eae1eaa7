// Names shared by several conversations: common.proto.

/// Why a request failed. The connection stays open unless `closing` is set.
package struct Failure: Sendable, Equatable {
    /// One of: invalid unauthenticated forbidden notFound conflict gone exhausted unavailable
    /// untrusted storage internal.
    package var code: String
    /// What happened.
    package var message: String
    /// What to do next, may be empty.
    package var remedy: String
    /// The sender closes the connection after this message.
    package var closing: Bool

    package init(
        code: String = "", message: String = "", remedy: String = "", closing: Bool = false
    ) {
        self.code = code
        self.message = message
        self.remedy = remedy
        self.closing = closing
    }
}

/// One published model version and where its two files are.
package struct ModelRef: Sendable, Equatable {
    package var plan: String
    package var version: UInt64
    /// SHA-256 of model.onnx.
    package var modelDigest: [UInt8]
    /// Bytes.
    package var modelSize: UInt64
    /// SHA-256 of the signature bundle.
    package var signatureDigest: [UInt8]
    package var signatureSize: UInt64

    package init(
        plan: String = "", version: UInt64 = 0, modelDigest: [UInt8] = [], modelSize: UInt64 = 0,
        signatureDigest: [UInt8] = [], signatureSize: UInt64 = 0
    ) {
        self.plan = plan
        self.version = version
        self.modelDigest = modelDigest
        self.modelSize = modelSize
        self.signatureDigest = signatureDigest
        self.signatureSize = signatureSize
    }
}

/// The integer lattice of a round; `id` is the SHA-256 of `Lattice.canonicalBytes`.
package struct LatticeSpec: Sendable, Equatable {
    package var id: [UInt8]
    /// D.
    package var parameters: UInt64
    /// C, in parameter units.
    package var clippingNorm: Float
    /// In parameter units.
    package var step: Float
    package var kappa: Float
    package var rotationSeed: UInt64
    /// 8, 16, 32 or 64.
    package var elementBits: UInt32
    /// 0: plain integers.
    package var modulus: UInt64

    package init(
        id: [UInt8] = [], parameters: UInt64 = 0, clippingNorm: Float = 0, step: Float = 0,
        kappa: Float = 0, rotationSeed: UInt64 = 0, elementBits: UInt32 = 0, modulus: UInt64 = 0
    ) {
        self.id = id
        self.parameters = parameters
        self.clippingNorm = clippingNorm
        self.step = step
        self.kappa = kappa
        self.rotationSeed = rotationSeed
        self.elementBits = elementBits
        self.modulus = modulus
    }
}

// The transparency log as a device sees it: log.proto.

/// Asks for the proof that a model version is in the log.
package struct LogProofRequest: Sendable, Equatable {
    package var plan: String
    package var version: UInt64
    /// Of the checkpoint that the device keeps; 0 when it has none.
    package var fromSize: UInt64

    package init(plan: String = "", version: UInt64 = 0, fromSize: UInt64 = 0) {
        self.plan = plan
        self.version = version
        self.fromSize = fromSize
    }
}

/// A model version in the log.
package struct LogProof: Sendable, Equatable {
    /// C2SP tlog-proof with the leaf as its extra line, under the newest checkpoint.
    package var proof: [UInt8]
    /// Hashes that lead from `fromSize` to that checkpoint, RFC 6962.
    package var consistency: [[UInt8]]

    package init(proof: [UInt8] = [], consistency: [[UInt8]] = []) {
        self.proof = proof
        self.consistency = consistency
    }
}

/// A device refused a model that it was offered.
package struct ModelRefusal: Sendable, Equatable {
    package var plan: String
    package var version: UInt64
    package var modelDigest: [UInt8]
    package var reason: String

    package init(
        plan: String = "", version: UInt64 = 0, modelDigest: [UInt8] = [], reason: String = ""
    ) {
        self.plan = plan
        self.version = version
        self.modelDigest = modelDigest
        self.reason = reason
    }
}

/// The coordinator has written a refusal down.
package struct ModelRefusalAck: Sendable, Equatable {
    package init() {}
}

package import Federation

// What the coordinator says, as the machine needs it: no wire types, no bytes of models.

/// A blob by its content.
package struct BlobReference: Hashable, Sendable {
    package var digest: Digest
    /// Bytes; nil when the coordinator named only the digest.
    package var size: UInt64?

    package init(digest: Digest, size: UInt64? = nil) {
        self.digest = digest
        self.size = size
    }
}

/// One model version and its two blobs.
package struct ModelReference: Hashable, Sendable {
    package var plan: PlanID
    package var version: UInt64
    /// `model.onnx`.
    package var model: BlobReference
    /// The signature bundle over the model's directory.
    package var signature: BlobReference

    package init(plan: PlanID, version: UInt64, model: BlobReference, signature: BlobReference) {
        self.plan = plan
        self.version = version
        self.model = model
        self.signature = signature
    }
}

/// Where a plan that the agent follows stands.
package struct PlanStanding: Equatable, Sendable {
    package var plan: PlanID
    /// The plan's TOML text.
    package var text: BlobReference
    /// The version to predict with; nil before version 0.
    package var serving: ModelReference?

    package init(plan: PlanID, text: BlobReference, serving: ModelReference?) {
        self.plan = plan
        self.text = text
        self.serving = serving
    }
}

/// A place in a round's cohort, as the coordinator granted it.
package struct RoundAssignment: Equatable, Sendable {
    package var plan: PlanID
    package var planText: BlobReference
    package var at: RoundAttempt
    package var base: ModelReference
    package var lattice: Lattice
    package var latticeID: Digest
    /// Seconds from the answer to the report deadline.
    package var reportSeconds: Double
    /// Seconds without a heartbeat after which the place lapses.
    package var leaseSeconds: Double
    package var submitToken: [UInt8]

    package init(
        plan: PlanID, planText: BlobReference, at: RoundAttempt, base: ModelReference,
        lattice: Lattice, latticeID: Digest, reportSeconds: Double, leaseSeconds: Double,
        submitToken: [UInt8]
    ) {
        self.plan = plan
        self.planText = planText
        self.at = at
        self.base = base
        self.lattice = lattice
        self.latticeID = latticeID
        self.reportSeconds = reportSeconds
        self.leaseSeconds = leaseSeconds
        self.submitToken = submitToken
    }
}

/// The answer to a check-in.
package struct CheckInAnswer: Equatable, Sendable {
    package enum Next: Equatable, Sendable {
        case work(RoundAssignment)
        case comeBack(seconds: Double)
    }

    package var plans: [PlanStanding]
    package var trustSetVersion: UInt64
    package var next: Next
    /// Whether the device's certificate is due for renewal; the device knows, not the coordinator.
    package var renewalIsDue: Bool
    /// Why the device asked for no work, as it told the coordinator; nil when it did ask.
    package var unavailable: String?
    /// Why neither models nor updates may go over the network now, as the device knows; nil when they may.
    package var networkRefusal: String?

    package init(
        plans: [PlanStanding], trustSetVersion: UInt64, next: Next, renewalIsDue: Bool = false,
        unavailable: String? = nil, networkRefusal: String? = nil
    ) {
        self.plans = plans
        self.trustSetVersion = trustSetVersion
        self.next = next
        self.renewalIsDue = renewalIsDue
        self.unavailable = unavailable
        self.networkRefusal = networkRefusal
    }
}

/// An encoded update on disk, kept until its round is known to be sealed. It is never rounded again.
package struct PendingUpdate: Equatable, Sendable {
    package var plan: PlanID
    package var at: RoundAttempt
    /// The version it was trained from.
    package var baseVersion: UInt64
    package var latticeID: Digest
    package var submitToken: [UInt8]
    /// What it counts for in plans without privacy.
    package var examples: UInt64
    /// Whether the norm was within the clipping norm before clipping.
    package var withinClip: Bool
    /// Bytes of the packed update.
    package var size: UInt64
    /// SHA-256 of the packed update.
    package var digest: Digest

    package init(
        plan: PlanID, at: RoundAttempt, baseVersion: UInt64, latticeID: Digest,
        submitToken: [UInt8], examples: UInt64, withinClip: Bool, size: UInt64, digest: Digest
    ) {
        self.plan = plan
        self.at = at
        self.baseVersion = baseVersion
        self.latticeID = latticeID
        self.submitToken = submitToken
        self.examples = examples
        self.withinClip = withinClip
        self.size = size
        self.digest = digest
    }
}

// Check-in: what a device can do, and what it is asked to do: checkin.proto.

/// What a device has for one plan.
package struct PlanReadiness: Sendable, Equatable {
    package var plan: String
    /// Of the plan text the counts are for; empty when the device has none.
    package var planDigest: [UInt8]
    package var examples: UInt64
    /// Rows that did not parse.
    package var unreadable: UInt64
    package var hasModel: Bool
    package var modelVersion: UInt64

    package init(
        plan: String = "", planDigest: [UInt8] = [], examples: UInt64 = 0, unreadable: UInt64 = 0,
        hasModel: Bool = false, modelVersion: UInt64 = 0
    ) {
        self.plan = plan
        self.planDigest = planDigest
        self.examples = examples
        self.unreadable = unreadable
        self.hasModel = hasModel
        self.modelVersion = modelVersion
    }
}

/// What a device can do; asks what to do next.
package struct CheckInRequest: Sendable, Equatable {
    package var agentVersion: String
    package var cpuFeatures: String
    package var memoryKib: UInt64
    package var plans: [PlanReadiness]
    /// Digests of blobs the device holds.
    package var cached: [[UInt8]]
    /// The last checkpoint seen, may be empty.
    package var logCheckpoint: [UInt8]
    package var trustSetVersion: UInt64
    /// How long the device is willing to wait for an assignment.
    package var waitSeconds: UInt32
    /// Why the device takes no work now; empty: it does.
    package var unavailable: String

    package init(
        agentVersion: String = "", cpuFeatures: String = "", memoryKib: UInt64 = 0,
        plans: [PlanReadiness] = [], cached: [[UInt8]] = [], logCheckpoint: [UInt8] = [],
        trustSetVersion: UInt64 = 0, waitSeconds: UInt32 = 0, unavailable: String = ""
    ) {
        self.agentVersion = agentVersion
        self.cpuFeatures = cpuFeatures
        self.memoryKib = memoryKib
        self.plans = plans
        self.cached = cached
        self.logCheckpoint = logCheckpoint
        self.trustSetVersion = trustSetVersion
        self.waitSeconds = waitSeconds
        self.unavailable = unavailable
    }
}

/// What the device should know about one plan it follows, whether or not it is selected; where it names one that there is not,
/// about the one with the nearest name, if any is near.
package struct PlanState: Sendable, Equatable {
    package var plan: String
    /// SHA-256 of the plan text, a blob.
    package var planDigest: [UInt8]
    package var planSize: UInt64
    /// Absent before version 0.
    package var serving: ModelRef?

    package init(
        plan: String = "", planDigest: [UInt8] = [], planSize: UInt64 = 0, serving: ModelRef? = nil
    ) {
        self.plan = plan
        self.planDigest = planDigest
        self.planSize = planSize
        self.serving = serving
    }
}

/// A place in a round's cohort. It is a lease: heartbeats renew it.
package struct Assignment: Sendable, Equatable {
    package var plan: String
    package var planDigest: [UInt8]
    package var round: UInt64
    package var attempt: UInt32
    /// What to train from.
    package var baseModel: ModelRef?
    package var lattice: LatticeSpec?
    /// From now to the report deadline.
    package var reportSeconds: UInt32
    package var leaseSeconds: UInt32
    package var submitToken: [UInt8]

    package init(
        plan: String = "", planDigest: [UInt8] = [], round: UInt64 = 0, attempt: UInt32 = 0,
        baseModel: ModelRef? = nil, lattice: LatticeSpec? = nil, reportSeconds: UInt32 = 0,
        leaseSeconds: UInt32 = 0, submitToken: [UInt8] = []
    ) {
        self.plan = plan
        self.planDigest = planDigest
        self.round = round
        self.attempt = attempt
        self.baseModel = baseModel
        self.lattice = lattice
        self.reportSeconds = reportSeconds
        self.leaseSeconds = leaseSeconds
        self.submitToken = submitToken
    }
}

/// What a device is to do next, and what it should know.
package struct CheckInResponse: Sendable, Equatable {
    /// What to do next.
    package enum Next: Sendable, Equatable {
        case assignment(Assignment)
        case comeBackSeconds(UInt32)
    }

    package var plans: [PlanState]
    package var trustSetVersion: UInt64
    package var logCheckpoint: [UInt8]
    package var next: Next?

    package init(
        plans: [PlanState] = [], trustSetVersion: UInt64 = 0, logCheckpoint: [UInt8] = [],
        next: Next? = nil
    ) {
        self.plans = plans
        self.trustSetVersion = trustSetVersion
        self.logCheckpoint = logCheckpoint
        self.next = next
    }
}

/// Renews the lease of an assignment.
package struct Heartbeat: Sendable, Equatable {
    package var round: UInt64
    package var attempt: UInt32
    package var submitToken: [UInt8]
    /// Of training, 0 to 1.
    package var progress: Float

    package init(
        round: UInt64 = 0, attempt: UInt32 = 0, submitToken: [UInt8] = [], progress: Float = 0
    ) {
        self.round = round
        self.attempt = attempt
        self.submitToken = submitToken
        self.progress = progress
    }
}

/// The answer to a `Heartbeat`.
package struct HeartbeatAck: Sendable, Equatable {
    /// False: stop training, the round goes on without this device.
    package var wanted: Bool
    package var leaseSeconds: UInt32

    package init(wanted: Bool = false, leaseSeconds: UInt32 = 0) {
        self.wanted = wanted
        self.leaseSeconds = leaseSeconds
    }
}

/// The device cannot finish what it was assigned.
package struct Decline: Sendable, Equatable {
    package var round: UInt64
    package var attempt: UInt32
    package var submitToken: [UInt8]
    package var reason: String

    package init(
        round: UInt64 = 0, attempt: UInt32 = 0, submitToken: [UInt8] = [], reason: String = ""
    ) {
        self.round = round
        self.attempt = attempt
        self.submitToken = submitToken
        self.reason = reason
    }
}

/// The answer to a `Decline`.
package struct DeclineAck: Sendable, Equatable {
    package init() {}
}

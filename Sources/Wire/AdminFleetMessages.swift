// Administration, answers about plans, agents and the coordinator itself: admin.proto.

/// A plan as the coordinator knows it.
package struct PlanRecord: Sendable, Equatable {
    package var plan: String
    package var digest: [UInt8]
    package var title: String
    /// Preparing ready failed.
    package var state: String
    /// The stage of preparing, or why it failed.
    package var detail: String
    /// 0 to 1 while preparing.
    package var progress: Double
    package var revision: UInt64
    package var parameters: UInt64
    package var hasModel: Bool
    package var modelVersion: UInt64
    /// Negative: not measured.
    package var accuracyTeacher: Double
    package var accuracyFirst: Double
    package var accuracyLast: Double
    /// Spent; negative: the plan is not private.
    package var epsilon: Double
    /// Only in PlanShow's answer.
    package var text: [UInt8]
    package var population: String
    package var appliedUnix: UInt64
    package var noiseMultiplier: Double
    package var delta: Double
    /// Of the next round.
    package var clippingNorm: Double
    /// Of the noise that agents add themselves, 0: none.
    package var localNoiseMultiplier: Double
    /// What the coordinator itself could have learned of one agent; only with local noise.
    package var localEpsilon: Double
    /// 0: it is not paused.
    package var pausedUnix: UInt64 = 0
    package var pausedReason = ""
    /// Its schedule; 0: none.
    package var everySeconds = 0.0
    /// Its schedule; 0: none.
    package var readyAgents: UInt32 = 0
    /// Agents that are here, take work and have data for it.
    package var agentsReady: UInt32 = 0
    /// Running or queued.
    package var jobsOpen: UInt32 = 0
    /// Why no round starts now; empty: one runs, or none is wanted.
    package var waitsFor = ""
    /// Until the schedule starts a round at the earliest; negative: not known.
    package var nextRoundSeconds = -1.0

    package init(
        plan: String = "", digest: [UInt8] = [], title: String = "", state: String = "",
        detail: String = "", progress: Double = 0, revision: UInt64 = 0, parameters: UInt64 = 0,
        hasModel: Bool = false, modelVersion: UInt64 = 0, accuracyTeacher: Double = 0,
        accuracyFirst: Double = 0, accuracyLast: Double = 0, epsilon: Double = 0,
        text: [UInt8] = [], population: String = "", appliedUnix: UInt64 = 0,
        noiseMultiplier: Double = 0, delta: Double = 0, clippingNorm: Double = 0,
        localNoiseMultiplier: Double = 0, localEpsilon: Double = 0
    ) {
        self.plan = plan
        self.digest = digest
        self.title = title
        self.state = state
        self.detail = detail
        self.progress = progress
        self.revision = revision
        self.parameters = parameters
        self.hasModel = hasModel
        self.modelVersion = modelVersion
        self.accuracyTeacher = accuracyTeacher
        self.accuracyFirst = accuracyFirst
        self.accuracyLast = accuracyLast
        self.epsilon = epsilon
        self.text = text
        self.population = population
        self.appliedUnix = appliedUnix
        self.noiseMultiplier = noiseMultiplier
        self.delta = delta
        self.clippingNorm = clippingNorm
        self.localNoiseMultiplier = localNoiseMultiplier
        self.localEpsilon = localEpsilon
    }
}

/// An enrolment token, shown once.
package struct TokenIssued: Sendable, Equatable {
    package var token: String
    package var expiresUnix: UInt64
    package var uses: UInt32

    package init(token: String = "", expiresUnix: UInt64 = 0, uses: UInt32 = 0) {
        self.token = token
        self.expiresUnix = expiresUnix
        self.uses = uses
    }
}

/// An agent as the coordinator knows it.
package struct AgentRecord: Sendable, Equatable {
    package var agent: String
    /// Active revoked.
    package var state: String
    package var enrolledUnix: UInt64
    package var lastSeenUnix: UInt64
    package var version: String
    package var cpuFeatures: String
    package var memoryKib: UInt64
    package var certificateExpiresUnix: UInt64
    package var revokedReason: String
    package var plans: [AgentPlanRecord]
    /// The device's, 0: not known yet.
    package var trustSetVersion: UInt64
    /// The last model it refused, and why; empty: none.
    package var refusal: String
    /// Why it takes no work now, in its words; empty: it does, or was not heard since a start.
    package var unavailable: String

    package init(
        agent: String = "", state: String = "", enrolledUnix: UInt64 = 0, lastSeenUnix: UInt64 = 0,
        version: String = "", cpuFeatures: String = "", memoryKib: UInt64 = 0,
        certificateExpiresUnix: UInt64 = 0, revokedReason: String = "",
        plans: [AgentPlanRecord] = [], trustSetVersion: UInt64 = 0, refusal: String = "",
        unavailable: String = ""
    ) {
        self.agent = agent
        self.state = state
        self.enrolledUnix = enrolledUnix
        self.lastSeenUnix = lastSeenUnix
        self.version = version
        self.cpuFeatures = cpuFeatures
        self.memoryKib = memoryKib
        self.certificateExpiresUnix = certificateExpiresUnix
        self.revokedReason = revokedReason
        self.plans = plans
        self.trustSetVersion = trustSetVersion
        self.refusal = refusal
        self.unavailable = unavailable
    }
}

/// What an agent last said about one plan.
package struct AgentPlanRecord: Sendable, Equatable {
    package var plan: String
    package var examples: UInt64
    package var unreadable: UInt64
    package var modelVersion: UInt64
    package var hasModel: Bool
    /// Whether `examples` says no more than whether there are any: the plan is private.
    package var withheld: Bool

    package init(
        plan: String = "", examples: UInt64 = 0, unreadable: UInt64 = 0, modelVersion: UInt64 = 0,
        hasModel: Bool = false, withheld: Bool = false
    ) {
        self.plan = plan
        self.examples = examples
        self.unreadable = unreadable
        self.modelVersion = modelVersion
        self.hasModel = hasModel
        self.withheld = withheld
    }
}

/// One of the coordinator's checks of itself.
package struct DoctorLine: Sendable, Equatable {
    package var check: String
    package var ok: Bool
    /// What was found, and what to do when not ok.
    package var detail: String

    package init(check: String = "", ok: Bool = false, detail: String = "") {
        self.check = check
        self.ok = ok
        self.detail = detail
    }
}

/// The answer to `PlanList`.
package struct PlanRecords: Sendable, Equatable {
    package var items: [PlanRecord]

    package init(items: [PlanRecord] = []) {
        self.items = items
    }
}

/// The answer to `AgentList`.
package struct AgentRecords: Sendable, Equatable {
    package var items: [AgentRecord]
    /// There are more; ask again after the last of these.
    package var more: Bool

    package init(items: [AgentRecord] = [], more: Bool = false) {
        self.items = items
        self.more = more
    }
}

/// The answer to `DoctorRun`.
package struct DoctorReport: Sendable, Equatable {
    package var items: [DoctorLine]

    package init(items: [DoctorLine] = []) {
        self.items = items
    }
}

/// The answer to an `AdminRequest`.
package enum AdminResponse: Sendable, Equatable {
    case plan(PlanRecord)
    case plans(PlanRecords)
    case token(TokenIssued)
    case agent(AgentRecord)
    case agents(AgentRecords)
    case job(JobRecord)
    case round(RoundRecord)
    case rounds(RoundRecords)
    case model(ModelRecord)
    case models(ModelRecords)
    case doctor(DoctorReport)
    case ledger(LedgerRecord)
    case log(LogEntries)
    case logProof(LogProofRecord)
    case checkpoint(CheckpointRecord)
    case trust(TrustRecord)
    case jobs(JobSummaries)
    case status(StatusRecord)
}

// Administration, what the command line asks: admin.proto.

/// Registers a plan, or a new text of one.
package struct PlanApply: Sendable, Equatable {
    package var text: [UInt8]

    package init(text: [UInt8] = []) {
        self.text = text
    }
}

/// Asks for every plan.
package struct PlanList: Sendable, Equatable {
    package init() {}
}

/// Asks for one plan; may wait for its state to change.
package struct PlanShow: Sendable, Equatable {
    package var plan: String
    /// Wait for a later state than this; 0 answers at once.
    package var afterRevision: UInt64
    package var waitSeconds: UInt32

    package init(plan: String = "", afterRevision: UInt64 = 0, waitSeconds: UInt32 = 0) {
        self.plan = plan
        self.afterRevision = afterRevision
        self.waitSeconds = waitSeconds
    }
}

/// Asks for an enrolment token.
package struct TokenCreate: Sendable, Equatable {
    package var uses: UInt32
    package var validSeconds: UInt64

    package init(uses: UInt32 = 0, validSeconds: UInt64 = 0) {
        self.uses = uses
        self.validSeconds = validSeconds
    }
}

/// Asks for agents, ordered by name, a page at a time.
package struct AgentList: Sendable, Equatable {
    /// Agents whose names come after this one; empty: from the first.
    package var after: String
    /// At most so many; 0: as many as the coordinator likes.
    package var limit: UInt32

    package init(after: String = "", limit: UInt32 = 0) {
        self.after = after
        self.limit = limit
    }
}

/// Asks for one agent.
package struct AgentShow: Sendable, Equatable {
    package var agent: String

    package init(agent: String = "") {
        self.agent = agent
    }
}

/// Ends an agent's membership: its certificate is refused from now on.
package struct AgentRevoke: Sendable, Equatable {
    package var agent: String
    package var reason: String

    package init(agent: String = "", reason: String = "") {
        self.agent = agent
        self.reason = reason
    }
}

/// Starts a job of one or more rounds.
package struct RoundStart: Sendable, Equatable {
    package var plan: String
    package var rounds: UInt32
    /// The same key starts the rounds once.
    package var idempotencyKey: String

    package init(plan: String = "", rounds: UInt32 = 0, idempotencyKey: String = "") {
        self.plan = plan
        self.rounds = rounds
        self.idempotencyKey = idempotencyKey
    }
}

/// Asks for rounds, oldest first, a page at a time.
package struct RoundList: Sendable, Equatable {
    /// Empty: of every plan.
    package var plan: String
    /// Rounds with higher numbers than this.
    package var after: UInt64
    /// As in `AgentList`.
    package var limit: UInt32

    package init(plan: String = "", after: UInt64 = 0, limit: UInt32 = 0) {
        self.plan = plan
        self.after = after
        self.limit = limit
    }
}

/// Asks for one round.
package struct RoundShow: Sendable, Equatable {
    package var round: UInt64

    package init(round: UInt64 = 0) {
        self.round = round
    }
}

/// Abandons a round that is not yet published.
package struct RoundCancel: Sendable, Equatable {
    package var round: UInt64
    package var reason: String

    package init(round: UInt64 = 0, reason: String = "") {
        self.round = round
        self.reason = reason
    }
}

/// Asks for a job of rounds; may wait for a later state.
package struct JobWatch: Sendable, Equatable {
    package var job: UInt64
    package var afterRevision: UInt64
    package var waitSeconds: UInt32
    /// Of the job's rounds only those with higher numbers.
    package var afterRound: UInt64

    package init(
        job: UInt64 = 0, afterRevision: UInt64 = 0, waitSeconds: UInt32 = 0, afterRound: UInt64 = 0
    ) {
        self.job = job
        self.afterRevision = afterRevision
        self.waitSeconds = waitSeconds
        self.afterRound = afterRound
    }
}

/// Asks for a plan's model versions, oldest first, a page at a time.
package struct ModelList: Sendable, Equatable {
    package var plan: String
    /// From this version on.
    package var first: UInt64
    /// As in `AgentList`.
    package var limit: UInt32

    package init(plan: String = "", first: UInt64 = 0, limit: UInt32 = 0) {
        self.plan = plan
        self.first = first
        self.limit = limit
    }
}

/// Asks for one model version.
package struct ModelShow: Sendable, Equatable {
    package var plan: String
    package var version: UInt64
    package var latest: Bool

    package init(plan: String = "", version: UInt64 = 0, latest: Bool = false) {
        self.plan = plan
        self.version = version
        self.latest = latest
    }
}

/// Asks the coordinator to check itself.
package struct DoctorRun: Sendable, Equatable {
    package init() {}
}

/// Asks for the charges against a plan's population.
package struct LedgerShow: Sendable, Equatable {
    /// Any plan of the population.
    package var plan: String
    /// Charges to skip, oldest first: where the last answer ended.
    package var after: UInt64

    package init(plan: String = "", after: UInt64 = 0) {
        self.plan = plan
        self.after = after
    }
}

/// What an administrator asks for.
package enum AdminRequest: Sendable, Equatable {
    case planApply(PlanApply)
    case planList(PlanList)
    case planShow(PlanShow)
    case tokenCreate(TokenCreate)
    case agentList(AgentList)
    case agentShow(AgentShow)
    case agentRevoke(AgentRevoke)
    case roundStart(RoundStart)
    case roundList(RoundList)
    case roundShow(RoundShow)
    case roundCancel(RoundCancel)
    case jobWatch(JobWatch)
    case modelList(ModelList)
    case modelShow(ModelShow)
    case doctorRun(DoctorRun)
    case ledgerShow(LedgerShow)
    case auditLog(AuditLog)
    case auditProve(AuditProve)
    case auditCheckpoint(AuditCheckpoint)
    case trustShow(TrustShow)
    case modelRepublish(ModelRepublish)
    case planPause(PlanPause)
    case planResume(PlanResume)
    case jobList(JobList)
    case jobCancel(JobCancel)
    case statusShow(StatusShow)
}

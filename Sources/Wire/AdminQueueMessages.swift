// Administration, the queue of jobs and the coordinator's state: admin.proto.

/// Lets no further round of a plan start; one in flight goes on.
package struct PlanPause: Sendable, Equatable {
    package var plan: String
    package var reason: String

    package init(
        plan: String = "", reason: String = ""
    ) {
        self.plan = plan
        self.reason = reason
    }
}

/// Ends a pause.
package struct PlanResume: Sendable, Equatable {
    package var plan: String

    package init(
        plan: String = ""
    ) {
        self.plan = plan
    }
}

/// Asks for jobs, oldest first, a page at a time.
package struct JobList: Sendable, Equatable {
    /// Empty: of every plan.
    package var plan: String
    /// Jobs with higher numbers than this.
    package var after: UInt64
    /// As in `AgentList`.
    package var limit: UInt32
    /// Only those that have not ended.
    package var open: Bool

    package init(
        plan: String = "", after: UInt64 = 0, limit: UInt32 = 0, open: Bool = false
    ) {
        self.plan = plan
        self.after = after
        self.limit = limit
        self.open = open
    }
}

/// Ends a job, and abandons its round if one is in flight.
package struct JobCancel: Sendable, Equatable {
    package var job: UInt64
    package var reason: String

    package init(
        job: UInt64 = 0, reason: String = ""
    ) {
        self.job = job
        self.reason = reason
    }
}

/// Asks how the coordinator is, and what it has to do.
package struct StatusShow: Sendable, Equatable {
    package init() {}
}

/// A job without its rounds.
package struct JobSummary: Sendable, Equatable {
    package var job: UInt64
    package var plan: String
    package var roundsWanted: UInt32
    package var roundsDone: UInt32
    /// Queued running finished failed cancelled.
    package var state: String
    package var detail: String
    package var createdUnix: UInt64
    /// The plan's schedule started it.
    package var scheduled: Bool

    package init(
        job: UInt64 = 0, plan: String = "", roundsWanted: UInt32 = 0, roundsDone: UInt32 = 0,
        state: String = "", detail: String = "", createdUnix: UInt64 = 0, scheduled: Bool = false
    ) {
        self.job = job
        self.plan = plan
        self.roundsWanted = roundsWanted
        self.roundsDone = roundsDone
        self.state = state
        self.detail = detail
        self.createdUnix = createdUnix
        self.scheduled = scheduled
    }
}

/// The answer to `JobList`.
package struct JobSummaries: Sendable, Equatable {
    package var items: [JobSummary]
    /// There are more; ask again after the last of these.
    package var more: Bool

    package init(
        items: [JobSummary] = [], more: Bool = false
    ) {
        self.items = items
        self.more = more
    }
}

/// How the coordinator is, and what it has to do.
package struct StatusRecord: Sendable, Equatable {
    /// Serving, storage full, read only or set back.
    package var state: String
    /// Why it does not serve; empty: it does.
    package var detail: String
    package var remedy: String
    package var version: String
    package var upSeconds: Double
    package var connections: UInt32
    /// 0: none.
    package var connectionLimit: UInt32
    /// In flight.
    package var uploads: UInt32
    /// Of them, in memory.
    package var uploadBytes: UInt64
    /// 0: none.
    package var uploadByteLimit: UInt64
    /// Connections turned away or ended for the load since the start.
    package var shed: UInt64
    /// Active.
    package var agents: UInt32
    /// Heard within their pace.
    package var agentsHere: UInt32
    /// Here, but taking no work.
    package var agentsUnavailable: UInt32
    package var jobsRunning: UInt32
    package var jobsQueued: UInt32
    /// In flight.
    package var rounds: [RoundRecord]

    package init(
        state: String = "", detail: String = "", remedy: String = "", version: String = "",
        upSeconds: Double = 0, connections: UInt32 = 0, connectionLimit: UInt32 = 0,
        uploads: UInt32 = 0, uploadBytes: UInt64 = 0, uploadByteLimit: UInt64 = 0, shed: UInt64 = 0,
        agents: UInt32 = 0, agentsHere: UInt32 = 0, agentsUnavailable: UInt32 = 0,
        jobsRunning: UInt32 = 0, jobsQueued: UInt32 = 0, rounds: [RoundRecord] = []
    ) {
        self.state = state
        self.detail = detail
        self.remedy = remedy
        self.version = version
        self.upSeconds = upSeconds
        self.connections = connections
        self.connectionLimit = connectionLimit
        self.uploads = uploads
        self.uploadBytes = uploadBytes
        self.uploadByteLimit = uploadByteLimit
        self.shed = shed
        self.agents = agents
        self.agentsHere = agentsHere
        self.agentsUnavailable = agentsUnavailable
        self.jobsRunning = jobsRunning
        self.jobsQueued = jobsQueued
        self.rounds = rounds
    }
}

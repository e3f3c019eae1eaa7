import CMessages
import Federation

extension PlanPause: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__PlanPause>) {
        tributary__v1__plan_pause__init(raw)
    }

    init(raw: Tributary__V1__PlanPause) throws(Fault) {
        self.init(
            plan: try Read.text(raw.plan, "PlanPause.plan"),
            reason: try Read.text(raw.reason, "PlanPause.reason"))
    }

    func fill(_ raw: inout Tributary__V1__PlanPause, in arena: Arena) throws(Fault) {
        raw.plan = try arena.text(plan, "PlanPause.plan")
        raw.reason = try arena.text(reason, "PlanPause.reason")
    }
}

extension PlanResume: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__PlanResume>) {
        tributary__v1__plan_resume__init(raw)
    }

    init(raw: Tributary__V1__PlanResume) throws(Fault) {
        self.init(
            plan: try Read.text(raw.plan, "PlanResume.plan"))
    }

    func fill(_ raw: inout Tributary__V1__PlanResume, in arena: Arena) throws(Fault) {
        raw.plan = try arena.text(plan, "PlanResume.plan")
    }
}

extension JobList: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__JobList>) {
        tributary__v1__job_list__init(raw)
    }

    init(raw: Tributary__V1__JobList) throws(Fault) {
        self.init(
            plan: try Read.text(raw.plan, "JobList.plan"),
            after: raw.after,
            limit: raw.limit,
            open: raw.open != 0)
    }

    func fill(_ raw: inout Tributary__V1__JobList, in arena: Arena) throws(Fault) {
        raw.plan = try arena.text(plan, "JobList.plan")
        raw.after = after
        raw.limit = limit
        raw.open = open ? 1 : 0
    }
}

extension JobCancel: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__JobCancel>) {
        tributary__v1__job_cancel__init(raw)
    }

    init(raw: Tributary__V1__JobCancel) throws(Fault) {
        self.init(
            job: raw.job,
            reason: try Read.text(raw.reason, "JobCancel.reason"))
    }

    func fill(_ raw: inout Tributary__V1__JobCancel, in arena: Arena) throws(Fault) {
        raw.job = job
        raw.reason = try arena.text(reason, "JobCancel.reason")
    }
}

extension StatusShow: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__StatusShow>) {
        tributary__v1__status_show__init(raw)
    }

    init(raw: Tributary__V1__StatusShow) { self.init() }

    func fill(_ raw: inout Tributary__V1__StatusShow, in arena: Arena) {}
}

extension JobSummary: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__JobSummary>) {
        tributary__v1__job_summary__init(raw)
    }

    init(raw: Tributary__V1__JobSummary) throws(Fault) {
        self.init(
            job: raw.job,
            plan: try Read.text(raw.plan, "JobSummary.plan"),
            roundsWanted: raw.rounds_wanted,
            roundsDone: raw.rounds_done,
            state: try Read.text(raw.state, "JobSummary.state"),
            detail: try Read.text(raw.detail, "JobSummary.detail"),
            createdUnix: raw.created_unix,
            scheduled: raw.scheduled != 0)
    }

    func fill(_ raw: inout Tributary__V1__JobSummary, in arena: Arena) throws(Fault) {
        raw.job = job
        raw.plan = try arena.text(plan, "JobSummary.plan")
        raw.rounds_wanted = roundsWanted
        raw.rounds_done = roundsDone
        raw.state = try arena.text(state, "JobSummary.state")
        raw.detail = try arena.text(detail, "JobSummary.detail")
        raw.created_unix = createdUnix
        raw.scheduled = scheduled ? 1 : 0
    }
}

extension JobSummaries: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__JobSummaries>) {
        tributary__v1__job_summaries__init(raw)
    }

    init(raw: Tributary__V1__JobSummaries) throws(Fault) {
        self.init(
            items: try Read.messages(
                raw.items, raw.n_items, "JobSummaries.items", limit: WireLimits.items),
            more: raw.more != 0)
    }

    func fill(_ raw: inout Tributary__V1__JobSummaries, in arena: Arena) throws(Fault) {
        (raw.items, raw.n_items) = try arena.messages(
            items, "JobSummaries.items", limit: WireLimits.items)
        raw.more = more ? 1 : 0
    }
}

extension StatusRecord: WireMessage {
    static func prepare(_ raw: UnsafeMutablePointer<Tributary__V1__StatusRecord>) {
        tributary__v1__status_record__init(raw)
    }

    init(raw: Tributary__V1__StatusRecord) throws(Fault) {
        self.init(
            state: try Read.text(raw.state, "StatusRecord.state"),
            detail: try Read.text(raw.detail, "StatusRecord.detail"),
            remedy: try Read.text(raw.remedy, "StatusRecord.remedy"),
            version: try Read.text(raw.version, "StatusRecord.version"),
            upSeconds: raw.up_seconds,
            connections: raw.connections,
            connectionLimit: raw.connection_limit,
            uploads: raw.uploads,
            uploadBytes: raw.upload_bytes,
            uploadByteLimit: raw.upload_byte_limit,
            shed: raw.shed,
            agents: raw.agents,
            agentsHere: raw.agents_here,
            agentsUnavailable: raw.agents_unavailable,
            jobsRunning: raw.jobs_running,
            jobsQueued: raw.jobs_queued,
            rounds: try Read.messages(
                raw.rounds, raw.n_rounds, "StatusRecord.rounds", limit: WireLimits.items))
    }

    func fill(_ raw: inout Tributary__V1__StatusRecord, in arena: Arena) throws(Fault) {
        raw.state = try arena.text(state, "StatusRecord.state")
        raw.detail = try arena.text(detail, "StatusRecord.detail")
        raw.remedy = try arena.text(remedy, "StatusRecord.remedy")
        raw.version = try arena.text(version, "StatusRecord.version")
        raw.up_seconds = upSeconds
        raw.connections = connections
        raw.connection_limit = connectionLimit
        raw.uploads = uploads
        raw.upload_bytes = uploadBytes
        raw.upload_byte_limit = uploadByteLimit
        raw.shed = shed
        raw.agents = agents
        raw.agents_here = agentsHere
        raw.agents_unavailable = agentsUnavailable
        raw.jobs_running = jobsRunning
        raw.jobs_queued = jobsQueued
        (raw.rounds, raw.n_rounds) = try arena.messages(
            rounds, "StatusRecord.rounds", limit: WireLimits.items)
    }
}

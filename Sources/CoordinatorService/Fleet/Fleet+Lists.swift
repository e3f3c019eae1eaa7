import Federation
import Registry
import Wire

// Lists for the command line, a page at a time: each page fits in a frame, whatever devices and admins write.

extension Fleet {
    /// Rows of one page.
    static let pageRows = 500
    /// Bytes of one page at most, well below a frame.
    private static let pageBytes = 600_000

    func agentPage(
        _ list: AgentList, tellsPresence: Bool
    ) async throws(Fault) -> AgentRecords {
        let refusals = try await registry.lastRefusals()
        let agents = try await registry.agents(after: list.after, limit: rows(list.limit))
        let page = frameful(agents, Self.size) {
            record(of: $0, refusal: refusals[$0.id], tellsPresence: tellsPresence)
        }
        return AgentRecords(items: page.items, more: page.hasMore)
    }

    func roundPage(_ list: RoundList) async throws(Fault) -> RoundRecords {
        let plan = list.plan.isEmpty ? nil : try self.plan(named: list.plan).plan.id
        let rounds = try await registry.rounds(
            plan: plan, after: RoundID(list.after), limit: rows(list.limit))
        let page = frameful(rounds, Self.size) { record(of: $0) }
        return RoundRecords(items: page.items, more: page.hasMore)
    }

    func modelPage(_ list: ModelList) async throws(Fault) -> ModelRecords {
        let id = try plan(named: list.plan).plan.id
        let models = try await registry.models(id, from: list.first, limit: rows(list.limit))
        return ModelRecords(items: models.items.map(record), more: models.hasMore)
    }

    func jobPage(_ list: JobList) async throws(Fault) -> JobSummaries {
        let plan = list.plan.isEmpty ? nil : try self.plan(named: list.plan).plan.id
        let jobs = try await registry.jobs(
            plan: plan, after: list.after, isOpen: list.open, limit: rows(list.limit))
        let page = frameful(jobs, { 200 + $0.detail.utf8.count }, summary)
        return JobSummaries(items: page.items, more: page.hasMore)
    }

    private func summary(of job: StoredJob) -> JobSummary {
        let (state, detail) = standing(of: job)
        return JobSummary(
            job: job.job, plan: job.plan.name, roundsWanted: UInt32(clamping: job.rounds),
            roundsDone: UInt32(clamping: jobs[job.job]?.roundsDone ?? job.roundsDone),
            state: state, detail: detail, createdUnix: job.createdUnix,
            scheduled: job.idempotencyKey.hasPrefix(JobRuntime.scheduledPrefix))
    }

    private func rows(_ limit: UInt32) -> Int {
        limit == 0 ? Self.pageRows : min(Int(limit), Self.pageRows)
    }

    /// The records of as many of a page's items as fit in a frame, at least one.
    func frameful<Item, Record>(
        _ page: Page<Item>, _ size: (Record) -> Int, _ record: (Item) -> Record
    ) -> (items: [Record], hasMore: Bool) {
        var records: [Record] = []
        var bytes = 0
        for item in page.items {
            let next = record(item)
            bytes += size(next)
            guard records.isEmpty || bytes <= Self.pageBytes else { return (records, true) }
            records.append(next)
        }
        return (records, page.hasMore)
    }

    /// About the bytes that a round takes in a frame.
    static func size(_ round: RoundRecord) -> Int {
        200 + round.reason.utf8.count + 32 * round.history.count
    }

    private static func size(_ agent: AgentRecord) -> Int {
        let texts = [
            agent.version, agent.cpuFeatures, agent.revokedReason, agent.refusal,
            agent.unavailable,
        ]
        return texts.reduce(200 + 100 * agent.plans.count) { $0 + $1.utf8.count }
    }

    /// How the coordinator is, and what it has to do.
    ///
    /// - Parameter tellsCounts: whether uploads are counted although a private round may be what they are for.
    func status(tellsCounts: Bool) async throws(Fault) -> StatusRecord {
        let now = clock.now
        let fault = rolledBack?.fault ?? storage.refusal
        let tellsUploads =
            tellsCounts || !rounds.values.contains { $0.plan.plan.privacy != nil }
        let here = presence.values.filter { $0.isHere(at: now) }
        var inFlight: [RoundRecord] = []
        for round in rounds.values.sorted(by: { $0.at.round < $1.at.round }) {
            inFlight.append(record(of: try await registry.round(round.at.round)))
        }
        let running = runningJobs
        return StatusRecord(
            state: rolledBack == nil ? storage.name : "set back", detail: fault?.message ?? "",
            remedy: fault?.remedy ?? "", version: softwareVersion,
            upSeconds: now.seconds(since: startedAt),
            connections: UInt32(clamping: load.connections),
            connectionLimit: UInt32(clamping: load.connectionLimit),
            uploads: tellsUploads ? UInt32(clamping: load.uploads) : 0,
            uploadBytes: tellsUploads ? load.uploadBytes : 0,
            uploadByteLimit: load.uploadByteLimit, shed: load.shed,
            agents: UInt32(clamping: certificates.count - revoked.count),
            agentsHere: UInt32(clamping: here.count),
            agentsUnavailable: UInt32(clamping: here.count { !$0.unavailable.isEmpty }),
            jobsRunning: UInt32(clamping: running),
            jobsQueued: UInt32(
                clamping: max(0, jobs.values.count { $0.state == .running } - running)),
            rounds: inFlight)
    }

    /// Jobs that are not queued: a plan runs one at a time.
    var runningJobs: Int {
        Set(work.filter { $0.value.current != nil }.keys).union(rounds.keys).count
    }
}

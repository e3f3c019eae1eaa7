import Federation
import Testing
import Wire

/// A person at the command line, as the coordinator sees them.
struct Admin {
    let line: Line

    func ask(_ request: AdminRequest) async throws(Fault) -> AdminResponse {
        let answer = try await line.ask(.adminRequest(request))
        guard case .adminResponse(let response) = answer else {
            throw Fault(.internal, "not an admin's answer: \(answer)")
        }
        return response
    }

    @discardableResult
    func apply(_ text: String) async throws(Fault) -> PlanRecord {
        let answer = try await ask(.planApply(PlanApply(text: Array(text.utf8))))
        guard case .plan(let record) = answer else { throw unexpected(answer) }
        return record
    }

    func plan(_ name: String) async throws(Fault) -> PlanRecord {
        let answer = try await ask(.planShow(PlanShow(plan: name)))
        guard case .plan(let record) = answer else { throw unexpected(answer) }
        return record
    }

    /// Follows a plan's preparation to its end, `ready` or `failed`.
    func waitUntilPrepared(_ name: String) async throws(Fault) -> PlanRecord {
        var latest = try await plan(name)
        while latest.state == "preparing" {
            let show = PlanShow(plan: name, afterRevision: latest.revision, waitSeconds: 10)
            let answer = try await ask(.planShow(show))
            guard case .plan(let record) = answer else { throw unexpected(answer) }
            latest = record
        }
        return latest
    }

    /// Not inlined: in a loop, Swift 6.3's optimiser crashes on it otherwise.
    @inline(never)
    func token(uses: UInt32 = 1, validSeconds: UInt64 = 3600) async throws -> EnrolmentToken {
        let answer = try await ask(
            .tokenCreate(TokenCreate(uses: uses, validSeconds: validSeconds)))
        guard case .token(let issued) = answer else { throw unexpected(answer) }
        return try EnrolmentToken(parsing: issued.token)
    }

    func start(
        _ plan: String, rounds: UInt32 = 1, key: String = ""
    ) async throws(Fault) -> JobRecord {
        let answer = try await ask(
            .roundStart(RoundStart(plan: plan, rounds: rounds, idempotencyKey: key)))
        guard case .job(let record) = answer else { throw unexpected(answer) }
        return record
    }

    func job(_ id: UInt64, after revision: UInt64 = 0) async throws(Fault) -> JobRecord {
        let answer = try await ask(
            .jobWatch(JobWatch(job: id, afterRevision: revision, waitSeconds: 10)))
        guard case .job(let record) = answer else { throw unexpected(answer) }
        return record
    }

    /// Watches a job until `isReached`.
    func watch(
        _ job: JobRecord, until isReached: (JobRecord) -> Bool
    ) async throws(Fault) -> JobRecord {
        var latest = try await self.job(job.job)
        while !isReached(latest) { latest = try await self.job(job.job, after: latest.revision) }
        return latest
    }

    /// Watches a job to its end: finished, failed or cancelled.
    func watchToEnd(_ job: JobRecord) async throws(Fault) -> JobRecord {
        try await watch(job) { !["queued", "running"].contains($0.state) }
    }

    /// Jobs of a plan, a page at a time.
    func jobs(of plan: String, open: Bool = false) async throws(Fault) -> [JobSummary] {
        let answer = try await ask(.jobList(JobList(plan: plan, open: open)))
        guard case .jobs(let records) = answer else { throw unexpected(answer) }
        return records.items
    }

    @discardableResult
    func cancel(_ job: JobRecord, reason: String = "") async throws(Fault) -> JobRecord {
        let answer = try await ask(.jobCancel(JobCancel(job: job.job, reason: reason)))
        guard case .job(let record) = answer else { throw unexpected(answer) }
        return record
    }

    @discardableResult
    func pause(_ plan: String, reason: String = "") async throws(Fault) -> PlanRecord {
        let answer = try await ask(.planPause(PlanPause(plan: plan, reason: reason)))
        guard case .plan(let record) = answer else { throw unexpected(answer) }
        return record
    }

    @discardableResult
    func resume(_ plan: String) async throws(Fault) -> PlanRecord {
        let answer = try await ask(.planResume(PlanResume(plan: plan)))
        guard case .plan(let record) = answer else { throw unexpected(answer) }
        return record
    }

    func status() async throws(Fault) -> StatusRecord {
        let answer = try await ask(.statusShow(StatusShow()))
        guard case .status(let record) = answer else { throw unexpected(answer) }
        return record
    }

    /// Watches a plan until `isReached`.
    func watch(
        _ plan: String, until isReached: (PlanRecord) -> Bool
    ) async throws(Fault) -> PlanRecord {
        var latest = try await self.plan(plan)
        while !isReached(latest) {
            let show = PlanShow(plan: plan, afterRevision: latest.revision, waitSeconds: 10)
            let answer = try await ask(.planShow(show))
            guard case .plan(let record) = answer else { throw unexpected(answer) }
            latest = record
        }
        return latest
    }

    func rounds(of plan: String) async throws(Fault) -> [RoundRecord] {
        let answer = try await ask(.roundList(RoundList(plan: plan)))
        guard case .rounds(let records) = answer else { throw unexpected(answer) }
        return records.items
    }

    func models(of plan: String) async throws(Fault) -> [ModelRecord] {
        let answer = try await ask(.modelList(ModelList(plan: plan)))
        guard case .models(let records) = answer else { throw unexpected(answer) }
        return records.items
    }

    func latestModel(of plan: String) async throws(Fault) -> ModelRecord {
        let answer = try await ask(.modelShow(ModelShow(plan: plan, latest: true)))
        guard case .model(let record) = answer else { throw unexpected(answer) }
        return record
    }

    func agents() async throws(Fault) -> [AgentRecord] {
        let answer = try await ask(.agentList(AgentList()))
        guard case .agents(let records) = answer else { throw unexpected(answer) }
        return records.items
    }

    func revoke(_ agent: ScriptedAgent, reason: String = "lost") async throws(Fault) {
        _ = try await ask(.agentRevoke(AgentRevoke(agent: agent.name, reason: reason)))
    }

    func unexpected(_ answer: AdminResponse) -> Fault {
        Fault(.internal, "not the answer to the request: \(answer)")
    }
}

/// The fault that `body` throws; records an issue when it throws none.
func refusal(
    sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> Void
) async -> Fault? {
    do {
        try await body()
        Issue.record("nothing was refused", sourceLocation: sourceLocation)
        return nil
    } catch let fault as Fault {
        return fault
    } catch {
        Issue.record("not a fault: \(error)", sourceLocation: sourceLocation)
        return nil
    }
}
